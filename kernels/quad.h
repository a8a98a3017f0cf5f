/* What follows a product, for four neighbouring columns of a row: they share a Philox counter and are 16 bytes. And for
 * one parameter. For kernels without vector lines. */
#ifndef QUAD_H
#define QUAD_H

#include "dropout.h"
#include "sgd.h"

/* y[0 … 3] = dropout(relu(total + bias)) for columns col … col+3 of `out` */
static inline void quad_forward(float4 total, int row, int col, int out, bool with_bias, global const float *bias,
                                int bias_stride, bool with_relu, const mask *m, global float *y) {
  uint words[4];
  float v[4], b[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  if (m->threshold != 0)
    element_words(m->seed_low, m->seed_high, m->step, m->layer, m->first_row + (ulong)row, col, out, words);
  vstore4(total, 0, v);
  if (with_bias) vstore4(*(global const float4 *)(bias + element_index(bias_stride, 0, col)), 0, b);
#pragma unroll
  for (int c = 0; c < 4; c++) {
    v[c] = canonical(v[c], FLOOR_VALUE);
    if (with_bias) v[c] = canonical(v[c] + b[c], FLOOR_VALUE);
    if (with_relu) v[c] = (v[c] <= 0.0f) ? 0.0f : v[c];
    if (m->threshold != 0) v[c] = words[c] >= m->threshold ? v[c] * m->scale : 0.0f;
  }
  *(global float4 *)y = vload4(0, v);
}

/* d_x[0 … 3] = y > 0 ? total · scale : 0 for columns col … col+3 of `in` */
static inline void quad_backward_input(float4 total, int col, int in, bool with_y, global const float *y, float scale,
                                       global float *d_x) {
  float v[4], above[4] = {1.0f, 1.0f, 1.0f, 1.0f};
  vstore4(total, 0, v);
  if (with_y) vstore4(*(global const float4 *)y, 0, above);
#pragma unroll
  for (int c = 0; c < 4; c++) {
    v[c] = col + c < in ? canonical(v[c], FLOOR_GRADIENT) : 0.0f;
    if (with_y) v[c] = above[c] > 0.0f ? v[c] * scale : 0.0f;
  }
  *(global float4 *)d_x = vload4(0, v);
}

/* Steps a parameter by its gradient, or stores the gradient. */
static inline void parameter_update(bool store, const sgd_rule *rule, float g, global float *w, global float *v,
                                    global uint *flag, uint step) {
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

#endif
