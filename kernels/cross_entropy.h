/* Softmax, loss, prediction and gradient of one row of logits in one go. */
#ifndef CROSS_ENTROPY_H
#define CROSS_ENTROPY_H

#include "softmax.h"

/* The first column that holds the maximum. */
static inline int first_maximum(global const float *logits, int stride, int row, int cols, float maximum) {
  for (int panel = 0; panel < PANELS(cols); panel++) {
    line x = load_logits(logits, stride, row, panel, cols);
    if (!any(x == (line)(maximum))) continue;
    for (int i = panel * PANEL; i < min(cols, (panel + 1) * PANEL); i++)
      if (logits[element_index(stride, row, i)] == maximum) return i;
  }
  return 0;
}

/* d_logits = (softmax - onehot(label)) · scale; NULL-like (`gradient` false) in evaluation. *loss and *prediction are
 * set; a loss that is not finite lowers *flag to `step`. */
static inline void cross_entropy_row(global const float *logits, int stride, int row, int cols, int label, float scale,
                                     bool gradient, global float *d_logits, int d_stride, global float *loss,
                                     global int *prediction, global uint *flag, uint step) {
  softmax_row s = softmax_sum(logits, stride, row, cols);
  float at_label = logits[element_index(stride, row, label)] - s.maximum;
  *loss = s.finite ? exact_log(s.sum) - at_label : NAN;
  *prediction = first_maximum(logits, stride, row, cols, s.maximum);
  if (!s.finite) atomic_min(flag, step);
  if (!gradient) return;
  for (int panel = 0; panel < PANELS(cols); panel++) {
    line e = exponentials(load_logits(logits, stride, row, panel, cols), s.maximum);
    line p = canonical(exact_divide(e, (line)(s.sum)), FLOOR_GRADIENT);
    line onehot = line_columns(panel) == (int16)(label) ? (line)(1.0f) : (line)(0.0f);
    line d = s.finite ? (p - onehot) * scale : (line)(NAN);
    d = line_columns(panel) < (int16)(cols) ? canonical(d, FLOOR_GRADIENT) : (line)(0.0f);
    store_line(d_logits, line_index(panel, d_stride, row), d);
  }
}

#endif
