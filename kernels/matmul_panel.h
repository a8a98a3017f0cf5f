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

/* Transposes the quads of four lines: element j of line i's quad becomes element i of line j's. */
TILE_FUNCTION void transpose_quads(line b[4]) {
  const line p = b[0], q = b[1], r = b[2], s = b[3];
  const long8 t =
      as_long8((line)(p.s0, q.s0, p.s1, q.s1, p.s4, q.s4, p.s5, q.s5, p.s8, q.s8, p.s9, q.s9, p.sc, q.sc, p.sd, q.sd));
  const long8 u =
      as_long8((line)(r.s0, s.s0, r.s1, s.s1, r.s4, s.s4, r.s5, s.s5, r.s8, s.s8, r.s9, s.s9, r.sc, s.sc, r.sd, s.sd));
  const long8 v =
      as_long8((line)(p.s2, q.s2, p.s3, q.s3, p.s6, q.s6, p.s7, q.s7, p.sa, q.sa, p.sb, q.sb, p.se, q.se, p.sf, q.sf));
  const long8 w =
      as_long8((line)(r.s2, s.s2, r.s3, s.s3, r.s6, s.s6, r.s7, s.s7, r.sa, s.sa, r.sb, s.sb, r.se, s.se, r.sf, s.sf));
  b[0] = as_float16((long8)(t.s0, u.s0, t.s2, u.s2, t.s4, u.s4, t.s6, u.s6));
  b[1] = as_float16((long8)(t.s1, u.s1, t.s3, u.s3, t.s5, u.s5, t.s7, u.s7));
  b[2] = as_float16((long8)(v.s0, w.s0, v.s2, w.s2, v.s4, w.s4, v.s6, w.s6));
  b[3] = as_float16((long8)(v.s1, w.s1, v.s3, w.s3, v.s5, w.s5, v.s7, w.s7));
}

/* Panels of rows that meet a column together, so that their lines are read in long pieces. */
#define COLUMN_PANELS 16

/* sum.j += Σ a[j][k] · b[k] over k < count: the 16 lines of a meet the column b. Four elements of each are turned at a
 * time, by what never leaves a quad of the vectors. */
TILE_FUNCTION void column_tile(global const float *a, global const float *b, int count, line *sum) {
  line s = *sum;
  int k = 0;
#pragma unroll 1
  for (; k + 4 <= count; k += 4) {
    line x[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      global const float *at = a + i * PANEL + k;
      x[i] = (line)(*(global const float4 *)at, *(global const float4 *)(at + 4 * PANEL),
                    *(global const float4 *)(at + 8 * PANEL), *(global const float4 *)(at + 12 * PANEL));
    }
    transpose_quads(x);
#pragma unroll
    for (int i = 0; i < 4; i++) s = fma(x[i], (line)(b[k + i]), s);
  }
#pragma unroll 1
  for (; k < count; k++) {
    float x[PANEL];
    for (int j = 0; j < PANEL; j++) x[j] = a[j * PANEL + k];
    s = fma(vload16(0, x), (line)(b[k]), s);
  }
  *sum = s;
}

/* total[i].j = Σ a[row + 16 i + j][k] · b[k] over k < depth, in the feature order. */
TILE_FUNCTION void feature_column(int row, int panels, int depth, global const float *a, int a_stride,
                                  global const float *b, int b_stride, line total[COLUMN_PANELS]) {
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    const int end = min(depth, begin + BLOCK_FEATURES);
    line sum[COLUMN_PANELS];
#pragma unroll 1
    for (int i = 0; i < panels; i++) sum[i] = (line)(0.0f);
    for (int k = begin; k < end; k += PANEL)
#pragma unroll 1
      for (int i = 0; i < panels; i++)
        column_tile(a + line_index(k / PANEL, a_stride, row + i * PANEL), b + line_index(k / PANEL, b_stride, 0),
                    min(PANEL, end - k), &sum[i]);
#pragma unroll 1
    for (int i = 0; i < panels; i++) total[i] = begin != 0 ? total[i] + sum[i] : sum[i];
  }
}

#endif
