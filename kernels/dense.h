/* The three fused products of a dense layer for CPU devices, a unit at a time: matmul_panel.cl launches units one
 * kernel a product, train_steps.cl runs whole steps of them. */
#ifndef DENSE_H
#define DENSE_H

#include "dropout.h"
#include "matmul_panel.h"
#include "relu.h"
#include "sgd.h"

/* Rows of a unit and its panel, from the unit's number: the panel runs fastest, so that a unit's rows stay in cache. */
#define UNIT_ROW(unit, panels) ((unit) / (panels)*UNIT_ROWS)
#define UNIT_PANEL(unit, panels) ((unit) % (panels))
#define UNITS(rows, panels) (((rows) + UNIT_ROWS - 1) / UNIT_ROWS * (panels))

/* y = dropout(relu(x · weight + bias)) for the unit's rows and panel. x (rows, in), weight (in, out), y (rows, out).
 * Its units may have any number of rows that is a multiple of TILE_ROWS and of MASK_ROWS. */
TILE_FUNCTION void dense_forward_unit(int unit, int unit_rows, int rows, int in, int out, global const float *x,
                                      int x_stride, global const float *weight, int weight_stride, bool with_bias,
                                      global const float *bias, int bias_stride, bool with_relu, const mask *m,
                                      global float *y, int y_stride) {
  int panel = unit % PANELS(out), row = unit / PANELS(out) * unit_rows, row_end = min(rows, row + unit_rows);
  global float *column = y + line_index(panel, y_stride, 0);
  feature_unit(row, row_end, in, x, x_stride, weight + line_index(panel, weight_stride, 0), column);
  line b = with_bias ? load_line(bias, line_index(panel, bias_stride, 0)) : (line)(0.0f);
  for (; row < row_end; row += MASK_ROWS) {
    uint_line words[MASK_ROWS];
    if (m->threshold != 0) mask_words(m, row, panel, out, words);
#pragma unroll
    for (int r = 0; r < MASK_ROWS; r++) {
      line v = canonical(load_line(column, (size_t)((row + r) * PANEL)), FLOOR_VALUE);
      if (with_bias) v = canonical(v + b, FLOOR_VALUE);
      if (with_relu) v = relu(v);
      if (m->threshold != 0) v = canonical(mask_apply(m, words[r], v), FLOOR_VALUE);
      store_line(column, (size_t)((row + r) * PANEL), v);
    }
  }
}

/* d_x = y > 0 ? (d_y · weightᵀ) · scale : 0, computed as its transpose: rows are the layer's inputs, columns the batch.
 * weight (in, out); d_y_t (out, rows) and d_x_t (in, rows) are transposes; y and d_x (rows, in). */
TILE_FUNCTION void dense_backward_input_unit(int unit, int rows, int in, int out, global const float *d_y_t,
                                             int d_y_t_stride, global const float *weight, int weight_stride,
                                             bool with_y, global const float *y, int y_stride, float scale,
                                             global float *d_x, int d_x_stride, global float *d_x_t, int d_x_t_stride,
                                             bool keep_transpose) {
  int panel = UNIT_PANEL(unit, PANELS(rows)), row = UNIT_ROW(unit, PANELS(rows)), row_end = min(in, row + UNIT_ROWS);
  global float *column = d_x_t + line_index(panel, d_x_t_stride, 0);
  feature_unit(row, row_end, out, weight, weight_stride, d_y_t + line_index(panel, d_y_t_stride, 0), column);
  for (; row < row_end; row += PANEL) {
    line block[PANEL];
    size_t rows_of_batch = line_index(row / PANEL, y_stride, panel * PANEL);
    size_t target = line_index(row / PANEL, d_x_stride, panel * PANEL);
#pragma unroll
    for (int i = 0; i < PANEL; i++)
      block[i] = row + i < in ? load_line(column, (size_t)((row + i) * PANEL)) : (line)(0.0f);
    transpose_lines(block);
#pragma unroll
    for (int i = 0; i < PANEL; i++) {
      block[i] = canonical(block[i], FLOOR_GRADIENT);
      if (with_y) block[i] = relu_derivative(load_line(y, rows_of_batch + (size_t)(i * PANEL)), block[i], scale);
      store_line(d_x, target + (size_t)(i * PANEL), block[i]);
    }
    if (!keep_transpose) continue;
    transpose_lines(block);
#pragma unroll
    for (int i = 0; i < PANEL; i++) store_line(column, (size_t)((row + i) * PANEL), block[i]);
  }
}

/* The gradient xᵀ · d_y of the unit's inputs and panel of outputs, and for the first inputs the bias's too, applied to
 * the parameters by `rule`, or stored in d_weight and d_bias when `store`. x (rows, in), d_y (rows, out). */
TILE_FUNCTION void dense_backward_weight_unit(int unit, int rows, int in, int out, global const float *x, int x_stride,
                                              global const float *d_y, int d_y_stride, bool store, const sgd_rule *rule,
                                              global float *weight, global float *weight_velocity, int weight_stride,
                                              bool with_bias, global float *bias, global float *bias_velocity,
                                              int bias_stride, global uint *flag, uint step) {
  int panel = UNIT_PANEL(unit, PANELS(out)), row = UNIT_ROW(unit, PANELS(out)), row_end = min(in, row + UNIT_ROWS);
  global const float *d = d_y + line_index(panel, d_y_stride, 0);
  if (row == 0 && with_bias) {
    line g = canonical(batch_sum_of_column(d, rows), FLOOR_GRADIENT);
    size_t at = line_index(panel, bias_stride, 0);
    if (store)
      store_line(bias, at, g);
    else
      sgd_update(rule, g, bias + at, bias_velocity + at, flag, step);
  }
  for (; row < row_end; row += TILE_ROWS) {
    line sum[TILE_ROWS];
    batch_tile(row, in, rows, x, x_stride, d, sum);
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
      size_t at = line_index(panel, weight_stride, row + r);
      line g = canonical(sum[r], FLOOR_GRADIENT);
      if (row + r >= in) continue;
      if (store)
        store_line(weight, at, g);
      else
        sgd_update(rule, g, weight + at, weight_velocity + at, flag, step);
    }
  }
}

#endif
