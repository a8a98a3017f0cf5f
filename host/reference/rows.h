/* Parts of sums: rows of floats, whose functions become part of those that are compiled for several processors. */
#ifndef REFERENCE_ROWS_H
#define REFERENCE_ROWS_H

#include <math.h>
#include <stddef.h>

/* Columns that lie side by side on the right of a sum over features, and bytes that begin a row of them. */
enum { PANEL_COLS = 32, CACHE_LINE = 64 };

#define INLINED static inline __attribute__((always_inline))

/* acc[j] = x · b[j] + acc[j], rounded once. */
INLINED void multiply_add(size_t n, float x, const float *restrict b, float *restrict acc) {
  for (size_t j = 0; j < n; j++) acc[j] = fmaf(x, b[j], acc[j]);
}

INLINED void add(size_t n, const float *restrict b, float *restrict acc) {
  for (size_t j = 0; j < n; j++) acc[j] += b[j];
}

INLINED void zero(size_t n, float *acc) {
  for (size_t j = 0; j < n; j++) acc[j] = 0;
}

#endif
