/* The three fused products of a dense layer for CPU devices, a block at a time: matmul_panel.cl launches them one
 * kernel a product, train_steps.cl runs whole steps of them. */
#ifndef DENSE_H
#define DENSE_H

#include "dropout.h"
#include "matmul_panel.h"
#include "relu.h"
#include "update.h"

/* Units of work: unit_rows rows × the panels of a tile, which run fastest, so that a share of units is a block that is
 * wide rather than high. */
#define HEIGHTS(rows, unit_rows) (((rows) + (unit_rows)-1) / (unit_rows))
#define WIDTHS(panels) (((panels) + TILE_PANELS - 1) / TILE_PANELS)

/* Takes from the share's start the units that make one block: as many panels as there are of the same rows. */
TILE_FUNCTION block next_block(share *left, int unit_rows, int rows, int panels) {
  const int widths = WIDTHS(panels);
  int row = (int)(left->begin / widths) * unit_rows, width = (int)(left->begin % widths);
  int width_end = (int)min((long)widths, width + left->end - left->begin);
  left->begin += width_end - width;
  return (block){row, min(rows, row + unit_rows), width * TILE_PANELS, min(panels, width_end * TILE_PANELS)};
}

/* This work-item's share of all units. */
TILE_FUNCTION share share_of_units(int unit_rows, int rows, int panels) {
  return share_of((long)HEIGHTS(rows, unit_rows) * WIDTHS(panels), (long)get_global_id(0), (long)get_global_size(0));
}

/* The block of y = dropout(relu(x · weight + bias)). x (rows, in), weight (in, out), y (rows, out). Blocks have any
 * number of rows that is a multiple of TILE_ROWS and of MASK_ROWS. `found`: as in feature_block. */
OUTLINED_FUNCTION void dense_forward_block(const block *c, int in, int out, global const float *x, int x_stride,
                                           global const float *weight, int weight_stride, bool with_bias,
                                           global const float *bias, int bias_stride, bool with_relu, const mask *m,
                                           global const terms *found, global float *y, int y_stride) {
  feature_block(c, in, x, x_stride, weight, weight_stride, found, y, y_stride);
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

/* dense_backward_input_block for a batch of one row, whose gradients are lines as they come. */
OUTLINED_FUNCTION void dense_backward_input_row(const block *c, int in, int out, global const float *d_y_t,
                                                global const float *weight, int weight_stride, bool with_y,
                                                global const float *y, int y_stride, float scale, global float *d_x,
                                                int d_x_stride, global float *d_x_t, bool keep_transpose) {
  for (int row = c->row; row < c->row_end; row += COLUMN_PANELS * PANEL) {
    const int panels = min(COLUMN_PANELS, PANELS(c->row_end - row));
    float8 total[2 * COLUMN_PANELS];
    feature_column(row, panels, out, weight, weight_stride, d_y_t, total);
#pragma unroll 1
    for (int i = 0; i < panels; i++) {
      int panel = row / PANEL + i;
      line v = canonical((line)(total[2 * i], total[2 * i + 1]), FLOOR_GRADIENT);
      v = line_columns(panel) < in ? v : (line)(0.0f);
      if (with_y) v = relu_derivative(load_line(y, line_index(panel, y_stride, 0)), v, scale);
      global float *target = d_x + line_index(panel, d_x_stride, 0);
      store_line(target, 0, v);
#pragma unroll 1
      for (int j = 0; keep_transpose && j < PANEL; j++) d_x_t[line_index(0, 0, panel * PANEL + j)] = target[j];
    }
  }
}

/* d_x = y > 0 ? (d_y · weightᵀ) · scale : 0, computed as its transpose: the block's rows are the layer's inputs, its
 * panels 16 rows of the batch each. weight (in, out); d_y_t (out, rows) and d_x_t (in, rows) are transposes; y and d_x
 * (rows, in). */
OUTLINED_FUNCTION void dense_backward_input_block(const block *c, int rows, int in, int out, global const float *d_y_t,
                                                  int d_y_t_stride, global const float *weight, int weight_stride,
                                                  bool with_y, global const float *y, int y_stride, float scale,
                                                  global float *d_x, int d_x_stride, global float *d_x_t,
                                                  int d_x_t_stride, bool keep_transpose) {
  if (rows == 1) {
    dense_backward_input_row(c, in, out, d_y_t, weight, weight_stride, with_y, y, y_stride, scale, d_x, d_x_stride,
                             d_x_t, keep_transpose);
    return;
  }
  feature_block(c, out, weight, weight_stride, d_y_t, d_y_t_stride, 0, d_x_t, d_x_t_stride);
  for (int panel = c->panel; panel < c->panel_end; panel++) {
    global float *column = d_x_t + line_index(panel, d_x_t_stride, 0);
    for (int row = c->row; row < c->row_end; row += PANEL) {
      line lines[PANEL];
      size_t rows_of_batch = line_index(row / PANEL, y_stride, panel * PANEL);
      size_t target = line_index(row / PANEL, d_x_stride, panel * PANEL);
#pragma unroll 1
      for (int i = 0; i < PANEL; i++)
        lines[i] = row + i < in ? load_line(column, (size_t)(row + i) * PANEL) : (line)(0.0f);
      transpose_lines(lines);
#pragma unroll 1
      for (int i = 0; i < PANEL; i++) {
        lines[i] = canonical(lines[i], FLOOR_GRADIENT);
        if (with_y) lines[i] = relu_derivative(load_line(y, rows_of_batch + (size_t)(i * PANEL)), lines[i], scale);
        store_line(d_x, target + (size_t)(i * PANEL), lines[i]);
      }
      if (!keep_transpose) continue;
      transpose_lines(lines);
#pragma unroll 1
      for (int i = 0; i < PANEL; i++) store_line(column, (size_t)(row + i) * PANEL, lines[i]);
    }
  }
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
      if (store)
        store_line(weight->value, at, canonical(total, FLOOR_GRADIENT));
      else
        update_lines(rule, 1, &total, weight, at, largest);
    }
  }
}

