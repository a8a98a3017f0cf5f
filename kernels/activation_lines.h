/* Activations other than ReLU with their dropout, on four rows of a panel: activation.cl runs them alone,
 * train_steps.cl behind the products. */
#ifndef ACTIVATION_LINES_H
#define ACTIVATION_LINES_H

#include "activation.h"
#include "dropout.h"

/* The columns behind the last one stay 0: f(0) need not be. */
static inline line activation_within(line x, int panel, int cols) {
  return line_columns(panel) < (int_line)(cols) ? x : (line)(0.0f);
}

/* y = dropout(f(x)) of rows row … row + count - 1, at most MASK_ROWS, of (any, cols). */
OUTLINED_FUNCTION void activation_forward_lines(int kind, const mask *m, int row, int count, int panel, int cols,
                                                global const float *x, int x_stride, global float *y, int y_stride) {
  uint_line words[MASK_ROWS];
  if (m->threshold != 0) mask_words(m, row, panel, cols, words);
  for (int r = 0; r < count; r++) {
    line v = canonical(activation_value(kind, load_line(x, line_index(panel, x_stride, row + r))), FLOOR_VALUE);
    if (m->threshold != 0) v = mask_apply(m, words[r], v);
    store_line(y, line_index(panel, y_stride, row + r), activation_within(v, panel, cols));
  }
}

/* d_x = dropout(d_y) · f'(x) of the same; d_x may be d_y. */
OUTLINED_FUNCTION void activation_backward_lines(int kind, const mask *m, int row, int count, int panel, int cols,
                                                 global const float *x, int x_stride, global const float *d_y,
                                                 int d_y_stride, global float *d_x, int d_x_stride) {
  uint_line words[MASK_ROWS];
  if (m->threshold != 0) mask_words(m, row, panel, cols, words);
  for (int r = 0; r < count; r++) {
    line slope = activation_slope(kind, load_line(x, line_index(panel, x_stride, row + r)));
    line d = load_line(d_y, line_index(panel, d_y_stride, row + r));
    if (m->threshold != 0) d = mask_apply(m, words[r], d);
    d = canonical(d * slope, FLOOR_GRADIENT);
    store_line(d_x, line_index(panel, d_x_stride, row + r), activation_within(d, panel, cols));
  }
}

#endif
