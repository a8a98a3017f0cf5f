/* adam: one step of Adam or AdamW on weight (rows, cols), its moment and its rms, from the gradient. Shares of lines. */
#include "sgd.h"

kernel void adam(int rows, int cols, float rate, float root, float keep2, float add1, float add2, float epsilon,
                 float weight_decay, float shrink, int decoupled, global const float *gradient, int gradient_stride,
                 global float *weight, int weight_stride, global float *moment, int moment_stride, global float *rms,
                 int rms_stride, global uint *flag, uint step) {
  FOR_LINES(rows, PANELS(cols), panel, row) {
    size_t at = line_index(panel, weight_stride, row), at_moment = line_index(panel, moment_stride, row);
    size_t at_rms = line_index(panel, rms_stride, row);
    line g = load_line(gradient, line_index(panel, gradient_stride, row)), w = load_line(weight, at);
    line m = load_line(moment, at_moment), s = load_line(rms, at_rms);
    if (weight_decay != 0.0f && !decoupled) g = canonical(fma((line)(weight_decay), w, g), FLOOR_GRADIENT);
    if (weight_decay != 0.0f && decoupled) w = canonical(w * shrink, FLOOR_VALUE);
    m = canonical(fma((line)(add1), g - m, m), FLOOR_GRADIENT);
    s = canonical(exact_sqrt(fma(s * keep2, s, g * add2 * g)), FLOOR_GRADIENT);
    line u = canonical(exact_divide(m, fma(s, (line)(root), (line)(epsilon))), FLOOR_GRADIENT);
    w = canonical(fma((line)(-rate), u, w), FLOOR_VALUE);
    store_line(moment, at_moment, m);
    store_line(rms, at_rms, s);
    store_line(weight, at, w);
    if (!below(max(magnitude(w), magnitude(s)), INFINITY_BITS)) atomic_min(flag, step);
  }
}
