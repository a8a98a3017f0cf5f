/* target_loss: losses, scores and, if `gradient`, d_outputs (rows, cols) of outputs (rows, cols) against the targets of
 * row order[first + i]. squared: loss (x - t)², score |x - t|; otherwise sigmoid cross-entropy, score 1 where x and t
 * lie on the same side. Row sums in the lanes of softmax.h, then the mean over cols. Shares of rows. */
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

kernel void target_loss(int rows, int cols, int squared, global const float *outputs, int outputs_stride,
                        global const float *targets, int ordered, global const uint *order, ulong first, float scale,
                        float per_output, int gradient, global float *d_outputs, int d_stride, global float *losses,
                        global float *scores, ulong slot, global uint *flag, uint step) {
  LANES_MEMORY(memory);
  FOR_LINE_UNITS(rows, row) {
    ulong from = first + (ulong)row;
    global const float *wanted = targets + (ordered ? (ulong)order[from] : from) * (ulong)cols;
    line loss = (line)(0.0f), score = (line)(0.0f), zero = (line)(0.0f), one = (line)(1.0f);
    IN_ORDER
    for (int panel = 0; panel < PANELS(cols); panel++) {
      int_line inside = line_columns(panel) < (int_line)(cols);
      line x = load_line(outputs, line_index(panel, outputs_stride, row)), t = load_targets(wanted, panel, cols), d;
      x = inside ? x : zero;
      if (squared) {
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
      d = inside ? canonical(finite_or_nan(d * scale), FLOOR_GRADIENT) : zero;
      if (gradient) store_line(d_outputs, line_index(panel, d_stride, row), d);
    }
    float row_loss = sum_of_lanes(loss, memory) * per_output, row_score = sum_of_lanes(score, memory) * per_output;
    bool good = is_finite(row_loss) && is_finite(row_score);
    losses[slot + (ulong)row] = good ? canonical(row_loss, FLOOR_GRADIENT) : NAN;
    scores[slot + (ulong)row] = good ? canonical(row_score, FLOOR_GRADIENT) : NAN;
    if (!good) atomic_min(flag, step);
  }
}
