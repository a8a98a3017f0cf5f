/* Probabilities of each row, and the row sum that the loss shares with them. */
#include <assert.h>

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
  for (size_t j = 0; j < count; j++) lanes[j % LANES] += e[j];
  return lanes_sum(lanes);
}

/* The first index of the largest value. */
static size_t argmax(size_t count, const float *x) {
  size_t best = 0;
  for (size_t j = 1; j < count; j++)
    if (x[j] > x[best]) best = j;
  return best;
}

static bool all_finite(size_t count, const float *x) {
  bool finite = true;
  for (size_t j = 0; j < count; j++) finite &= isfinite(x[j]) != 0;
  return finite;
}

static HOT void exponential_row(size_t count, const float *x, float max, float *e) {
  for (size_t j = 0; j < count; j++) e[j] = canonical(exact_exp(x[j] - max), FLOOR_GRADIENT);
}

softmax_sum softmax_row(size_t count, const float *x, float *e) {
  if (!all_finite(count, x)) {
    for (size_t j = 0; j < count; j++) e[j] = EXACT_NAN;
    return (softmax_sum){.best = 0, .max = EXACT_NAN, .sum = EXACT_NAN};
  }
  size_t best = argmax(count, x);
  exponential_row(count, x, x[best], e);
  return (softmax_sum){.best = best, .max = x[best], .sum = row_sum(count, e)};
}

static HOT void divide_row(size_t count, const float *e, float sum, float floor, float *p) {
  for (size_t j = 0; j < count; j++) p[j] = canonical(exact_divide(e[j], sum), floor);
}

void probability_row(size_t count, const float *e, float sum, float floor, float *p) {
  divide_row(count, e, sum, floor, p);
}

typedef struct operands {
  size_t rows;
  const tensor *logits, *probabilities;
} operands;

/* A helper takes part where there are so many rows, so many at a time. */
enum { SHARED_ROWS = 32, PIECE_ROWS = 8 };

static void softmax_piece(void *user, size_t piece) {
  const operands *o = user;
  size_t cols = o->logits->cols, end = size_min(o->rows, (piece + 1) * PIECE_ROWS);
  for (size_t i = piece * PIECE_ROWS; i < end; i++) {
    float *p = floats_of(o->probabilities) + i * cols;
    softmax_sum s = softmax_row(cols, floats_of(o->logits) + i * cols, p);
    probability_row(cols, p, s.sum, floor_of(o->probabilities), p);
  }
}

mlp_cl_status reference_softmax(helper *help, size_t rows, const tensor *logits, tensor *probabilities,
                                mlp_cl_error *error) {
  (void)error;
  assert(rows <= logits->rows && rows <= probabilities->rows && probabilities->cols == logits->cols);
  helper_share(rows >= SHARED_ROWS ? help : NULL, size_divide_up(rows, PIECE_ROWS), softmax_piece,
               &(operands){rows, logits, probabilities});
  return MLP_CL_OK;
}
