/* Rows of floats: parts of sums, and what becomes of them, as functions that become part of those which are compiled
 * for several processors. */
#ifndef REFERENCE_ROWS_H
#define REFERENCE_ROWS_H

#include <math.h>
#include <stddef.h>

#include "exact_math.h"

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

INLINED void make_canonical(size_t n, float floor, const float *x, float *y) {
  for (size_t j = 0; j < n; j++) y[j] = canonical(x[j], floor);
}

INLINED void add_bias(size_t n, const float *x, const float *bias, float *y) {
  for (size_t j = 0; j < n; j++) y[j] = canonical(x[j] + bias[j], FLOOR_VALUE);
}

/* !(x <= 0) lets NaN through, so that a broken run shows. */
INLINED void rectify(size_t n, const float *x, float *y) {
  for (size_t j = 0; j < n; j++) y[j] = !(x[j] <= 0.0f) ? x[j] : 0.0f;
}

#endif
