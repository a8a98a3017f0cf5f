/* The products for CPU devices: one work-item computes blocks of some rows × some panels of 16 columns, in tiles of
 * TILE_ROWS rows × TILE_PANELS panels that live in vector registers. One operand is read as lines, the other by
 * elements, each of which meets a whole line of each panel:
 *
 *        elements                    lines                 tile
 *   row r | … a[r][k] … |  ×  k | b[k][0 … 15] |  →  r | sum[r][0 … 15] |     all sums stay in registers
 *
 * Panels that do not fill a tile go one by one. No local memory, no barriers. Tiles may run over the last row: tensors
 * have 16 rows of padding. */
#ifndef MATMUL_PANEL_H
#define MATMUL_PANEL_H

#include "batch_sum.h"
#include "panel.h"

#ifndef TILE_ROWS
#define TILE_ROWS 6
#endif
#ifndef TILE_PANELS
#define TILE_PANELS 1
#endif
/* A multiple of TILE_ROWS and of 16. */
#ifndef UNIT_ROWS
#define UNIT_ROWS 48
#endif

/* The tiles, as feature_tile_wide and batch_tile_wide; and as …_single, one panel wide. */
#define WIDTH TILE_PANELS
#define TILE(name) name##_wide
#include "matmul_panel_body.h"
#undef WIDTH
#undef TILE
#define WIDTH 1
#define TILE(name) name##_single
#include "matmul_panel_body.h"
#undef WIDTH
#undef TILE

/* A part of a result: rows [row, row_end), panels [panel, panel_end). */
typedef struct {
  int row, row_end, panel, panel_end;
} block;

/* How many panels of the block the next tile takes: all that it can hold, or one. */
TILE_FUNCTION int panels_of_tile(int panel, const block *c) {
  return c->panel_end - panel < TILE_PANELS ? 1 : TILE_PANELS;
}

/* sum[p] = Σ a[k] · b[p][k] over k in [begin, end), for ROW_PANELS panels of b; those behind `panels` repeat the last.
 * a's element k is at k / PANEL · panel_step + k % PANEL · step. */
OUTLINED_FUNCTION void row_tile(global const float *a, size_t panel_step, size_t step, global const float *b,
                                int b_stride, int panels, int begin, int end, line sum[ROW_PANELS]) {
  global const float *y[ROW_PANELS];
  line s[ROW_PANELS];
#pragma unroll
  for (int p = 0; p < ROW_PANELS; p++) {
    y[p] = b + line_index(min(p, panels - 1), b_stride, 0);
    s[p] = (line)(0.0f);
  }
  for (int k = begin; k < end; k += PANEL) {
    global const float *x = a + (size_t)(k / PANEL) * panel_step;
#pragma unroll 1
    for (size_t i = k; i < (size_t)min(end, k + PANEL); i++, x += step)
#pragma unroll
      for (int p = 0; p < ROW_PANELS; p++) s[p] = fma((line)(*x), load_line(y[p], i * PANEL), s[p]);
  }
#pragma unroll
  for (int p = 0; p < ROW_PANELS; p++) sum[p] = s[p];
}

/* feature_block for a block of one row. */
OUTLINED_FUNCTION void feature_row(const block *c, int depth, global const float *a, int a_stride,
                                   global const float *b, int b_stride, global float *total, int total_stride) {
  for (int panel = c->panel; panel < c->panel_end; panel += ROW_PANELS) {
    const int panels = min(ROW_PANELS, c->panel_end - panel);
    for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
      line sum[ROW_PANELS];
      row_tile(a + (size_t)c->row * PANEL, line_index(1, a_stride, 0), 1, b + line_index(panel, b_stride, 0), b_stride,
               panels, begin, min(depth, begin + BLOCK_FEATURES), sum);
#pragma unroll 1
      for (int p = 0; p < panels; p++) {
        size_t at = line_index(panel + p, total_stride, c->row);
        store_line(total, at, begin != 0 ? load_line(total, at) + sum[p] : sum[p]);
      }
    }
  }
}

/* total (the block) = Σ over k < depth, in the feature order; not canonical yet. a's rows are the block's rows, b's
 * panels its panels. The running totals stay in memory; for each BLOCK_FEATURES of k, a tile's panels of b stay in the
 * first cache while they meet all rows, and a's rows stay in the second while all panels pass. */
