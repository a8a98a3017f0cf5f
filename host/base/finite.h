/* Which of many values is not finite. */
#ifndef BASE_FINITE_H
#define BASE_FINITE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The place of the first value that is not finite; `count` when there is none. */
static inline size_t finite_count(const float *values, size_t count) {
  int32_t largest = 0;
  size_t i = 0;
  for (size_t k = 0; k < count; k++) { /* by integers and without a branch, which compilers do in vectors */
    int32_t magnitude;
    memcpy(&magnitude, &values[k], sizeof magnitude);
    magnitude &= 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest < 0x7f800000) return count;
  while (isfinite(values[i])) i++;
  return i;
}

#endif
