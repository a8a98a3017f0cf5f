/* The three products of a dense layer for CPU devices, with what surrounds them in their epilogues (dense.h). Each
 * work-item is a work-group and takes an equal share of the units. */
#include "dense.h"

kernel void dense_forward(int rows, int in, int out, global const float *x, int x_stride, global const float *weight,
                          int weight_stride, int with_bias, global const float *bias, int bias_stride, int with_relu,
                          MASK_PARAMETERS, global float *y, int y_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  FOR_LINE_UNITS(UNITS(rows, PANELS(out)), unit)
  dense_forward_unit(unit, UNIT_ROWS, rows, in, out, x, x_stride, weight, weight_stride, with_bias != 0, bias,
                     bias_stride, with_relu != 0, &m, y, y_stride);
}

kernel void dense_backward_input(int rows, int in, int out, global const float *d_y_t, int d_y_t_stride,
                                 global const float *weight, int weight_stride, int with_y, global const float *y,
                                 int y_stride, float scale, global float *d_x, int d_x_stride, global float *d_x_t,
                                 int d_x_t_stride) {
  FOR_LINE_UNITS(UNITS(in, PANELS(rows)), unit)
  dense_backward_input_unit(unit, rows, in, out, d_y_t, d_y_t_stride, weight, weight_stride, with_y != 0, y, y_stride,
                            scale, d_x, d_x_stride, d_x_t, d_x_t_stride, true);
}

kernel void dense_backward_weight(int rows, int in, int out, global const float *x, int x_stride,
                                  global const float *d_y, int d_y_stride, int store, SGD_PARAMETERS,
                                  global float *weight, global float *weight_velocity, int weight_stride, int with_bias,
                                  global float *bias, global float *bias_velocity, int bias_stride, global uint *flag,
                                  uint step) {
  const sgd_rule rule = SGD_FROM_PARAMETERS;
  FOR_LINE_UNITS(UNITS(in, PANELS(out)), unit)
  dense_backward_weight_unit(unit, rows, in, out, x, x_stride, d_y, d_y_stride, store != 0, &rule, weight,
                             weight_velocity, weight_stride, with_bias != 0, bias, bias_velocity, bias_stride, flag,
                             step);
}
