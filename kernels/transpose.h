/* Blocks of 16 rows × 16 columns, turned. */
#ifndef TRANSPOSE_H
#define TRANSPOSE_H

#include "panel.h"

/* The 16 lines from x on, of which `count` are there and the others 0. */
TILE_FUNCTION void load_turned(global const float *x, int count, line turned[PANEL]) {
#pragma unroll 1
  for (int i = 0; i < PANEL; i++) turned[i] = i < count ? load_line(x, (size_t)(i * PANEL)) : (line)(0.0f);
  transpose_lines(turned);
}

/* A block of x into xᵀ; both are panels, so block (i, j) of x is block (j, i) of xᵀ. */
OUTLINED_FUNCTION void transpose_block(global const float *x, int x_stride, int row_block, int panel, global float *y,
                                       int y_stride) {
  line block[PANEL];
  load_turned(x + line_index(panel, x_stride, row_block * PANEL), PANEL, block);
#pragma unroll 1
  for (int i = 0; i < PANEL; i++) store_line(y, line_index(row_block, y_stride, panel * PANEL + i), block[i]);
}

#endif
