/* The three products of a dense layer for GPUs (matmul_tile.h), with what surrounds them in their epilogues.
 * Work-groups of (GROUP_COLS, GROUP_ROWS); group (x, y) computes tile (row y, column x) of the result. */
#include "batch_sum.h"
#include "dropout.h"
#include "feature_sum.h"
#include "matmul_tile.h"
#include "sgd.h"

/* total = Σ over depth in the feature order. */
INLINE void feature_total(const operand *a, const operand *b, bool b_by_rows, int depth, local float *a_slab,
                          local float *b_slab, float total[ITEM_ROWS][ITEM_COLS]) {
  tile_sum(a, true, b, b_by_rows, 0, min(depth, BLOCK_FEATURES), a_slab, b_slab, total);
  for (int begin = BLOCK_FEATURES; begin < depth; begin += BLOCK_FEATURES) {
    float sum[ITEM_ROWS][ITEM_COLS];
    tile_sum(a, true, b, b_by_rows, begin, min(depth, begin + BLOCK_FEATURES), a_slab, b_slab, sum);
#pragma unroll
    for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
      for (int j = 0; j < ITEM_COLS; j++) total[i][j] += sum[i][j];
  }
}

/* y (rows, out) = dropout(relu(x (rows, in) · weight (in, out) + bias)) */
GROUP_ATTRIBUTE kernel void dense_forward(int rows, int in, int out, global const float *x, int x_stride,
                                          global const float *weight, int weight_stride, int with_bias,
                                          global const float *bias, int bias_stride, int with_relu, MASK_PARAMETERS,
                                          global float *y, int y_stride) {
  local float a_slab[SLAB * TILE_M] __attribute__((aligned(16))), b_slab[SLAB * TILE_N] __attribute__((aligned(16)));
  int first_row = (int)get_group_id(1) * TILE_M, first_col = (int)get_group_id(0) * TILE_N;
  int tx = (int)get_local_id(0), ty = (int)get_local_id(1);
  operand a = {x, x_stride, first_row, rows}, b = {weight, weight_stride, first_col, out};
  float total[ITEM_ROWS][ITEM_COLS];
  feature_total(&a, &b, false, in, a_slab, b_slab, total);
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j += 4) {
      int row = first_row + ITEM_ROW(i, ty), col = first_col + ITEM_COL(j, tx);
      if (row >= rows || col >= out) continue;
      uint words[4];
      if (threshold != 0)
        element_words(seed_low, seed_high, step, layer, first_row_of_batch + (ulong)row, col, out, words);
#pragma unroll
      for (int q = 0; q < 4; q++) {
        float v = canonical(total[i][j + q], FLOOR_VALUE);
        if (with_bias) v = canonical(v + bias[element_index(bias_stride, 0, col + q)], FLOOR_VALUE);
        if (with_relu) v = (v <= 0.0f) ? 0.0f : v;
        if (threshold != 0) v = words[q] >= threshold ? v * scale : 0.0f;
        total[i][j + q] = v;
      }
      vstore4(vload4(0, &total[i][j]), 0, y + element_index(y_stride, row, col));
    }
}

/* d_x (rows, in) = y > 0 ? (d_y (rows, out) · weightᵀ) · scale : 0 */
GROUP_ATTRIBUTE kernel void dense_backward_input(int rows, int in, int out, global const float *d_y, int d_y_stride,
                                                 global const float *weight, int weight_stride, int with_y,
                                                 global const float *y, int y_stride, float scale, global float *d_x,
                                                 int d_x_stride) {
  local float a_slab[SLAB * TILE_M] __attribute__((aligned(16))), b_slab[SLAB * TILE_N] __attribute__((aligned(16)));
  int first_row = (int)get_group_id(1) * TILE_M, first_col = (int)get_group_id(0) * TILE_N;
  int tx = (int)get_local_id(0), ty = (int)get_local_id(1);
  operand a = {d_y, d_y_stride, first_row, rows}, b = {weight, weight_stride, first_col, in};
  float total[ITEM_ROWS][ITEM_COLS];
  feature_total(&a, &b, true, out, a_slab, b_slab, total);
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j += 4) {
      int row = first_row + ITEM_ROW(i, ty), col = first_col + ITEM_COL(j, tx);
      if (row >= rows || col >= in) continue;
#pragma unroll
      for (int q = 0; q < 4; q++) {
        float v = col + q < in ? canonical(total[i][j + q], FLOOR_GRADIENT) : 0.0f;
        if (with_y) v = y[element_index(y_stride, row, col) + q] > 0.0f ? v * scale : 0.0f;
        total[i][j + q] = v;
      }
      vstore4(vload4(0, &total[i][j]), 0, d_x + element_index(d_x_stride, row, col));
    }
}

