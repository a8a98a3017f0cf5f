/* The three products of a dense layer for CPU devices, with what surrounds them in their epilogues (dense.h); with ADAM
 * the weights' gradient alone. Each work-item is a work-group, one for each core, and they deal the launch's pieces out
 * among themselves: drivers hand out work-groups by halves, and one core is slower than another where something else
 * runs on it. A piece is an equal share of the units, which have unit_rows rows: any that dense.h's blocks take forward
 * and for the weights, a multiple of UNIT_ROWS for the input's gradient. `found` has room for so many lists of terms of
 * each work-item, as `listed` says (sizes.h). */
#include "dense.h"

/* A launch's units, in `pieces`, of which so many have been `dealt`: 0 before a launch, and after it. */
typedef struct {
  global volatile uint *dealt;
  uint pieces;
  int unit_rows, rows, panels;
  share left; /* of this work-item's piece */
} deal;

#define DEAL_PARAMETERS global volatile uint *dealt, uint pieces, int unit_rows
#define DEAL_OF(rows, panels)                 \
  {                                           \
    dealt, pieces, unit_rows, rows, panels, { \
      0, 0                                    \
    }                                         \
  }

/* Each work-item asks until nothing is left, the last of all once more than there are pieces and other work-items. */
TILE_FUNCTION bool next_piece(deal *d) {
  const uint piece = atomic_inc(d->dealt);
  if (piece + 1 == d->pieces + (uint)get_global_size(0)) *d->dealt = 0; /* nobody asks again */
  if (piece >= d->pieces) return false;
  d->left = share_of((long)HEIGHTS(d->rows, d->unit_rows) * WIDTHS(d->panels), (long)piece, (long)d->pieces);
  return true;
}

/* Takes the next units that make one block: as many panels as there are of the same rows. */
TILE_FUNCTION bool next_block(deal *d, block *c) {
  share *left = &d->left;
  if (left->begin >= left->end && !next_piece(d)) return false;
  const int widths = WIDTHS(d->panels);
  const int height = (int)(left->begin / widths), width = (int)(left->begin % widths);
  const int width_end = (int)min((long)widths, width + left->end - left->begin);
  left->begin += width_end - width;
  *c = block_of_units((block){height, height + 1, width, width_end}, d->unit_rows, d->rows, d->panels);
  return true;
}

#if !ADAM

kernel void dense_forward(DEAL_PARAMETERS, int rows, int in, int out, global const float *x, int x_stride,
                          global const float *weight, int weight_stride, int with_bias, global const float *bias,
                          int bias_stride, int with_relu, MASK_PARAMETERS, int listed, global terms *found, int room,
                          global float *y, int y_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  global terms *mine = found + get_global_id(0) * (size_t)room;
  deal d = DEAL_OF(rows, PANELS(out));
  block c;
  while (next_block(&d, &c)) {
    const bool worth = room > 0 && c.row_end - c.row > 1 && c.panel_end - c.panel >= TERMS_PANELS;
    const int how = worth ? listed : TERMS_NOT_LISTED;
    find_features(how, c.row, c.row_end, in, x, x_stride, mine);
    dense_forward_block(&c, in, out, x, x_stride, weight, weight_stride, with_bias != 0, bias, bias_stride,
                        with_relu != 0, &m, how, mine, y, y_stride);
  }
}

kernel void dense_backward_input(DEAL_PARAMETERS, int rows, int in, int out, global const float *d_y, int d_y_stride,
                                 global const float *d_y_t, int d_y_t_stride, global const float *weight,
                                 int weight_stride, int with_y, global const float *y, int y_stride, float scale,
                                 global float *d_x, int d_x_stride, global float *d_x_t, int d_x_t_stride,
                                 int keep_transpose) {
  const input_gradient g = {.rows = rows,
                            .in = in,
                            .out = out,
                            .d_y = d_y,
                            .d_y_stride = d_y_stride,
                            .d_y_t = d_y_t,
                            .d_y_t_stride = d_y_t_stride,
                            .weight = weight,
                            .weight_stride = weight_stride,
                            .with_y = with_y != 0,
                            .y = y,
                            .y_stride = y_stride,
                            .scale = scale,
                            .d_x = d_x,
                            .d_x_stride = d_x_stride,
                            .d_x_t = d_x_t,
                            .d_x_t_stride = d_x_t_stride,
                            .keep_transpose = keep_transpose != 0};
  deal d = DEAL_OF(in, PANELS(rows));
  block c;
  while (next_block(&d, &c)) dense_backward_input_block(&c, &g);
}

#endif

kernel void UPDATE_KERNEL(dense_backward_weight)(DEAL_PARAMETERS, int rows, int in, int out, global const float *x,
                                                 int x_stride, global const float *d_y, int d_y_stride, int listed,
                                                 global terms *found, int room, int store, UPDATE_PARAMETERS,
                                                 PARAMETERS_OF(weight), int with_bias, PARAMETERS_OF(bias),
                                                 global uint *flag, uint step) {
  const update_rule rule = UPDATE_FROM_PARAMETERS;
  const parameters weights = PARAMETERS_FROM(weight), biases = PARAMETERS_FROM(bias);
  global terms *mine = found + get_global_id(0) * (size_t)room;
  deal d = DEAL_OF(in, PANELS(out));
  block c;
  while (next_block(&d, &c))
    dense_backward_weight_block(&c, rows, in, x, x_stride, d_y, d_y_stride, listed, mine, room, store != 0, &rule,
                                &weights, with_bias ? &biases : 0, flag, step);
}
