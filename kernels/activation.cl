/* activation_forward: y = dropout(f(x)); activation_backward: d_x = dropout(d_y) · f'(x), with the same mask. `kind` is an
 * mlp_cl_activation. All (rows, cols); y may be x, d_x may be d_y. Shares of four rows of a panel. */
#include "activation.h"
#include "dropout.h"

/* The columns behind the last one stay 0: f(0) need not be. */
static inline line within(line x, int panel, int cols) {
  return line_columns(panel) < (int_line)(cols) ? x : (line)(0.0f);
}

kernel void activation_forward(int rows, int cols, int kind, MASK_PARAMETERS, global const float *x, int x_stride,
                               global float *y, int y_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  FOR_LINES((rows + MASK_ROWS - 1) / MASK_ROWS, PANELS(cols), panel, four) {
    int row = four * MASK_ROWS;
    uint_line words[MASK_ROWS];
    if (m.threshold != 0) mask_words(&m, row, panel, cols, words);
    for (int r = 0; r < min(MASK_ROWS, rows - row); r++) {
      line v = canonical(activation_value(kind, load_line(x, line_index(panel, x_stride, row + r))), FLOOR_VALUE);
      if (m.threshold != 0) v = mask_apply(&m, words[r], v);
      store_line(y, line_index(panel, y_stride, row + r), within(v, panel, cols));
    }
  }
}

kernel void activation_backward(int rows, int cols, int kind, MASK_PARAMETERS, global const float *x, int x_stride,
                                global const float *d_y, int d_y_stride, global float *d_x, int d_x_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  FOR_LINES((rows + MASK_ROWS - 1) / MASK_ROWS, PANELS(cols), panel, four) {
    int row = four * MASK_ROWS;
    uint_line words[MASK_ROWS];
    if (m.threshold != 0) mask_words(&m, row, panel, cols, words);
    for (int r = 0; r < min(MASK_ROWS, rows - row); r++) {
      line slope = activation_slope(kind, load_line(x, line_index(panel, x_stride, row + r)));
      line d = load_line(d_y, line_index(panel, d_y_stride, row + r));
      if (m.threshold != 0) d = mask_apply(&m, words[r], d);
      store_line(d_x, line_index(panel, d_x_stride, row + r), within(canonical(d * slope, FLOOR_GRADIENT), panel, cols));
    }
  }
}