/* Steps a parameter, or stores its gradient. */
INLINE void finish(bool store, const sgd_rule *rule, float g, global float *w, global float *v, global uint *flag,
                   uint step) {
  g = canonical(g, FLOOR_GRADIENT);
  if (store) {
    *w = g;
    return;
  }
  float velocity = rule->momentum != 0.0f ? *v : 0.0f;
  float weight = sgd_step(rule, g, *w, &velocity);
  if (rule->momentum != 0.0f) *v = velocity;
  *w = weight;
  if (!below(magnitude(weight), INFINITY_BITS)) atomic_min(flag, step);
}

/* xᵀ · d_y (in, out) in the tree order, applied or stored; the groups of the first rows do the bias too. Each work-item
 * keeps the tree's pending nodes in `pending`, [level][result][work-item], when there is more than one leaf. */
GROUP_ATTRIBUTE kernel void dense_backward_weight(int rows, int in, int out, global const float *x, int x_stride,
                                                  global const float *d_y, int d_y_stride, int store, SGD_PARAMETERS,
                                                  global float *weight, global float *weight_velocity,
                                                  int weight_stride, int with_bias, global float *bias,
                                                  global float *bias_velocity, int bias_stride, global uint *flag,
                                                  uint step, global float *pending) {
  local float a_slab[SLAB * TILE_M] __attribute__((aligned(16))), b_slab[SLAB * TILE_N] __attribute__((aligned(16)));
  const sgd_rule rule = SGD_FROM_PARAMETERS;
  int first_row = (int)get_group_id(1) * TILE_M, first_col = (int)get_group_id(0) * TILE_N;
  int tx = (int)get_local_id(0), ty = (int)get_local_id(1);
  size_t items = get_global_size(0) * get_global_size(1);
  size_t item = get_global_id(1) * get_global_size(0) + get_global_id(0);
  operand a = {x, x_stride, first_row, in}, b = {d_y, d_y_stride, first_col, out};
  float sum[ITEM_ROWS][ITEM_COLS];
  int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS;
  for (int leaf = 0; leaf < leaves; leaf++) {
    tile_sum(&a, false, &b, false, leaf * LEAF_ROWS, min(rows, (leaf + 1) * LEAF_ROWS), a_slab, b_slab, sum);
    if (leaves == 1) continue;
    int level = 0;
    for (; ((leaf >> level) & 1) != 0; level++)
#pragma unroll
      for (int i = 0; i < ITEM_ROWS * ITEM_COLS; i++)
        sum[i / ITEM_COLS][i % ITEM_COLS] += pending[((size_t)level * ITEM_ROWS * ITEM_COLS + i) * items + item];
#pragma unroll
    for (int i = 0; i < ITEM_ROWS * ITEM_COLS; i++)
      pending[((size_t)level * ITEM_ROWS * ITEM_COLS + i) * items + item] = sum[i / ITEM_COLS][i % ITEM_COLS];
  }
  bool empty = true;
  for (int level = 0; leaves > 1 && level < TREE_LEVELS; level++) {
    if (((leaves >> level) & 1) == 0) continue;
#pragma unroll
    for (int i = 0; i < ITEM_ROWS * ITEM_COLS; i++) {
      float node = pending[((size_t)level * ITEM_ROWS * ITEM_COLS + i) * items + item];
      sum[i / ITEM_COLS][i % ITEM_COLS] = empty ? node : node + sum[i / ITEM_COLS][i % ITEM_COLS];
    }
    empty = false;
  }
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j++) {
      int row = first_row + ITEM_ROW(i, ty), col = first_col + ITEM_COL(j, tx);
      if (row >= in || col >= out) continue;
      size_t at = element_index(weight_stride, row, col);
      finish(store != 0, &rule, sum[i][j], weight + at, weight_velocity + at, flag, step);
    }
  if (first_row != 0 || !with_bias) return;
  for (int col = first_col + ty * GROUP_COLS + tx; col < min(out, first_col + TILE_N); col += GROUP_ITEMS) {
    float g = batch_sum_of_element(d_y + element_index(d_y_stride, 0, col), rows);
    size_t at = element_index(bias_stride, 0, col);
    finish(store != 0, &rule, g, bias + at, bias_velocity + at, flag, step);
  }
}
