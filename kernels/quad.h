/* Four neighbouring columns of a row, which share a Philox counter and are 16 bytes: of d_y · weightᵀ, and what follows
 * a product. For kernels without vector lines. */
#ifndef QUAD_H
#define QUAD_H

#include "batch_sum.h"
#include "dropout.h"
#include "update.h"

static inline float4 load_quad(global const float *tensor, int stride, int row, int col) {
  return *(global const float4 *)(tensor + element_index(stride, row, col));
}

/* Columns col … col+3 of a row of d_y · weightᵀ: Σ over outputs in their order. */
static inline float4 quad_over_outputs(global const float *d_y, int d_y_stride, int row, global const float *weight,
                                       int weight_stride, int in, int out, int col) {
  float total[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int begin = 0; begin < out; begin += BLOCK_FEATURES) {
    const int end = min(out, begin + BLOCK_FEATURES);
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int k = begin; k < end; k += 4) {
      float d[4], w[4];
      vstore4(load_quad(d_y, d_y_stride, row, k), 0, d);
#pragma unroll
      for (int c = 0; c < 4; c++) {
        vstore4(load_quad(weight, weight_stride, min(col + c, in - 1), k), 0, w);
#pragma unroll
        for (int q = 0; q < 4; q++) sum[c] = k + q < end ? fma(d[q], w[q], sum[c]) : sum[c];
      }
    }
#pragma unroll
    for (int c = 0; c < 4; c++) total[c] = begin == 0 ? sum[c] : total[c] + sum[c];
  }
  return vload4(0, total);
}

/* The words of the mask for columns col … col+3 of `cols`; zeros where nothing is dropped. */
static inline void quad_words(const mask *m, int row, int col, int cols, uint words[4]) {
  words[0] = words[1] = words[2] = words[3] = 0;
  if (m->threshold != 0)
    element_words(m->seed_low, m->seed_high, m->step, m->layer, m->first_row + (ulong)row, col, cols, words);
}

/* y[0 … 3] = dropout(relu(total + bias)) for columns col … col+3 of `out` */
static inline void quad_forward(float4 total, int row, int col, int out, bool with_bias, global const float *bias,
                                int bias_stride, bool with_relu, const mask *m, global float *y) {
  uint words[4];
  float v[4], b[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  quad_words(m, row, col, out, words);
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

/* One parameter in registers after its gradient, which is not canonical yet; or the gradient itself, to be stored.
 * *largest grows to the magnitudes of what has to be finite. */
static inline float parameter_after(bool store, const update_rule *rule, float gradient, float value, float *velocity,
                                    float *rms, uint *largest) {
  gradient = canonical(gradient, FLOOR_GRADIENT);
  if (store) return gradient;
  value = update_step(rule, gradient, value, velocity, rms);
  *largest = max(*largest, max(magnitude(value), magnitude(*rms)));
  return value;
}

/* The parameters of columns col … col+3 of `cols`, which begin at index `at`. */
static inline void quad_update(bool store, const update_rule *rule, float4 gradient, int col, int cols,
                               const parameters *p, size_t at, global uint *flag, uint step) {
  const bool with_velocity = !store && keeps_velocity(rule), with_rms = !store && ADAM;
  float g[4], w[4], v[4] = {0.0f, 0.0f, 0.0f, 0.0f}, s[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  uint largest = 0;
  vstore4(gradient, 0, g);
  vstore4(*(global const float4 *)(p->value + at), 0, w);
  if (with_velocity) vstore4(*(global const float4 *)(p->velocity + at), 0, v);
  if (with_rms) vstore4(*(global const float4 *)(p->rms + at), 0, s);
#pragma unroll
  for (int c = 0; c < 4; c++)
    if (col + c < cols) w[c] = parameter_after(store, rule, g[c], w[c], &v[c], &s[c], &largest);
  *(global float4 *)(p->value + at) = vload4(0, w);
  if (with_velocity) *(global float4 *)(p->velocity + at) = vload4(0, v);
  if (with_rms) *(global float4 *)(p->rms + at) = vload4(0, s);
  if (!below(largest, INFINITY_BITS)) atomic_min(flag, step);
}

/* The bias of one column, whose gradient is the sum of d_y's over the rows. */
static inline void bias_update(bool store, const update_rule *rule, global const float *d_y, int d_y_stride, int rows,
                               int col, const parameters *p, global uint *flag, uint step) {
  const bool with_velocity = !store && keeps_velocity(rule), with_rms = !store && ADAM;
  const size_t at = element_index(p->stride, 0, col);
  float v = with_velocity ? p->velocity[at] : 0.0f, s = with_rms ? p->rms[at] : 0.0f;
  uint largest = 0;
  p->value[at] = parameter_after(store, rule, batch_sum_of_element(d_y + element_index(d_y_stride, 0, col), rows),
                                 p->value[at], &v, &s, &largest);
  if (with_velocity) p->velocity[at] = v;
  if (with_rms) p->rms[at] = s;
  if (!below(largest, INFINITY_BITS)) atomic_min(flag, step);
}

#endif
