/* The three products of a dense layer for GPUs (matmul_tile.h), with what surrounds them in their epilogues; with ADAM
 * the weights' gradients alone. Group (x, y) computes tile (row y, column x) of the result; the weights' gradients are
 * one launch for several layers, in which a group's parts compute a tile each. */
#include "matmul_tile.h"
#include "quad.h"

/* Work-groups of the same program in another size have another name. */
#ifndef TILE_KERNEL
#define TILE_KERNEL(name) name
#endif

#define ITEM ((int)get_local_id(0) % PART_ITEMS)
#define PART ((int)get_local_id(0) / PART_ITEMS)
#define SLABS_OF_GROUP(name) local float name[PARTS * 2 * SLAB_FLOATS] __attribute__((aligned(16)))
#define PIPELINE(slabs, depth_)                                                        \
  {                                                                                    \
    .depth = (depth_), .tx = ITEM % GROUP_COLS, .ty = ITEM / GROUP_COLS, .item = ITEM, \
    .slabs = (slabs) + PART * 2 * SLAB_FLOATS                                          \
  }

#if !ADAM

/* y (rows, out) = dropout(relu(x (rows, in) · weight (in, out) + bias)) */
GROUP_ATTRIBUTE kernel void TILE_KERNEL(dense_forward)(int rows, int in, int out, global const float *x, int x_stride,
                                                       global const float *weight, int weight_stride, int with_bias,
                                                       global const float *bias, int bias_stride, int with_relu,
                                                       MASK_PARAMETERS, global float *y, int y_stride) {
  SLABS_OF_GROUP(slabs);
  EXCHANGE(exchange);
  int first_row = (int)get_group_id(1) * TILE_M, first_col = (int)get_group_id(0) * TILE_N;
  const mask m = MASK_FROM_PARAMETERS;
  pipeline p = PIPELINE(slabs, in);
  p.a = (operand){x, x_stride, first_row, rows, true};
  p.b = (operand){weight, weight_stride, first_col, out, false};
  float4 total[QUADS];
  feature_total(&p, PART, exchange, total);
#pragma unroll
  for (int i = 0; i < QUADS; i++) {
    int q = PART * QUADS + i, row = first_row + QUAD_ROW(q, p.ty), col = first_col + QUAD_COL(q, p.tx);
    if (row >= rows || col >= out) continue;
    quad_forward(total[i], row, col, out, with_bias != 0, bias, bias_stride, with_relu != 0, &m,
                 y + element_index(y_stride, row, col));
  }
}

/* d_x (rows, in) = y > 0 ? (d_y (rows, out) · weightᵀ) · scale : 0 */
GROUP_ATTRIBUTE kernel void TILE_KERNEL(dense_backward_input)(int rows, int in, int out, global const float *d_y,
                                                              int d_y_stride, global const float *weight,
                                                              int weight_stride, int with_y, global const float *y,
                                                              int y_stride, float scale, global float *d_x,
                                                              int d_x_stride) {
  SLABS_OF_GROUP(slabs);
  EXCHANGE(exchange);
  int first_row = (int)get_group_id(1) * TILE_M, first_col = (int)get_group_id(0) * TILE_N;
  pipeline p = PIPELINE(slabs, out);
  p.a = (operand){d_y, d_y_stride, first_row, rows, true};
  p.b = (operand){weight, weight_stride, first_col, in, true};
  float4 total[QUADS];
  feature_total(&p, PART, exchange, total);
#pragma unroll
  for (int i = 0; i < QUADS; i++) {
    int q = PART * QUADS + i, row = first_row + QUAD_ROW(q, p.ty), col = first_col + QUAD_COL(q, p.tx);
    if (row >= rows || col >= in) continue;
    quad_backward_input(total[i], col, in, with_y != 0, y + element_index(y_stride, row, col), scale,
                        d_x + element_index(d_x_stride, row, col));
  }
}

#endif

/* The parameters of a layer, and what their gradient is made of. */
typedef struct {
  int in, out;
  global const float *x;
  int x_stride;
  global const float *d_y;
  int d_y_stride;
  parameters weight;
  int with_bias;
  parameters bias;
} weight_layer;

#define WEIGHT_LAYER_PARAMETERS(n)                                                                   \
  int in_##n, int out_##n, global const float *x_##n, int x_stride_##n, global const float *d_y_##n, \
      int d_y_stride_##n, PARAMETERS_OF(weight_##n), int with_bias_##n, PARAMETERS_OF(bias_##n)
