/* Sizes checked for overflow before they are multiplied, and the divisions that tiling needs. */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>

/* *product = a · b; false, with *product untouched, when it overflows. */
static inline bool size_multiply(size_t a, size_t b, size_t *product) {
  size_t result;
  if (__builtin_mul_overflow(a, b, &result)) return false;
  *product = result;
  return true;
}

/* ceil(a / b), for b > 0, without overflow. */
static inline size_t size_divide_up(size_t a, size_t b) {
  return a / b + (a % b != 0);
}

static inline size_t size_round_up(size_t a, size_t b) {
  return size_divide_up(a, b) * b;
}

static inline size_t size_min(size_t a, size_t b) {
  return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b) {
  return a > b ? a : b;
}

#endif
