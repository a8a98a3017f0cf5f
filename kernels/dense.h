/* The three fused products of a dense layer for CPU devices, a block at a time: matmul_panel.cl launches them one
 * kernel a product, train_steps.cl runs whole steps of them. */
#ifndef DENSE_H
#define DENSE_H

#include "dropout.h"
#include "matmul_panel.h"
#include "relu.h"
#include "transpose.h"
#include "update.h"

/* Units of work: unit_rows rows × the panels of a tile, which run fastest, so that a share of units is a block that is
 * wide rather than high. */
#define HEIGHTS(rows, unit_rows) (((rows) + (unit_rows)-1) / (unit_rows))
#define WIDTHS(panels) (((panels) + TILE_PANELS - 1) / TILE_PANELS)

/* Of a result (rows, panels) the block whose rows and panels `units` counts in those of a unit. */
TILE_FUNCTION block block_of_units(block units, int unit_rows, int rows, int panels) {
  return (block){units.row * unit_rows, min(rows, units.row_end * unit_rows), units.panel * TILE_PANELS,
                 min(panels, units.panel_end * TILE_PANELS)};
}

/* The block of y = dropout(relu(x · weight + bias)). x (rows, in), weight (in, out), y (rows, out). Blocks have any
 * number of rows that is a multiple of TILE_ROWS and of MASK_ROWS. `listed`, `found`: as in feature_block. */
OUTLINED_FUNCTION void dense_forward_block(const block *c, int in, int out, global const float *x, int x_stride,
                                           global const float *weight, int weight_stride, bool with_bias,
                                           global const float *bias, int bias_stride, bool with_relu, const mask *m,
                                           int listed, global const terms *found, global float *y, int y_stride) {
  feature_block(c, in, x, x_stride, weight, weight_stride, listed, found, y, y_stride);
  for (int panel = c->panel; panel < c->panel_end; panel++) {
    global float *column = y + line_index(panel, y_stride, 0);
    line b = with_bias ? load_line(bias, line_index(panel, bias_stride, 0)) : (line)(0.0f);
    for (int row = c->row; row < c->row_end; row += MASK_ROWS) {
      uint_line words[MASK_ROWS];
      if (m->threshold != 0) mask_words(m, row, panel, out, words);
#pragma unroll
      for (int r = 0; r < MASK_ROWS; r++) {
        line v = canonical(load_line(column, (size_t)(row + r) * PANEL), FLOOR_VALUE);
        if (with_bias) v = canonical(v + b, FLOOR_VALUE);
        if (with_relu) v = relu(v);
        if (m->threshold != 0) v = mask_apply(m, words[r], v);
        store_line(column, (size_t)(row + r) * PANEL, v);
      }
    }
  }
}

/* The gradient of a layer's input from that of its output: d_x = y > 0 ? (d_y · weightᵀ) · scale : 0, or without y the
 * product. weight (in, out); d_y (rows, out); y and d_x (rows, in). d_y_t (out, rows) and d_x_t (in, rows) are
 * transposes: where FROM_TRANSPOSE, d_y's is read and d_x's written; elsewhere d_x's is written if it is kept. */
typedef struct {
  int rows, in, out;
  global const float *d_y;
  int d_y_stride;
  global const float *d_y_t;
  int d_y_t_stride;
  global const float *weight;
  int weight_stride;
  bool with_y;
  global const float *y;
  int y_stride;
  float scale;
  global float *d_x;
  int d_x_stride;
  global float *d_x_t;
  int d_x_t_stride;
  bool keep_transpose;
} input_gradient;

/* What becomes of the sums of a panel of inputs in a row of the batch. */
TILE_FUNCTION void inputs_take(const input_gradient *g, int panel, int row, line sum) {
  line v = canonical(sum, FLOOR_GRADIENT);
  if (g->with_y) v = relu_derivative(load_line(g->y, line_index(panel, g->y_stride, row)), v, g->scale);
  store_line(g->d_x, line_index(panel, g->d_x_stride, row), v);
}

/* The transpose of a panel of inputs in 16 rows of the batch, if it is kept. */
TILE_FUNCTION void inputs_keep(const input_gradient *g, int panel, int across) {
  if (g->keep_transpose) transpose_block(g->d_x, g->d_x_stride, across, panel, g->d_x_t, g->d_x_t_stride);
}