OUTLINED_FUNCTION void feature_block(const block *c, int depth, global const float *a, int a_stride,
                                     global const float *b, int b_stride, global float *total, int total_stride) {
  if (c->row_end - c->row == 1) {
    feature_row(c, depth, a, a_stride, b, b_stride, total, total_stride);
    return;
  }
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    int end = min(depth, begin + BLOCK_FEATURES);
    for (int panel = c->panel, panels; panel < c->panel_end; panel += panels) {
      panels = panels_of_tile(panel, c);
      for (int row = c->row; row < c->row_end; row += TILE_ROWS) {
        global const float *x = a + (size_t)row * PANEL, *y = b + line_index(panel, b_stride, 0);
        global float *t = total + line_index(panel, total_stride, row);
        if (panels == TILE_PANELS)
          feature_tile_wide(x, a_stride, y, b_stride, begin, end, t, total_stride);
        else
          feature_tile_single(x, a_stride, y, b_stride, begin, end, t, total_stride);
      }
    }
  }
}

/* Transposes four vectors. */
TILE_FUNCTION void transpose_4(float4 b[4]) {
  float4 p = b[0], q = b[1], r = b[2], s = b[3];
  float4 t = (float4)(p.x, q.x, p.y, q.y), u = (float4)(r.x, s.x, r.y, s.y);
  float4 v = (float4)(p.z, q.z, p.w, q.w), w = (float4)(r.z, s.z, r.w, s.w);
  b[0] = (float4)(t.xy, u.xy);
  b[1] = (float4)(t.zw, u.zw);
  b[2] = (float4)(v.xy, w.xy);
  b[3] = (float4)(v.zw, w.zw);
}

/* sum[q].j += Σ a[4 q + j][k] · b[k] over k < count: 16 lines of a meet the column b. They are turned by four elements
 * of four lines, so that a vector holds four results: what compilers keep in 16 registers. */
TILE_FUNCTION void column_tile(global const float *a, global const float *b, int count, float4 sum[4]) {
  int k = 0;
#pragma unroll 1
  for (; k + 4 <= count; k += 4)
#pragma unroll
    for (int q = 0; q < 4; q++) {
      float4 x[4];
#pragma unroll
      for (int i = 0; i < 4; i++) x[i] = *(global const float4 *)(a + (size_t)((4 * q + i) * PANEL + k));
      transpose_4(x);
#pragma unroll
      for (int i = 0; i < 4; i++) sum[q] = fma(x[i], (float4)(b[(k + i) * PANEL]), sum[q]);
    }
#pragma unroll 1
  for (; k < count; k++)
#pragma unroll
    for (int q = 0; q < 4; q++) {
      global const float *x = a + (size_t)(4 * q * PANEL + k);
      sum[q] = fma((float4)(x[0], x[PANEL], x[2 * PANEL], x[3 * PANEL]), (float4)(b[k * PANEL]), sum[q]);
    }
}

/* total[j] = Σ a[row + j][k] · b[k] over k < depth, in the feature order, for `count` times 16 rows j: what lies
 * together in memory is read together. */
TILE_FUNCTION void feature_column(int row, int count, int depth, global const float *a, int a_stride,
                                  global const float *b, float4 total[][4]) {
  float4 sum[UNIT_ROWS / PANEL][4];
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    int end = min(depth, begin + BLOCK_FEATURES);
#pragma unroll 1
    for (int i = 0; i < count; i++)
      for (int q = 0; q < 4; q++) sum[i][q] = (float4)(0.0f);
    for (int k = begin; k < end; k += PANEL)
#pragma unroll 1
      for (int i = 0; i < count; i++)
        column_tile(a + line_index(k / PANEL, a_stride, row + i * PANEL), b + (size_t)k * PANEL, min(PANEL, end - k),
                    sum[i]);
#pragma unroll 1
    for (int i = 0; i < count; i++)
      for (int q = 0; q < 4; q++) total[i][q] = begin != 0 ? total[i][q] + sum[i][q] : sum[i][q];
  }
}

#endif
