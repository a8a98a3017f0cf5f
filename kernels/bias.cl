/* bias_forward: y = x + bias, after a sum is complete.       x, y (rows, cols); bias (1, cols)
 * bias_gradient: d_bias[j] = sum over the batch of d_y[b][j], in the batch's tree order (batch_sum.h).
 * Shares of lines, or of panels. */
#include "batch_sum.h"
#include "panel.h"

kernel void bias_forward(int rows, int cols, global const float *x, int x_stride, global const float *bias,
                         int bias_stride, global float *y, int y_stride) {
  FOR_LINES(rows, PANELS(cols), panel, row) {
    line sum = load_line(x, line_index(panel, x_stride, row)) + load_line(bias, line_index(panel, bias_stride, 0));
    store_line(y, line_index(panel, y_stride, row), canonical(sum, FLOOR_VALUE));
  }
}

kernel void bias_gradient(int rows, int cols, global const float *d_y, int d_y_stride, global float *d_bias,
                          int d_bias_stride) {
  FOR_LINES(1, PANELS(cols), panel, row) {
    line sum = batch_sum_of_column(d_y + line_index(panel, d_y_stride, row), rows);
    store_line(d_bias, line_index(panel, d_bias_stride, row), canonical(sum, FLOOR_GRADIENT));
  }
}
