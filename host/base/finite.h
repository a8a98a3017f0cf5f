/* Which of many values is not finite. */
#ifndef BASE_FINITE_H
#define BASE_FINITE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* The place of the first value that is not finite; `count` when there is none. */
static inline size_t finite_count(const float *values, size_t count) {
  bool finite = true;
  size_t i = 0;
  for (size_t k = 0; k < count; k++) finite &= isfinite(values[k]) != 0; /* without a branch: in vectors */
  if (finite) return count;
  while (isfinite(values[i])) i++;
  return i;
}

#endif
