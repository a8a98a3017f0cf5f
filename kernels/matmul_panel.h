/* The products for CPU devices: one work-item computes blocks of some rows × some panels of 16 columns, in tiles of
 * TILE_ROWS rows × one panel that live in vector registers. One operand is read as lines, the other by elements, each
 * of which meets a whole line:
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
/* Of narrow blocks: apart, so that the loops of the others keep their registers. */
#define NARROW_FUNCTION static __attribute__((noinline))

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

/* Panels that a single row meets at once: as many sums as keep the multipliers busy. */
#define ROW_PANELS 4

/* feature_block for a block of one row. */
NARROW_FUNCTION void feature_row(const block *c, int depth, global const float *a, int a_stride, global const float *b,
                                 int b_stride, global float *total, int total_stride) {
  for (int panel = c->panel; panel < c->panel_end; panel += ROW_PANELS) {
    global const float *y[ROW_PANELS];
    line sum[ROW_PANELS], t[ROW_PANELS];
#pragma unroll
    for (int p = 0; p < ROW_PANELS; p++) y[p] = b + line_index(min(panel + p, c->panel_end - 1), b_stride, 0);
    for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
#pragma unroll
      for (int p = 0; p < ROW_PANELS; p++) sum[p] = (line)(0.0f);
      for (int k = begin; k < min(depth, begin + BLOCK_FEATURES); k++) {
        line element = (line)(a[element_index(a_stride, c->row, k)]);
#pragma unroll
        for (int p = 0; p < ROW_PANELS; p++) sum[p] = fma(element, load_line(y[p], (size_t)k * PANEL), sum[p]);
      }
#pragma unroll
      for (int p = 0; p < ROW_PANELS; p++) t[p] = begin != 0 ? t[p] + sum[p] : sum[p];
    }
#pragma unroll
    for (int p = 0; p < ROW_PANELS; p++)
      if (panel + p < c->panel_end) store_line(total, line_index(panel + p, total_stride, c->row), t[p]);
  }
}

/* total (the block) = Σ over k < depth, in the feature order; not canonical yet. a's rows are the block's rows, b's
 * panels its panels. The running totals stay in memory; for each BLOCK_FEATURES of k, one panel of b stays in the first
 * cache while it meets all rows, and a's rows stay in the second while all panels pass. */
TILE_FUNCTION void feature_block(const block *c, int depth, global const float *a, int a_stride, global const float *b,
                                 int b_stride, global float *total, int total_stride) {
  if (c->row_end - c->row == 1) {
    feature_row(c, depth, a, a_stride, b, b_stride, total, total_stride);
    return;
  }
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

/* feature_block where b has one column: a's lines are turned, 16 at a time, so that a line holds 16 rows of the result.
 */
NARROW_FUNCTION void feature_column(const block *c, int depth, global const float *a, int a_stride,
                                    global const float *b, global float *total) {
  for (int row = c->row; row < c->row_end; row += PANEL) {
    line t = (line)(0.0f);
    for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
      int end = min(depth, begin + BLOCK_FEATURES);
      line sum = (line)(0.0f);
      for (int k = begin; k < end; k += PANEL) {
        line rows[PANEL];
#pragma unroll
        for (int i = 0; i < PANEL; i++) rows[i] = load_line(a, line_index(k / PANEL, a_stride, row + i));
        transpose_lines(rows);
#pragma unroll
        for (int i = 0; i < PANEL; i++)
          if (k + i < end) sum = fma(rows[i], (line)(b[(size_t)(k + i) * PANEL]), sum);
      }
      t = begin != 0 ? t + sum : sum;
    }
    float values[PANEL];
    vstore16(t, 0, values);
    for (int i = 0; i < PANEL; i++) {
      line first = (line)(0.0f);
      first.s0 = values[i];
      store_line(total, line_index(0, 0, row + i), first);
    }
  }
}

/* sum[r] = Σ a[b][row + r] · d[b] over the batch's rows b in [begin, end), ascending. d: lines of one panel. Rows
 * behind `in` repeat the last one. */
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