/* dense_backward_input_block for a batch of one row: lines of weights meet it as a column. */
OUTLINED_FUNCTION void dense_backward_input_row(const block *c, const input_gradient *g) {
  for (int row = c->row; row < c->row_end; row += COLUMN_PANELS * PANEL) {
    const int panels = min(COLUMN_PANELS, PANELS(c->row_end - row));
    line total[COLUMN_PANELS];
    feature_column(row, panels, g->out, g->weight, g->weight_stride, g->d_y, g->d_y_stride, total);
#pragma unroll 1
    for (int i = 0; i < panels; i++) {
      const int panel = row / PANEL + i;
      inputs_take(g, panel, 0, line_columns(panel) < g->in ? total[i] : (line)(0.0f));
    }
  }
}

/* dense_backward_input_block for outputs of one panel: the weights are turned, so that their lines hold inputs, and
 * d_y's elements meet them. */
OUTLINED_FUNCTION void dense_backward_input_few(const block *c, const input_gradient *g) {
  enum { ROWS_TOGETHER = TILE_ROWS >= 8 ? 8 : 4 }; /* sums that registers hold */
  const int row_end = min(g->rows, c->panel_end * PANEL);
  for (int panel = c->row / PANEL; panel < PANELS(c->row_end); panel++) {
    line weights[PANEL];
    load_turned(g->weight + line_index(0, 0, panel * PANEL), g->in - panel * PANEL, weights);
    for (int row = c->panel * PANEL; row < row_end; row += ROWS_TOGETHER) {
      global const float *d_y = g->d_y + line_index(0, 0, row);
      line sum[ROWS_TOGETHER];
#pragma unroll
      for (int r = 0; r < ROWS_TOGETHER; r++) sum[r] = (line)(0.0f);
#pragma unroll 1
      for (int o = 0; o < g->out; o++)
#pragma unroll
        for (int r = 0; r < ROWS_TOGETHER; r++) sum[r] = fma((line)(d_y[r * PANEL + o]), weights[o], sum[r]);
#pragma unroll
      for (int r = 0; r < ROWS_TOGETHER; r++) inputs_take(g, panel, row + r, sum[r]);
    }
    for (int across = c->panel; across < c->panel_end; across++) inputs_keep(g, panel, across);
  }
}

/* The gradient of the block's inputs, its rows, in 16 rows of the batch for each of its panels; where FROM_TRANSPOSE,
 * computed as its transpose. */
OUTLINED_FUNCTION void dense_backward_input_block(const block *c, const input_gradient *g) {
  if (g->rows == 1) {
    dense_backward_input_row(c, g);
    return;
  }
  if (!FROM_TRANSPOSE(g->rows, g->out)) {
    dense_backward_input_few(c, g);
    return;
  }
  feature_block(c, g->out, g->weight, g->weight_stride, g->d_y_t, g->d_y_t_stride, TERMS_NOT_LISTED, 0, g->d_x_t,
                g->d_x_t_stride);
  for (int across = c->panel; across < c->panel_end; across++)
    for (int row = c->row; row < c->row_end; row += PANEL) {
      line sums[PANEL];
      load_turned(g->d_x_t + line_index(across, g->d_x_t_stride, row), g->in - row, sums);
#pragma unroll 1
      for (int i = 0; i < PANEL; i++) inputs_take(g, row / PANEL, across * PANEL + i, sums[i]);
      inputs_keep(g, row / PANEL, across);
    }
}

/* What becomes of the sums of `count` neighbouring rows of weights from index `at` on, at most 16 of them. */
TILE_FUNCTION void weights_take(int count, line *sum, bool store, const update_rule *rule, const parameters *weight,
                                size_t at, uint_line *largest) {
  if (!store) {
    update_lines(rule, count, sum, weight, at, largest);
    return;
  }
#pragma unroll 1
  for (int i = 0; i < count; i++)
    store_line(weight->value, at + (size_t)(i * PANEL), canonical(sum[i], FLOOR_GRADIENT));
}

/* dense_backward_weight_block for the weights of a block of one row, several panels at a time. */
OUTLINED_FUNCTION void dense_backward_weight_row(const block *c, int rows, global const float *x, int x_stride,
                                                 global const float *d_y, int d_y_stride, bool store,
                                                 const update_rule *rule, const parameters *weight,
                                                 uint_line *largest) {
  line pending[ROW_PANELS][TREE_LEVELS], sum[ROW_PANELS];
  int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS;
  for (int panel = c->panel; panel < c->panel_end; panel += ROW_PANELS) {
    const int panels = min(ROW_PANELS, c->panel_end - panel);
    for (int leaf = 0; leaf < leaves; leaf++) {
      row_tile(x + element_index(x_stride, 0, c->row), PANEL * PANEL, PANEL, d_y + line_index(panel, d_y_stride, 0),
               d_y_stride, panels, leaf * LEAF_ROWS, min(rows, (leaf + 1) * LEAF_ROWS), sum);
#pragma unroll 1
      for (int p = 0; p < panels; p++) tree_add(pending[p], leaf, sum[p]);
    }
#pragma unroll 1
    for (int p = 0; p < panels; p++) {
      size_t at = line_index(panel + p, weight->stride, c->row);
      line total = tree_total(pending[p], leaves);
      weights_take(1, &total, store, rule, weight, at, largest);
    }
  }
}

