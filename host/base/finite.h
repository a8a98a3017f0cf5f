/* Which of many values is not finite. */
#ifndef BASE_FINITE_H
#define BASE_FINITE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The place of the first value that is not finite; `count` when there is none. */
static inline size_t finite_count(const float *values, size_t count) {
  uint32_t any = 0;
  size_t i = 0;
  for (size_t k = 0; k < count; k++) { /* by integers and without a branch, which compilers do in vectors */
    uint32_t bits;
    memcpy(&bits, &values[k], sizeof bits);
    any |= (bits & 0x7fffffff) + 0x00800000; /* an exponent of ones becomes a sign */
  }
  if (any < 0x80000000) return count;
  while (isfinite(values[i])) i++;
  return i;
}

#endif
