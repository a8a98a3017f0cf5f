/* The products for CPU devices: one work-item computes units of UNIT_ROWS rows × one panel of 16 columns, in tiles of
 * TILE_ROWS rows that live in vector registers. One operand is read as lines, the other by elements, each of which
 * meets a whole line:
 *
 *        elements                    lines                 tile
 *   row r | … a[r][k] … |  ×  k | b[k][0 … 15] |  →  r | sum[r][0 … 15] |     TILE_ROWS sums stay in registers
 *
 * No local memory, no barriers. Tiles may run over the last row: tensors have 16 rows of padding. */
#ifndef MATMUL_PANEL_H
#define MATMUL_PANEL_H

#include "batch_sum.h"
#include "feature_sum.h"
#include "panel.h"

#ifndef TILE_ROWS
#define TILE_ROWS 6
#endif
/* A multiple of TILE_ROWS and of 16. */
#ifndef UNIT_ROWS
#define UNIT_ROWS 48
#endif

#define TILE_FUNCTION static inline __attribute__((always_inline))

/* sum[r] = Σ a[r][k] · b[k] over k in [begin, end), a's lines holding elements of successive k; begin is a multiple
 * of 16. */
TILE_FUNCTION void feature_tile(global const float *a, int a_stride, global const float *b, int begin, int end,
                                line sum[TILE_ROWS]) {
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++) sum[r] = (line)(0.0f);
  global const float *x = a + line_index(begin / PANEL, a_stride, 0);
  global const float *y = b + (size_t)begin * PANEL;
  int k = begin;
  for (; k + PANEL <= end; k += PANEL, x += (size_t)a_stride * PANEL, y += PANEL * PANEL) {
#pragma unroll 4
    for (int i = 0; i < PANEL; i++) {
      line column = load_line(y, (size_t)(i * PANEL));
#pragma unroll
      for (int r = 0; r < TILE_ROWS; r++) sum[r] = fma((line)(x[r * PANEL + i]), column, sum[r]);
    }
  }
#pragma unroll 1
  for (int i = 0; i < end - k; i++) {
    line column = load_line(y, (size_t)(i * PANEL));
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) sum[r] = fma((line)(x[r * PANEL + i]), column, sum[r]);
  }
}

/* total (rows [row, row_end), the panel that b's lines are) = Σ over k < depth, in the feature order; not canonical
 * yet. The running totals stay in memory, so that a block of b's lines is used by all rows of the unit while it is in
 * cache. */
TILE_FUNCTION void feature_unit(int row, int row_end, int depth, global const float *a, int a_stride,
                                global const float *b, global float *total) {
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    int end = min(depth, begin + BLOCK_FEATURES);
    for (int r0 = row; r0 < row_end; r0 += TILE_ROWS) {
      line sum[TILE_ROWS];
      feature_tile(a + (size_t)r0 * PANEL, a_stride, b, begin, end, sum);
      global float *t = total + (size_t)r0 * PANEL;
      if (begin == 0) {
#pragma unroll
        for (int r = 0; r < TILE_ROWS; r++) store_line(t, (size_t)(r * PANEL), sum[r]);
      } else {
#pragma unroll
        for (int r = 0; r < TILE_ROWS; r++)
          store_line(t, (size_t)(r * PANEL), load_line(t, (size_t)(r * PANEL)) + sum[r]);
      }
    }
  }
}

/* sum[r] = Σ a[b][row + r] · d[b] over the batch, in the tree order. d: lines of one panel. Rows behind `in` repeat the
 * last one. */
TILE_FUNCTION void batch_tile(int row, int in, int rows, global const float *a, int a_stride, global const float *d,
                              line sum[TILE_ROWS]) {
  line pending[TREE_LEVELS][TILE_ROWS];
  global const float *x[TILE_ROWS];
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++) x[r] = a + element_index(a_stride, 0, min(row + r, in - 1));
  int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS;
  for (int leaf = 0; leaf < leaves; leaf++) {
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) sum[r] = (line)(0.0f);
    size_t end = (size_t)min(rows, (leaf + 1) * LEAF_ROWS) * PANEL;
#pragma unroll 2
    for (size_t b = (size_t)(leaf * LEAF_ROWS) * PANEL; b < end; b += PANEL) {
      line column = load_line(d, b);
#pragma unroll
      for (int r = 0; r < TILE_ROWS; r++) sum[r] = fma((line)(x[r][b]), column, sum[r]);
    }
    if (leaves > 1) TREE_ADD(pending, TILE_ROWS, leaf, sum);
  }
  if (leaves > 1) TREE_TOTAL(pending, TILE_ROWS, leaves, sum);
}

#endif
