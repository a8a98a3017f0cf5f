/* activation_forward: y = dropout(f(x)); activation_backward: d_x = dropout(d_y) · f'(x), with the same mask. `kind` is
 * an mlp_cl_activation. All (rows, cols); y may be x, d_x may be d_y. Shares of four rows of a panel. */
#include "activation_lines.h"

kernel void activation_forward(int rows, int cols, int kind, MASK_PARAMETERS, global const float *x, int x_stride,
                               global float *y, int y_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  FOR_LINES((rows + MASK_ROWS - 1) / MASK_ROWS, PANELS(cols), panel, four) {
    const int row = four * MASK_ROWS;
    activation_forward_lines(kind, &m, row, min(MASK_ROWS, rows - row), panel, cols, x, x_stride, y, y_stride);
  }
}

kernel void activation_backward(int rows, int cols, int kind, MASK_PARAMETERS, global const float *x, int x_stride,
                                global const float *d_y, int d_y_stride, global float *d_x, int d_x_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  FOR_LINES((rows + MASK_ROWS - 1) / MASK_ROWS, PANELS(cols), panel, four) {
    const int row = four * MASK_ROWS;
    activation_backward_lines(kind, &m, row, min(MASK_ROWS, rows - row), panel, cols, x, x_stride, d_y, d_y_stride, d_x,
                              d_x_stride);
  }
}