/* The same, fast where it can be, for sums that are `most` where none is missing. */
TILE_FUNCTION void weights_take_all(int count, int most, line *sum, bool store, const update_rule *rule, uint far,
                                    const parameters *weight, size_t at, uint_line *largest) {
  if (store || count < most || !update_lines_far(rule, far, most, sum, weight, at))
    weights_take(min(count, most), sum, store, rule, weight, at, largest);
}

/* The weights of dense_backward_weight_block in tiles, at most UNIT_ROWS rows of them. A leaf of the batch stays in
 * cache while all tiles take it. `found`: NULL, or room for the lists of find_batch_of_tiles. */
OUTLINED_FUNCTION void dense_backward_weight_tiles(const block *c, int rows, int in, global const float *x,
                                                   int x_stride, global const float *d_y, int d_y_stride,
                                                   global terms *found, bool store, const update_rule *rule,
                                                   const parameters *weight, uint_line *largest) {
  line pending[TREE_LEVELS][TILE_PANELS * UNIT_ROWS];
  const uint far = update_far(rule);
  const int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS, tiles = TILES(c->row_end - c->row);
  if (found != 0) find_batch_of_tiles(c->row, c->row_end, rows, x, x_stride, found);
  for (int panel = c->panel, panels; panel < c->panel_end; panel += panels) {
    panels = panels_of_tile(panel, c);
    global const float *d = d_y + line_index(panel, d_y_stride, 0);
    for (int leaf = 0; leaf < leaves; leaf++)
      for (int row = c->row; row < c->row_end; row += TILE_ROWS) {
        const int begin = leaf * LEAF_ROWS, end = min(rows, begin + LEAF_ROWS);
        line tile[TILE_PANELS][TILE_ROWS], *const sums = tile[0];
        global const terms *of_tile = found != 0 ? found + leaf * tiles + (row - c->row) / TILE_ROWS : 0;
        if (panels == TILE_PANELS)
          batch_tile_wide(row, in, begin, end, x, x_stride, d, d_y_stride, of_tile, tile);
        else
          batch_tile_single(row, in, begin, end, x, x_stride, d, d_y_stride, of_tile, tile);
        if (leaves > 1) TREE_ADD(pending, (row - c->row) * TILE_PANELS, panels * TILE_ROWS, leaf, sums);
        if (leaf + 1 < leaves) continue;
        if (leaves > 1) TREE_TOTAL(pending, (row - c->row) * TILE_PANELS, panels * TILE_ROWS, leaves, sums);
#pragma unroll 1
        for (int p = 0; p < panels; p++)
          weights_take_all(in - row, TILE_ROWS, tile[p], store, rule, far, weight,
                           line_index(panel + p, weight->stride, row), largest);
      }
  }
}

/* The largest magnitude of a (rows, panels). */
OUTLINED_FUNCTION uint_line largest_of(int panel, int panel_end, int rows, global const float *a, int a_stride) {
  uint_line largest = (uint_line)(0);
  for (; panel < panel_end; panel++)
    for (int row = 0; row < rows; row++)
      largest = max(largest, magnitude(load_line(a, line_index(panel, a_stride, row))));
  return largest;
}

/* The weights of dense_backward_weight_block as the transpose of d_yᵀ · x: each column of d_y takes those rows of the
 * batch where it is not 0. False, and nothing done: these are too many, or x is not finite, so that some of those left
 * out would have been 0 · infinity. In an update one of all blocks tells that of x, by *largest. `found` has room for
 * the lists of find_batch_of_columns. */
