/* Activations other than ReLU with their dropout: on four rows of a panel, as activation.cl runs them alone and
 * train_steps.cl behind the products; and on what is in registers, as train_steps_group.cl does. */
#ifndef ACTIVATION_LINES_H
#define ACTIVATION_LINES_H

#include "activation.h"
#include "dropout.h"

/* dropout(f(x)); `words` are not looked at without a threshold. */
static inline line activation_forward_step(int kind, const mask *m, uint_line words, line x) {
  line v = canonical(activation_value(kind, x), FLOOR_VALUE);
  return m->threshold != 0 ? mask_apply(m, words, v) : v;
}

/* dropout(d) · f'(x) */
static inline line activation_backward_step(int kind, const mask *m, uint_line words, line x, line d) {
  if (m->threshold != 0) d = mask_apply(m, words, d);
  return canonical(d * activation_slope(kind, x), FLOOR_GRADIENT);
}

/* The columns behind the last one stay 0: f(0) need not be. */
static inline line activation_within(line x, int panel, int cols) {
  return line_columns(panel) < (int_line)(cols) ? x : (line)(0.0f);
}

/* y = dropout(f(x)) of rows row … row + count - 1, at most MASK_ROWS, of (any, cols). */
OUTLINED_FUNCTION void activation_forward_lines(int kind, const mask *m, int row, int count, int panel, int cols,
                                                global const float *x, int x_stride, global float *y, int y_stride) {
  uint_line words[MASK_ROWS] = {0};
  if (m->threshold != 0) mask_words(m, row, panel, cols, words);
  for (int r = 0; r < count; r++) {
    line v = activation_forward_step(kind, m, words[r], load_line(x, line_index(panel, x_stride, row + r)));
    store_line(y, line_index(panel, y_stride, row + r), activation_within(v, panel, cols));
  }
}

/* d_x = dropout(d_y) · f'(x) of the same; d_x may be d_y. */
OUTLINED_FUNCTION void activation_backward_lines(int kind, const mask *m, int row, int count, int panel, int cols,
                                                 global const float *x, int x_stride, global const float *d_y,
                                                 int d_y_stride, global float *d_x, int d_x_stride) {
  uint_line words[MASK_ROWS] = {0};
  if (m->threshold != 0) mask_words(m, row, panel, cols, words);
  for (int r = 0; r < count; r++) {
    line d = load_line(d_y, line_index(panel, d_y_stride, row + r));
    d = activation_backward_step(kind, m, words[r], load_line(x, line_index(panel, x_stride, row + r)), d);
    store_line(d_x, line_index(panel, d_x_stride, row + r), activation_within(d, panel, cols));
  }
}

#endif
