/* Probabilities of each row, and the row sum that the loss shares with them. */
#include <assert.h>

#include "base/finite.h"
#include "base/size.h"
#include "reference/operations.h"

float lanes_sum(float lanes[LANES]) {
  for (size_t apart = LANES / 2; apart > 0; apart /= 2)
    for (size_t l = 0; l < apart; l++) lanes[l] += lanes[l + apart];
  return lanes[0];
}

/* Lane l sums the elements j with j mod 16 = l, ascending. */
static float row_sum(size_t count, const float *e) {
  float lanes[LANES] = {0};
  size_t j = 0;
  for (; j + LANES <= count; j += LANES)
    for (size_t l = 0; l < LANES; l++) lanes[l] += e[j + l];
  for (size_t l = 0; j + l < count; l++) lanes[l] += e[j + l];
  return lanes_sum(lanes);
}

/* The bits of a number as an integer of the same order, and back. */
static inline uint32_t ordered_bits(uint32_t bits) {
  return bits ^ (0u - (bits >> 31)) >> 1;
}

/* Compilers turn a maximum of integers into vectors. */
static HOT float row_maximum(size_t count, const float *x) {
  int32_t top = INT32_MIN;
  for (size_t j = 0; j < count; j++) {
    int32_t ordered = (int32_t)ordered_bits(exact_as_uint(x[j]));
    top = ordered > top ? ordered : top;
  }
  return exact_as_real(ordered_bits((uint32_t)top));
}

/* d = x - max; all NaN where one value is not finite. */
static float shift_row(size_t count, const float *x, float *d) {
  float max = finite_count(x, count) == count ? row_maximum(count, x) : EXACT_NAN;
  for (size_t j = 0; j < count; j++) d[j] = x[j] - max;
  return max;
}

/* Of any number of rows: vectors are full where a row has few elements, too. */
static HOT void exponentials(size_t count, float *e) {
  for (size_t j = 0; j < count; j++) e[j] = canonical(exact_exp(e[j]), FLOOR_GRADIENT);
}

softmax_sum softmax_row(size_t count, const float *x, float *e) {
  float max = shift_row(count, x, e);
  exponentials(count, e);
  return (softmax_sum){.max = max, .sum = row_sum(count, e)};
}

/* Nothing here is subnormal, so that C's division is exact_divide. */
static HOT void divide_row(size_t count, float sum, float floor, float *p) {
  for (size_t j = 0; j < count; j++) p[j] = canonical(p[j] / sum, floor);
}

void probability_row(size_t count, float sum, float floor, float *p) {
  if (!isnan(sum)) divide_row(count, sum, floor, p); /* else all are NaN already */
}

typedef struct operands {
  size_t rows;
  const tensor *logits, *probabilities;
} operands;

/* A helper takes part where there are so many rows, so many at a time. */
enum { SHARED_ROWS = 32, PIECE_ROWS = 8 };

static void softmax_piece(void *user, size_t piece) {
  const operands *o = user;
  size_t cols = o->logits->cols, first = piece * PIECE_ROWS, rows = size_min(PIECE_ROWS, o->rows - first);
  const float *x = floats_of(o->logits) + first * cols;
  float *p = floats_of(o->probabilities) + first * cols;
  for (size_t i = 0; i < rows; i++) shift_row(cols, x + i * cols, p + i * cols);
  exponentials(rows * cols, p);
  for (size_t i = 0; i < rows; i++, p += cols) probability_row(cols, row_sum(cols, p), floor_of(o->probabilities), p);
}

mlp_cl_status reference_softmax(helper *help, size_t rows, const tensor *logits, tensor *probabilities,
                                mlp_cl_error *error) {
  (void)error;
  assert(rows <= logits->rows && rows <= probabilities->rows && probabilities->cols == logits->cols);
  helper_share(rows >= SHARED_ROWS ? help : NULL, size_divide_up(rows, PIECE_ROWS), softmax_piece,
               &(operands){rows, logits, probabilities});
  return MLP_CL_OK;
}
