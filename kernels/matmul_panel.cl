/* The three products of a dense layer for CPU devices, with what surrounds them in their epilogues (dense.h); with ADAM
 * the weights' gradient alone. Each work-item is a work-group and takes an equal share of the units, which have
 * unit_rows rows: any that dense.h's blocks take forward and for the weights, a multiple of UNIT_ROWS for the input's
 * gradient. `found` has room for so many lists of terms of each work-item, as `listed` says (sizes.h). */
#include "dense.h"

#if !ADAM

kernel void dense_forward(int unit_rows, int rows, int in, int out, global const float *x, int x_stride,
                          global const float *weight, int weight_stride, int with_bias, global const float *bias,
                          int bias_stride, int with_relu, MASK_PARAMETERS, int listed, global terms *found, int room,
                          global float *y, int y_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  global terms *mine = found + get_global_id(0) * (size_t)room;
  share left = share_of_units(unit_rows, rows, PANELS(out));
  while (left.begin < left.end) {
    const block c = next_block(&left, unit_rows, rows, PANELS(out));
    const bool worth = room > 0 && c.row_end - c.row > 1 && c.panel_end - c.panel >= TERMS_PANELS;
    const int how = worth ? listed : TERMS_NOT_LISTED;
    find_features(how, c.row, c.row_end, in, x, x_stride, mine);
    dense_forward_block(&c, in, out, x, x_stride, weight, weight_stride, with_bias != 0, bias, bias_stride,
                        with_relu != 0, &m, how, mine, y, y_stride);
  }
}

kernel void dense_backward_input(int unit_rows, int rows, int in, int out, global const float *d_y_t, int d_y_t_stride,
                                 global const float *weight, int weight_stride, int with_y, global const float *y,
                                 int y_stride, float scale, global float *d_x, int d_x_stride, global float *d_x_t,
                                 int d_x_t_stride) {
  share left = share_of_units(unit_rows, in, PANELS(rows));
  while (left.begin < left.end) {
    const block c = next_block(&left, unit_rows, in, PANELS(rows));
    dense_backward_input_block(&c, rows, in, out, d_y_t, d_y_t_stride, weight, weight_stride, with_y != 0, y, y_stride,
                               scale, d_x, d_x_stride, d_x_t, d_x_t_stride, true);
  }
}

#endif

kernel void UPDATE_KERNEL(dense_backward_weight)(int unit_rows, int rows, int in, int out, global const float *x,
                                                 int x_stride, global const float *d_y, int d_y_stride, int listed,
                                                 global terms *found, int room, int store, UPDATE_PARAMETERS,
                                                 PARAMETERS_OF(weight), int with_bias, PARAMETERS_OF(bias),
                                                 global uint *flag, uint step) {
  const update_rule rule = UPDATE_FROM_PARAMETERS;
  const parameters weights = PARAMETERS_FROM(weight), biases = PARAMETERS_FROM(bias);
  global terms *mine = found + get_global_id(0) * (size_t)room;
  share left = share_of_units(unit_rows, in, PANELS(out));
  while (left.begin < left.end) {
    const block c = next_block(&left, unit_rows, in, PANELS(out));
    dense_backward_weight_block(&c, rows, in, x, x_stride, d_y, d_y_stride, listed, mine, room, store != 0, &rule,
                                &weights, with_bias ? &biases : 0, flag, step);
  }
}
