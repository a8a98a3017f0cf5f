/* transpose: y (cols, rows) = xᵀ, shares of blocks of 16 × 16. */
#include "transpose.h"

kernel void transpose(int rows, int cols, global const float *x, int x_stride, global float *y, int y_stride) {
  FOR_LINES((rows + PANEL - 1) / PANEL, PANELS(cols), panel, row_block)
  transpose_block(x, x_stride, row_block, panel, y, y_stride);
}