OUTLINED_FUNCTION bool dense_backward_weight_columns(const block *c, int rows, int in, global const float *x,
                                                     int x_stride, global const float *d_y, int d_y_stride,
                                                     global terms *found, bool store, const update_rule *rule,
                                                     const parameters *weight, uint_line *largest) {
  line pending[TREE_LEVELS][PANEL * LISTED_PANELS];
  const uint far = update_far(rule);
  const int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS, across_end = PANELS(c->row_end);
  if (!find_batch_of_columns(c->panel, c->panel_end, rows, d_y, d_y_stride, found)) return false;
  if (store || c->panel == 0) {
    const uint_line most = largest_of(c->row / PANEL, across_end, rows, x, x_stride);
    if (store && !below(most, INFINITY_BITS)) return false;
    if (!store) *largest = max(*largest, most);
  }
  for (int across = c->row / PANEL, panels; across < across_end; across += panels) {
    panels = panels_of_rows(across_end - across);
    for (int panel = c->panel; panel < c->panel_end; panel++) {
      line sum[PANEL * LISTED_PANELS];
      for (int leaf = 0; leaf < leaves; leaf++) {
        const int begin = leaf * LEAF_ROWS;
        row_sums(PANEL, min(LEAF_ROWS, rows - begin), found + ((panel - c->panel) * leaves + leaf) * PANEL,
                 d_y + line_index(panel, d_y_stride, begin), 1, PANEL * PANEL, PANEL,
                 x + line_index(across, x_stride, begin), x_stride, panels, sum);
        if (leaves > 1) TREE_ADD(pending, 0, PANEL * LISTED_PANELS, leaf, sum);
      }
      if (leaves > 1) TREE_TOTAL(pending, 0, PANEL * LISTED_PANELS, leaves, sum);
#pragma unroll 1
      for (int p = 0; p < panels; p++) {
        const int row = (across + p) * PANEL;
        line turned[PANEL];
#pragma unroll 1
        for (int i = 0; i < PANEL; i++) turned[i] = sum[i * LISTED_PANELS + p];
        transpose_lines(turned);
        weights_take_all(in - row, PANEL, turned, store, rule, far, weight, line_index(panel, weight->stride, row),
                         largest);
      }
    }
  }
  return true;
}

/* The gradient xᵀ · d_y of the block's inputs (its rows) and panels of outputs, and for the first inputs the bias's
 * too, applied to the parameters by `rule`, or stored in d_weight and d_bias when `store`. x (rows, in), d_y (rows,
 * out). `found` has room for so many lists of terms, of x's tiles or d_y's columns, as `listed` says. Without a bias
 * none of x's is left out, which could hide a d_y that is not finite. */
OUTLINED_FUNCTION void dense_backward_weight_block(const block *c, int rows, int in, global const float *x,
                                                   int x_stride, global const float *d_y, int d_y_stride, int listed,
                                                   global terms *found, int room, bool store, const update_rule *rule,
                                                   const parameters *weight, const parameters *bias, global uint *flag,
                                                   uint step) {
  uint_line largest = (uint_line)(0);
  const int height = c->row_end - c->row, leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS;
  const bool of_tiles = listed == TERMS_OF_TILES && bias != 0 && c->panel_end - c->panel >= TERMS_PANELS &&
                        TILES(min(height, UNIT_ROWS)) * leaves <= room;
  const bool of_columns = listed == TERMS_OF_ROWS && PANELS(height) >= TURNED_TERMS_PANELS && PANEL * leaves <= room;
  for (int panel = c->panel; c->row == 0 && bias != 0 && panel < c->panel_end; panel++) {
    line sum = batch_sum_of_column(d_y + line_index(panel, d_y_stride, 0), rows);
    weights_take(1, &sum, store, rule, bias, line_index(panel, bias->stride, 0), &largest);
  }
  if (height == 1) dense_backward_weight_row(c, rows, x, x_stride, d_y, d_y_stride, store, rule, weight, &largest);
  block part = *c; /* of columns as many as there is room for */
  for (; height > 1 && part.panel < c->panel_end; part.panel = part.panel_end) {
    part.panel_end = of_columns ? min(c->panel_end, part.panel + room / (PANEL * leaves)) : c->panel_end;
    if (of_columns && dense_backward_weight_columns(&part, rows, in, x, x_stride, d_y, d_y_stride, found, store, rule,
                                                    weight, &largest))
      continue;
    for (int row = c->row; row < c->row_end; row += UNIT_ROWS) {
      const block unit = {row, min(c->row_end, row + UNIT_ROWS), part.panel, part.panel_end};
      dense_backward_weight_tiles(&unit, rows, in, x, x_stride, d_y, d_y_stride, of_tiles ? found : 0, store, rule,
                                  weight, &largest);
    }
  }
  if (!below(largest, INFINITY_BITS)) atomic_min(flag, step);
}

#endif
