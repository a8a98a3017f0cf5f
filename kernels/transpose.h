/* 16 rows × 16 columns of x into xᵀ; both are panels, so block (i, j) of x is block (j, i) of xᵀ. */
#ifndef TRANSPOSE_H
#define TRANSPOSE_H

#include "panel.h"

OUTLINED_FUNCTION void transpose_block(global const float *x, int x_stride, int row_block, int panel, global float *y,
                                       int y_stride) {
  line block[PANEL];
#pragma unroll 1
  for (int i = 0; i < PANEL; i++) block[i] = load_line(x, line_index(panel, x_stride, row_block * PANEL + i));
  transpose_lines(block);
#pragma unroll 1
  for (int i = 0; i < PANEL; i++) store_line(y, line_index(row_block, y_stride, panel * PANEL + i), block[i]);
}

#endif
