/* The products for CPU devices: one work-item computes blocks of some rows × some panels of 16 columns, in tiles of
 * TILE_ROWS rows × one panel that live in vector registers. One operand is read as lines, the other by elements, each of which
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

/* A part of a result: rows [row, row_end), panels [panel, panel_end). */
typedef struct {
  int row, row_end, panel, panel_end;
} block;

/* total (the block) = Σ over k < depth, in the feature order; not canonical yet. a's rows are the block's rows, b's
 * panels its panels. The running totals stay in memory; for each BLOCK_FEATURES of k, one panel of b stays in the first
 * cache while it meets all rows, and a's rows stay in the second while all panels pass. */
TILE_FUNCTION void feature_block(const block *c, int depth, global const float *a, int a_stride, global const float *b,
                                 int b_stride, global float *total, int total_stride) {
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    int end = min(depth, begin + BLOCK_FEATURES);
    for (int panel = c->panel; panel < c->panel_end; panel++)
      for (int row = c->row; row < c->row_end; row += TILE_ROWS) {
        line sum[TILE_ROWS];
        feature_tile(a + (size_t)row * PANEL, a_stride, b + line_index(panel, b_stride, 0), begin, end, sum);
        global float *t = total + line_index(panel, total_stride, row);
#pragma unroll
        for (int r = 0; r < TILE_ROWS; r++) {
          if (begin != 0) sum[r] = load_line(t, (size_t)(r * PANEL)) + sum[r];
          store_line(t, (size_t)(r * PANEL), sum[r]);
        }
      }
  }
}

/* sum[r] = Σ a[b][row + r] · d[b] over the batch's rows b in [begin, end), ascending. d: lines of one panel. Rows behind
 * `in` repeat the last one. */
TILE_FUNCTION void batch_tile(int row, int in, int begin, int end, global const float *a, int a_stride,
                              global const float *d, line sum[TILE_ROWS]) {
  const size_t next_panel = line_index(1, a_stride, 0) - (PANEL - 1);
  global const float *x[TILE_ROWS];
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++) {
    x[r] = r == 0 ? a + element_index(a_stride, 0, row)
                  : x[r - 1] + (row + r >= in ? 0 : (row + r) % PANEL == 0 ? next_panel : 1);
    sum[r] = (line)(0.0f);
  }
#pragma unroll 2
  for (size_t b = (size_t)begin * PANEL; b < (size_t)end * PANEL; b += PANEL) {
    line column = load_line(d, b);
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) sum[r] = fma((line)(x[r][b]), column, sum[r]);
  }
}

#endif
