/* relu_forward: y = !(x <= 0) ? x : 0, so that NaN goes through.
 * relu_backward: d_x = y > 0 ? d_y · scale : 0, where y is what the layer stored: its sign holds the derivative and,
 * after dropout, the mask, whose scale is `scale` (1 without). All (rows, cols); shares of lines. */
#include "panel.h"
#include "relu.h"

kernel void relu_forward(int rows, int cols, global const float *x, int x_stride, global float *y, int y_stride) {
  FOR_LINES(rows, PANELS(cols), panel, row) {
    line v = relu(load_line(x, line_index(panel, x_stride, row)));
    store_line(y, line_index(panel, y_stride, row), canonical(v, FLOOR_VALUE));
  }
}

kernel void relu_backward(int rows, int cols, float scale, global const float *y, int y_stride, global const float *d_y,
                          int d_y_stride, global float *d_x, int d_x_stride) {
  FOR_LINES(rows, PANELS(cols), panel, row) {
    line v = relu_derivative(load_line(y, line_index(panel, y_stride, row)),
                             load_line(d_y, line_index(panel, d_y_stride, row)), scale);
    store_line(d_x, line_index(panel, d_x_stride, row), v);
  }
}
