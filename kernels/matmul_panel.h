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

#include "find_terms.h"

/* Panels that a row meets at once, where it takes listed terms. */
#define LISTED_PANELS (4 * TILE_PANELS)

/* The tiles, as feature_tile_wide, batch_tile_wide and row_sums_wide; and as …_single, one panel wide, or four. */
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

/* How many of the panels that are left the next row_sums takes: as many as it can, or four. */
TILE_FUNCTION int panels_of_rows(int left) {
  return left >= LISTED_PANELS ? LISTED_PANELS : min(4, left);
}

TILE_FUNCTION void row_sums(int rows, int all, global const terms *found, global const float *a, size_t row_step,
                            size_t panel_step, size_t step, global const float *b, int b_stride, int panels,
                            line *sum) {
  if (panels == LISTED_PANELS)
    row_sums_wide(rows, all, found, a, row_step, panel_step, step, b, b_stride, LISTED_PANELS, sum);
  else
    row_sums_single(rows, all, found, a, row_step, panel_step, step, b, b_stride, panels, sum);
}

/* The features [begin, end) of feature_block by each row's listed terms. */
OUTLINED_FUNCTION void feature_rows(const block *c, int begin, int end, global const float *a, int a_stride,
                                    global const float *b, int b_stride, global const terms *found, global float *total,
                                    int total_stride) {
  for (int panel = c->panel, panels; panel < c->panel_end; panel += panels) {
    panels = panels_of_rows(c->panel_end - panel);
    for (int row = c->row; row < c->row_end; row += PANEL) {
      const int rows = min(PANEL, c->row_end - row);
      line sum[PANEL * LISTED_PANELS];
      row_sums(rows, end - begin, found + (row - c->row), a + line_index(begin / PANEL, a_stride, row), PANEL,
               line_index(1, a_stride, 0), 1, b + line_index(panel, b_stride, begin), b_stride, panels, sum);
      for (int p = 0; p < panels; p++)
        for (int r = 0; r < rows; r++) {
          const size_t at = line_index(panel + p, total_stride, row + r);
          store_line(total, at,
                     begin != 0 ? load_line(total, at) + sum[r * LISTED_PANELS + p] : sum[r * LISTED_PANELS + p]);
        }
    }
  }
}

/* The features [begin, end) of feature_block by tiles. */
OUTLINED_FUNCTION void feature_tiles(const block *c, int begin, int end, global const float *a, int a_stride,
                                     global const float *b, int b_stride, global const terms *found,
                                     global float *total, int total_stride) {
  for (int panel = c->panel, panels; panel < c->panel_end; panel += panels) {
    panels = panels_of_tile(panel, c);
    global const terms *of_tile = found;
    for (int row = c->row; row < c->row_end; row += TILE_ROWS, of_tile += found != 0) {
      global const float *x = a + (size_t)row * PANEL, *y = b + line_index(panel, b_stride, 0);
      global float *t = total + line_index(panel, total_stride, row);
      if (panels == TILE_PANELS)
        feature_tile_wide(x, a_stride, y, b_stride, begin, end, of_tile, t, total_stride);
      else
        feature_tile_single(x, a_stride, y, b_stride, begin, end, of_tile, t, total_stride);
    }
  }
}

/* total (the block) = Σ over k < depth, in the feature order; not canonical yet. a's rows are the block's rows, b's
 * panels its panels. The running totals stay in memory; for each BLOCK_FEATURES of k, a tile's panels of b stay in the
 * first cache while they meet all rows, and a's rows stay in the second while all panels pass. `found`: the terms that
 * count, as find_features_of_tiles or _of_rows leaves them. */
OUTLINED_FUNCTION void feature_block(const block *c, int depth, global const float *a, int a_stride,
                                     global const float *b, int b_stride, int listed, global const terms *found,
                                     global float *total, int total_stride) {
  const int height = c->row_end - c->row;
  if (height == 1) {
    feature_row(c, depth, a, a_stride, b, b_stride, total, total_stride);
    return;
  }
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    const int end = min(depth, begin + BLOCK_FEATURES);
    if (listed == TERMS_OF_ROWS && found->count != TERMS_ALL)
      feature_rows(c, begin, end, a, a_stride, b, b_stride, found, total, total_stride);
    else
      feature_tiles(c, begin, end, a, a_stride, b, b_stride, listed == TERMS_OF_TILES ? found : 0, total, total_stride);
    found += listed == TERMS_OF_TILES ? TILES(height) : height;
  }
}

