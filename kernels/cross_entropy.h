/* Softmax, loss, prediction and gradient of one row of logits in one go. */
#ifndef CROSS_ENTROPY_H
#define CROSS_ENTROPY_H

#include "softmax.h"

/* The first column that holds the maximum. */
static inline int first_maximum(global const float *logits, int stride, int row, int cols, float maximum,
                                local int *memory) {
  int_line first = (int_line)(INT_MAX);
  for (int panel = 0; panel < PANELS(cols); panel++) {
    line x = load_logits(logits, stride, row, panel, cols);
    first = min(first, (x == (line)(maximum)) ? line_columns(panel) : (int_line)(INT_MAX));
  }
  int found = minimum_of_lanes(first, memory);
  return found < cols ? found : 0;
}

#define LABEL_PARAMETERS global const int *labels, int ordered, global const uint *order, ulong first, float loss_scale
#define METRIC_PARAMETERS global float *losses, global int *predictions, ulong slot, global uint *flag, uint step

/* What all rows have in common. Row i's label is labels[order[first + i]]; losses and predictions begin at the batch's
 * slot. */
typedef struct {
  int rows, cols;
  global const float *logits;
  int logits_stride;
  global const int *labels;
  bool ordered;
  global const uint *order;
  ulong first;
  float scale;
  bool gradient; /* else d_logits is not touched: evaluation */
  global float *d_logits;
  int d_stride;
  global float *losses;
  global int *predictions;
  global uint *flag;
  uint step;
} cross_entropy_batch;

static inline int label_of(const cross_entropy_batch *b, int row) {
  ulong from = b->first + (ulong)row;
  return b->labels[b->ordered ? b->order[from] : from];
}

/* d_logits = (softmax - onehot(label)) · scale of one row; a loss that is not finite lowers *flag to `step`. A row with
 * a logit that is not finite has loss and gradient NaN and prediction 0. */
LANES_FUNCTION void cross_entropy_row(const cross_entropy_batch *b, int row, local int *memory) {
  int label = label_of(b, row), cols = b->cols, stride = b->logits_stride;
  softmax_row s;
  softmax_sum(b->logits, stride, row, cols, memory, &s);
  float at_label = b->logits[element_index(stride, row, label)] - s.maximum;
  int prediction = first_maximum(b->logits, stride, row, cols, s.maximum, memory);
  float loss = s.finite ? exact_log(s.sum) - at_label : NAN;
  b->losses[row] = loss;
  b->predictions[row] = s.finite ? prediction : 0;
  if (!is_finite(loss)) atomic_min(b->flag, b->step);
  if (!b->gradient) return;
  for (int panel = 0; panel < PANELS(cols); panel++) {
    line p = canonical(probabilities_of(load_logits(b->logits, stride, row, panel, cols), &s), FLOOR_GRADIENT);
    line onehot = line_columns(panel) == (int_line)(label) ? (line)(1.0f) : (line)(0.0f);
    line d = s.finite ? (p - onehot) * b->scale : (line)(NAN);
    d = line_columns(panel) < (int_line)(cols) ? canonical(d, FLOOR_GRADIENT) : (line)(0.0f);
    store_line(b->d_logits, line_index(panel, b->d_stride, row), d);
  }
}

#if VECTOR_LINES

/* 16 rows of at most 16 classes, transposed: a vector holds one class of 16 rows, so that no sum or maximum goes across
 * lanes and one logarithm serves 16 rows. The tree over 16 lanes is the same, absent classes are its zeros. */
OUTLINED_FUNCTION void cross_entropy_few_classes(const cross_entropy_batch *b, int begin) {
  line x[PANEL], e[PANEL];
  int labels[PANEL], cols = b->cols, rows = min(PANEL, b->rows - begin);
  for (int r = 0; r < PANEL; r++) {
    x[r] = load_line(b->logits, line_index(0, b->logits_stride, begin + r));
    labels[r] = r < rows ? label_of(b, begin + r) : 0;
  }
  transpose_lines(x);
  int16 label = vload16(0, labels), prediction = (int16)(0), broken = (int16)(0);
  line top = x[0], at_label = (line)(0.0f);
  for (int j = 0; j < cols; j++) {
    top = x[j] > top ? x[j] : top;
    broken |= (as_uint16(x[j]) & 0x7f800000u) == (uint16)(0x7f800000u);
    at_label = label == (int16)(j) ? x[j] : at_label;
  }
  for (int j = cols - 1; j >= 0; j--) prediction = x[j] == top ? (int16)(j) : prediction;
#pragma unroll 1
  for (int j = 0; j < PANEL; j++) {
    e[j] = (line)(0.0f);
    if (j < cols) e[j] = canonical(exact_exp(x[j] - top), FLOOR_GRADIENT);
    x[j] = e[j];
  }
  for (int distance = PANEL / 2; distance > 0; distance /= 2)
    for (int j = 0; j < distance; j++) e[j] += e[j + distance];
  prediction = broken ? (int16)(0) : prediction;
  line loss = broken ? (line)(NAN) : exact_log(e[0]) - (at_label - top);
  float losses[PANEL];
  int predictions[PANEL];
  vstore16(loss, 0, losses);
  vstore16(prediction, 0, predictions);
  for (int r = 0; r < rows; r++) {
    b->losses[begin + r] = losses[r];
    b->predictions[begin + r] = predictions[r];
    if (!is_finite(losses[r])) atomic_min(b->flag, b->step);
  }
  if (!b->gradient) return;
  line reciprocal = exact_divide((line)(1.0f), e[0]);
  for (int j = 0; j < cols; j++) {
    line p = canonical(exact_quotient(x[j], e[0], reciprocal), FLOOR_GRADIENT);
    line d = (p - (label == (int16)(j) ? (line)(1.0f) : (line)(0.0f))) * b->scale;
    x[j] = broken ? (line)(NAN) : canonical(d, FLOOR_GRADIENT);
  }
  transpose_lines(x);
  for (int r = 0; r < PANEL; r++) store_line(b->d_logits, line_index(0, b->d_stride, begin + r), x[r]);
}

/* The 16 rows from `begin`. */
static inline __attribute__((always_inline)) void cross_entropy_block(const cross_entropy_batch *b, int begin,
                                                                      local int *memory) {
  if (b->cols <= PANEL) {
    cross_entropy_few_classes(b, begin);
    return;
  }
  for (int row = begin; row < min(b->rows, begin + PANEL); row++) cross_entropy_row(b, row, memory);
}

#endif

#endif
