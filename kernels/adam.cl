/* adam: one step of Adam or AdamW on weight (rows, cols), moment and rms, from the gradient. Shares of lines. */
#include "adam.h"
#include "sgd.h"

kernel void adam(int rows, int cols, ADAM_PARAMETERS, global const float *gradient, int gradient_stride,
                 global float *weight, int weight_stride, global float *moment, int moment_stride, global float *rms,
                 int rms_stride, global uint *flag, uint step) {
  const adam_rule rule = ADAM_FROM_PARAMETERS;
  FOR_LINES(rows, PANELS(cols), panel, row) {
    size_t at = line_index(panel, weight_stride, row), at_moment = line_index(panel, moment_stride, row);
    size_t at_rms = line_index(panel, rms_stride, row);
    line m = load_line(moment, at_moment), s = load_line(rms, at_rms);
    line g = load_line(gradient, line_index(panel, gradient_stride, row));
    line w = adam_step(&rule, g, load_line(weight, at), &m, &s);
    store_line(moment, at_moment, m);
    store_line(rms, at_rms, s);
    store_line(weight, at, w);
    if (!below(max(magnitude(w), magnitude(s)), INFINITY_BITS)) atomic_min(flag, step);
  }
}