/* Transposes four quads, and the four beside them. */
TILE_FUNCTION void transpose_quads(float8 b[4]) {
  float8 p = b[0], q = b[1], r = b[2], s = b[3];
  float8 t = (float8)(p.s0, q.s0, p.s1, q.s1, p.s4, q.s4, p.s5, q.s5);
  float8 u = (float8)(r.s0, s.s0, r.s1, s.s1, r.s4, s.s4, r.s5, s.s5);
  float8 v = (float8)(p.s2, q.s2, p.s3, q.s3, p.s6, q.s6, p.s7, q.s7);
  float8 w = (float8)(r.s2, s.s2, r.s3, s.s3, r.s6, s.s6, r.s7, s.s7);
  b[0] = (float8)(t.s01, u.s01, t.s45, u.s45);
  b[1] = (float8)(t.s23, u.s23, t.s67, u.s67);
  b[2] = (float8)(v.s01, w.s01, v.s45, w.s45);
  b[3] = (float8)(v.s23, w.s23, v.s67, w.s67);
}

/* Panels of rows that meet a column together: as many sums as hide how long each waits for its last term. */
#define COLUMN_PANELS 3

/* sum[e].j += Σ a[e / 2][8 (e % 2) + j][k] · b[k] over k < count: the lines of a meet the column b. Four elements of
 * eight lines are turned at a time, by what never crosses a vector's halves, so that a vector holds eight results. */
TILE_FUNCTION void column_tile(global const float *const a[COLUMN_PANELS], global const float *b, int count,
                               float8 sum[2 * COLUMN_PANELS]) {
  int k = 0;
#pragma unroll 1
  for (; k + 4 <= count; k += 4)
#pragma unroll
    for (int e = 0; e < 2 * COLUMN_PANELS; e++) {
      float8 x[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        global const float *at = a[e / 2] + (e % 2 * 8 + i) * PANEL + k;
        x[i] = (float8)(*(global const float4 *)at, *(global const float4 *)(at + 4 * PANEL));
      }
      transpose_quads(x);
#pragma unroll
      for (int i = 0; i < 4; i++) sum[e] = fma(x[i], (float8)(b[k + i]), sum[e]);
    }
#pragma unroll 1
  for (; k < count; k++)
#pragma unroll
    for (int e = 0; e < 2 * COLUMN_PANELS; e++) {
      global const float *x = a[e / 2] + e % 2 * 8 * PANEL + k;
      sum[e] = fma(
          (float8)(x[0], x[PANEL], x[2 * PANEL], x[3 * PANEL], x[4 * PANEL], x[5 * PANEL], x[6 * PANEL], x[7 * PANEL]),
          (float8)(b[k]), sum[e]);
    }
}

/* total[j] = Σ a[row + j][k] · b[k] over k < depth, in the feature order, for `panels` times 16 rows j; those behind
 * repeat the last. */
TILE_FUNCTION void feature_column(int row, int panels, int depth, global const float *a, int a_stride,
                                  global const float *b, int b_stride, float8 total[2 * COLUMN_PANELS]) {
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    int end = min(depth, begin + BLOCK_FEATURES);
    float8 sum[2 * COLUMN_PANELS];
#pragma unroll
    for (int e = 0; e < 2 * COLUMN_PANELS; e++) sum[e] = (float8)(0.0f);
    for (int k = begin; k < end; k += PANEL) {
      global const float *lines[COLUMN_PANELS];
#pragma unroll
      for (int i = 0; i < COLUMN_PANELS; i++)
        lines[i] = a + line_index(k / PANEL, a_stride, row + min(i, panels - 1) * PANEL);
      column_tile(lines, b + line_index(k / PANEL, b_stride, 0), min(PANEL, end - k), sum);
    }
#pragma unroll
    for (int e = 0; e < 2 * COLUMN_PANELS; e++) total[e] = begin != 0 ? total[e] + sum[e] : sum[e];
  }
}

#endif