/* The gradient xᵀ · d_y of the block's inputs (its rows, at most UNIT_ROWS) and panels of outputs, and for the first
 * inputs the bias's too, applied to the parameters by `rule`, or stored in d_weight and d_bias when `store`. x (rows,
 * in), d_y (rows, out). A leaf of the batch stays in cache while all tiles of the block take it. `found`: NULL,
 * or room for the lists of find_batch_terms. Without a bias no term is left out, which could hide a d_y that is not
 * finite. */
OUTLINED_FUNCTION void dense_backward_weight_block(const block *c, int rows, int in, global const float *x,
                                                   int x_stride, global const float *d_y, int d_y_stride,
                                                   global terms *found, bool store, const update_rule *rule,
                                                   const parameters *weight, const parameters *bias, global uint *flag,
                                                   uint step) {
  line pending[TREE_LEVELS][TILE_PANELS * UNIT_ROWS];
  uint_line largest = (uint_line)(0);
  const uint far = update_far(rule);
  const bool single = c->row_end - c->row == 1;
  const int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS, tiles = TILES(c->row_end - c->row);
  const bool listed = found != 0 && bias != 0 && !single && c->panel_end - c->panel >= TERMS_PANELS;
  if (listed) find_batch_terms(c->row, c->row_end, rows, x, x_stride, found);
  for (int panel = c->panel; c->row == 0 && bias != 0 && panel < c->panel_end; panel++) {
    line sum = batch_sum_of_column(d_y + line_index(panel, d_y_stride, 0), rows);
    size_t at = line_index(panel, bias->stride, 0);
    if (store)
      store_line(bias->value, at, canonical(sum, FLOOR_GRADIENT));
    else
      update_lines(rule, 1, &sum, bias, at, &largest);
  }
  for (int panel = c->panel, panels; !single && panel < c->panel_end; panel += panels) {
    panels = panels_of_tile(panel, c);
    global const float *d = d_y + line_index(panel, d_y_stride, 0);
    for (int leaf = 0; leaf < leaves; leaf++)
      for (int row = c->row; row < c->row_end; row += TILE_ROWS) {
        const int begin = leaf * LEAF_ROWS, end = min(rows, begin + LEAF_ROWS), count = min(TILE_ROWS, in - row);
        line tile[TILE_PANELS][TILE_ROWS], *const sums = tile[0];
        global const terms *of_tile = listed ? found + leaf * tiles + (row - c->row) / TILE_ROWS : 0;
        if (panels == TILE_PANELS)
          batch_tile_wide(row, in, begin, end, x, x_stride, d, d_y_stride, of_tile, tile);
        else
          batch_tile_single(row, in, begin, end, x, x_stride, d, d_y_stride, of_tile, tile);
        if (leaves > 1) TREE_ADD(pending, (row - c->row) * TILE_PANELS, panels * TILE_ROWS, leaf, sums);
        if (leaf + 1 < leaves) continue;
        if (leaves > 1) TREE_TOTAL(pending, (row - c->row) * TILE_PANELS, panels * TILE_ROWS, leaves, sums);
#pragma unroll 1
        for (int p = 0; p < panels; p++) {
          const size_t at = line_index(panel + p, weight->stride, row);
          if (store)
            for (int r = 0; r < count; r++)
              store_line(weight->value, at + (size_t)(r * PANEL), canonical(tile[p][r], FLOOR_GRADIENT));
          else if (count < TILE_ROWS || !update_lines_far(rule, far, TILE_ROWS, tile[p], weight, at))
            update_lines(rule, count, tile[p], weight, at, &largest);
        }
      }
  }
  if (single) dense_backward_weight_row(c, rows, x, x_stride, d_y, d_y_stride, store, rule, weight, &largest);
  if (!below(largest, INFINITY_BITS)) atomic_min(flag, step);
}

#endif