#define WEIGHT_LAYER_FROM_PARAMETERS(n)                                                                        \
  (weight_layer) {                                                                                             \
    in_##n, out_##n, x_##n, x_stride_##n, d_y_##n, d_y_stride_##n, PARAMETERS_FROM(weight_##n), with_bias_##n, \
        PARAMETERS_FROM(bias_##n)                                                                              \
  }

/* A layer's tiles, of which a group takes as many below each other as it has parts. */
#define TILES_WIDE(l) (((l).out + TILE_N - 1) / TILE_N)
#define TILES(l) (TILES_WIDE(l) * (((l).in + TILE_M * PARTS - 1) / (TILE_M * PARTS)))
#define IN_LAYER(n)                      \
  if (tile >= TILES(l)) {                \
    tile -= TILES(l);                    \
    l = WEIGHT_LAYER_FROM_PARAMETERS(n); \
  }

TILE_FUNCTION void update_quad(const pipeline *p, bool store, const update_rule *rule, const weight_layer *l, int q,
                               float4 gradient, global uint *flag, uint step) {
  int row = p->a.first + QUAD_ROW(q, p->ty), col = p->b.first + QUAD_COL(q, p->tx);
  if (row < l->in && col < l->out)
    quad_update(store, rule, gradient, col, l->out, &l->weight, element_index(l->weight.stride, row, col), flag, step);
}

#if ADAM

/* The rule is long: one text serves all quads, which it finds in local memory, where slabs are no longer needed. */
#define QUADS_THERE min(ITEM_QUADS, 2 * SLAB_FLOATS / PART_ITEMS / 4)
TILE_FUNCTION void update_tile(const pipeline *p, bool store, const update_rule *rule, const weight_layer *l,
                               float sum[ITEM_ROWS][ITEM_COLS], global uint *flag, uint step) {
  local float4 *own = (local float4 *)p->slabs + p->item;
#pragma unroll
  for (int first = 0; first < ITEM_QUADS; first += QUADS_THERE) {
#pragma unroll
    for (int i = 0; i < QUADS_THERE; i++)
      if (first + i < ITEM_QUADS) own[i * PART_ITEMS] = vload4(first + i, sum[0]);
#pragma unroll 1
    for (int i = 0; i < min(QUADS_THERE, ITEM_QUADS - first); i++)
      update_quad(p, store, rule, l, first + i, own[i * PART_ITEMS], flag, step);
  }
}

#else

TILE_FUNCTION void update_tile(const pipeline *p, bool store, const update_rule *rule, const weight_layer *l,
                               float sum[ITEM_ROWS][ITEM_COLS], global uint *flag, uint step) {
#pragma unroll
  for (int q = 0; q < ITEM_QUADS; q++) update_quad(p, store, rule, l, q, vload4(q, sum[0]), flag, step);
}

#endif

/* xᵀ · d_y (in, out) of each layer in the tree order, applied or stored; the groups of the first rows do the bias too.
 * The tiles of all layers are in a row. Each work-item keeps the tree's pending nodes in `pending`, [level][quad]
 * [work-item], when there is more than one leaf. */
GROUP_ATTRIBUTE kernel void TILE_KERNEL(UPDATE_KERNEL(dense_backward_weight))(
    int rows, int store, UPDATE_PARAMETERS, global uint *flag, uint step, global float *pending,
    WEIGHT_LAYER_PARAMETERS(0), WEIGHT_LAYER_PARAMETERS(1), WEIGHT_LAYER_PARAMETERS(2), WEIGHT_LAYER_PARAMETERS(3)) {
  SLABS_OF_GROUP(slabs);
  const update_rule rule = UPDATE_FROM_PARAMETERS;
  int tile = (int)get_group_id(0);
  weight_layer l = WEIGHT_LAYER_FROM_PARAMETERS(0);
  IN_LAYER(1)
  IN_LAYER(2)
  IN_LAYER(3)
  int first_row = (tile / TILES_WIDE(l) * PARTS + PART) * TILE_M, first_col = tile % TILES_WIDE(l) * TILE_N;
  pipeline p = PIPELINE(slabs, rows);
  p.a = (operand){l.x, l.x_stride, first_row, l.in, false};
  p.b = (operand){l.d_y, l.d_y_stride, first_col, l.out, false};
  float sum[ITEM_ROWS][ITEM_COLS];
  int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS;
  pipeline_begin(&p, 0);
#define NODE(level, q) \
  ((global float4 *)pending + (((size_t)(level)*ITEM_QUADS + (size_t)(q)) * get_global_size(0) + get_global_id(0)))
  for (int leaf = 0; leaf < leaves; leaf++) {
    int begin = leaf * LEAF_ROWS, end = min(rows, begin + LEAF_ROWS);
    tile_sum(&p, begin, end, (end - begin + SLAB - 1) / SLAB, end < rows, end, sum);
    if (leaves == 1) continue;
    int level = 0;
    for (; ((leaf >> level) & 1) != 0; level++)
#pragma unroll
      for (int q = 0; q < ITEM_QUADS; q++) vstore4(*NODE(level, q) + vload4(q, sum[0]), q, sum[0]);
#pragma unroll
    for (int q = 0; q < ITEM_QUADS; q++) *NODE(level, q) = vload4(q, sum[0]);
  }
  bool empty = true;
  for (int level = 0; leaves > 1 && level < TREE_LEVELS; level++) {
    if (((leaves >> level) & 1) == 0) continue;
#pragma unroll
    for (int q = 0; q < ITEM_QUADS; q++)
      vstore4(empty ? *NODE(level, q) : *NODE(level, q) + vload4(q, sum[0]), q, sum[0]);
    empty = false;
  }
#undef NODE
  update_tile(&p, store != 0, &rule, &l, sum, flag, step);
  if (first_row != 0 || !l.with_bias) return;
  for (int col = first_col + p.item; col < min(l.out, first_col + TILE_N); col += PART_ITEMS)
    bias_update(store != 0, &rule, l.d_y, l.d_y_stride, rows, col, &l.bias, flag, step);
}
