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

/* d_logits = (softmax - onehot(label)) · scale; NULL-like (`gradient` false) in evaluation. *loss and *prediction are
 * set; a loss that is not finite lowers *flag to `step`. */
static inline void cross_entropy_row(global const float *logits, int stride, int row, int cols, int label, float scale,
                                     bool gradient, global float *d_logits, int d_stride, global float *loss,
                                     global int *prediction, global uint *flag, uint step, local int *memory) {
  softmax_row s = softmax_sum(logits, stride, row, cols, memory);
  float at_label = logits[element_index(stride, row, label)] - s.maximum;
  *loss = s.finite ? exact_log(s.sum) - at_label : NAN;
  *prediction = first_maximum(logits, stride, row, cols, s.maximum, memory);
  if (!s.finite) atomic_min(flag, step);
  if (!gradient) return;
  for (int panel = 0; panel < PANELS(cols); panel++) {
    line e = exponentials(load_logits(logits, stride, row, panel, cols), s.maximum);
    line p = canonical(exact_divide(e, (line)(s.sum)), FLOOR_GRADIENT);
    line onehot = line_columns(panel) == (int_line)(label) ? (line)(1.0f) : (line)(0.0f);
    line d = s.finite ? (p - onehot) * scale : (line)(NAN);
    d = line_columns(panel) < (int_line)(cols) ? canonical(d, FLOOR_GRADIENT) : (line)(0.0f);
    store_line(d_logits, line_index(panel, d_stride, row), d);
  }
}

#endif
