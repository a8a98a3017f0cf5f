/* Loss, score and gradient of one row of outputs against its targets. squared: loss (x - t)², score |x - t|; otherwise
 * sigmoid cross-entropy, score 1 where x and t lie on the same side. Row sums in the lanes of softmax.h, then the mean
 * over the outputs. */
#ifndef TARGET_LOSS_H
#define TARGET_LOSS_H

#include "activation.h"
#include "softmax.h"

/* The targets of a panel's line, 0 behind the last column. */
static inline line load_targets(global const float *row, int panel, int cols) {
#if VECTOR_LINES
  float t[PANEL];
  for (int j = 0; j < PANEL; j++) t[j] = panel * PANEL + j < cols ? row[panel * PANEL + j] : 0.0f;
  return canonical(vload16(0, t), FLOOR_VALUE);
#else
  int col = line_columns(panel);
  return canonical(col < cols ? row[col] : 0.0f, FLOOR_VALUE);
#endif
}

/* x is what a sum of products may have become: every NaN and infinity counts as the one NaN. */
static inline line finite_or_nan(line x) {
  return (AS_UINT_LINE(x) & 0x7f800000u) == (uint_line)(0x7f800000u) ? (line)(NAN) : x;
}

/* What all rows have in common. Row i's targets are those of row order[first + i]; losses and scores begin at the
 * batch's slot. */
typedef struct {
  int cols;
  bool squared;
  global const float *outputs;
  int outputs_stride;
  global const float *targets; /* (any, cols), row-major */
  bool ordered;
  global const uint *order;
  ulong first;
  float scale, per_output;
  bool gradient; /* else d_outputs is not touched: evaluation */
  global float *d_outputs;
  int d_stride;
  global float *losses, *scores;
  global uint *flag;
  uint step;
} target_loss_batch;

LANES_FUNCTION void target_loss_row(const target_loss_batch *b, int row, local int *memory) {
  ulong from = b->first + (ulong)row;
  global const float *wanted = b->targets + (b->ordered ? (ulong)b->order[from] : from) * (ulong)b->cols;
  line loss = (line)(0.0f), score = (line)(0.0f), zero = (line)(0.0f), one = (line)(1.0f);
  IN_ORDER
  for (int panel = 0; panel < PANELS(b->cols); panel++) {
    int_line inside = line_columns(panel) < (int_line)(b->cols);
    line x = load_line(b->outputs, line_index(panel, b->outputs_stride, row));
    line t = load_targets(wanted, panel, b->cols), d;
    x = inside ? x : zero;
    if (b->squared) {
      d = x - t;
      loss = fma(d, d, loss);
      score += exact_magnitude(d);
    } else {
      logistic l = logistic_of(x);
      line part = canonical(fma(-x, t, x > zero ? x : zero) + softplus_of_minus(l), FLOOR_GRADIENT);
      line right = ((x > zero) == (t > (line)(0.5f))) ? one : zero;
      loss += inside ? part : zero;
      score += inside ? right : zero;
      d = logistic_value(l, x) - t;
    }
    d = inside ? canonical(finite_or_nan(d * b->scale), FLOOR_GRADIENT) : zero;
    if (b->gradient) store_line(b->d_outputs, line_index(panel, b->d_stride, row), d);
  }
  float row_loss = sum_of_lanes(loss, memory) * b->per_output, row_score = sum_of_lanes(score, memory) * b->per_output;
  bool good = is_finite(row_loss) && is_finite(row_score);
  b->losses[row] = good ? canonical(row_loss, FLOOR_GRADIENT) : NAN;
  b->scores[row] = good ? canonical(row_score, FLOOR_GRADIENT) : NAN;
  if (!good) atomic_min(b->flag, b->step);
}

#endif
