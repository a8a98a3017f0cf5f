/* sgd: the update of weight (rows, cols) and velocity from the gradient. Shares of lines. */
#include "sgd.h"

kernel void sgd(int rows, int cols, SGD_PARAMETERS, global const float *gradient, int gradient_stride,
                global float *weight, int weight_stride, global float *velocity, int velocity_stride, global uint *flag,
                uint step) {
  const sgd_rule rule = SGD_FROM_PARAMETERS;
  FOR_LINES(rows, PANELS(cols), panel, row) {
    line g = load_line(gradient, line_index(panel, gradient_stride, row));
    uint_line largest = (uint_line)(0);
    sgd_update(&rule, 1, &g, weight + line_index(panel, weight_stride, row),
               velocity + line_index(panel, velocity_stride, row), &largest);
    if (!below(largest, INFINITY_BITS)) atomic_min(flag, step);
  }
}
