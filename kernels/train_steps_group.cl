/* train_steps for GPUs: one work-group runs whole training steps, for networks so small that a step's launches take
 * longer than its work. Phases end with a barrier of the group, which is all the order that OpenCL 1.2 promises and all
 * that is needed:
 *
 *   gather | forward of each layer | loss | gradients of the inputs, from the last layer on | all updates
 *
 * A work-item computes four neighbouring columns at a time. Batches have at most one leaf of rows (batch_sum.h). */
#include "activation_lines.h"
#include "gather.h"
#include "quad.h"
#include "train_steps.h"

/* Work-items of the group, a multiple of 16. */
#ifndef STEP_ITEMS
#define STEP_ITEMS 64
#endif

#define ITEM ((int)get_local_id(0))
#define LINES_AT_A_TIME (STEP_ITEMS / PANEL)
#define QUADS_OF(cols) (((cols) + 3) / 4)
#define END_OF_PHASE() barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)

static void gather_batch(const job *j, const step_rows *s) {
  const int panels = PANELS(j->width);
  for (int u = ITEM / PANEL; u < s->rows * panels; u += LINES_AT_A_TIME) {
    const int row = u / panels, panel = u % panels;
    gather_panels(j->element, j->source, row_of_source(j, s->first + (ulong)row), j->width, panel, panel + 1,
                  j->source_scale, j->x + line_index(0, j->x_stride, row), j->x_stride);
  }
}

/* Columns col … col+3 of a row of x · weight. */
static float4 product_quad(global const float *x, int x_stride, int row, global const float *weight, int weight_stride,
                           int in, int col) {
  float4 total = (float4)(0.0f);
  for (int begin = 0; begin < in; begin += BLOCK_FEATURES) {
    const int end = min(in, begin + BLOCK_FEATURES);
    float4 sum = (float4)(0.0f);
    int k = begin;
#pragma unroll 4
    for (; k + 4 <= end; k += 4) {
      float4 a = load_quad(x, x_stride, row, k);
      sum = fma((float4)(a.x), load_quad(weight, weight_stride, k, col), sum);
      sum = fma((float4)(a.y), load_quad(weight, weight_stride, k + 1, col), sum);
      sum = fma((float4)(a.z), load_quad(weight, weight_stride, k + 2, col), sum);
      sum = fma((float4)(a.w), load_quad(weight, weight_stride, k + 3, col), sum);
    }
    for (; k < end; k++)
      sum = fma((float4)(x[element_index(x_stride, row, k)]), load_quad(weight, weight_stride, k, col), sum);
    total = begin == 0 ? sum : total + sum;
  }
  return total;
}

/* y[0 … 3] = dropout(f(z)) for columns col … col+3 of `out`, where f is not ReLU. */
static void quad_activation_forward(int kind, const mask *m, int row, int col, int out, global const float *z,
                                    global float *y) {
  uint words[4];
  float v[4];
  quad_words(m, row, col, out, words);
  vstore4(*(global const float4 *)z, 0, v);
  for (int c = 0; c < 4; c++) v[c] = col + c < out ? activation_forward_step(kind, m, words[c], v[c]) : 0.0f;
  *(global float4 *)y = vload4(0, v);
}

/* d[0 … 3] = dropout(d) · f'(z) for the same. */
static void quad_activation_backward(int kind, const mask *m, int row, int col, int out, global const float *z,
                                     global float *d) {
  uint words[4];
  float v[4], x[4];
  quad_words(m, row, col, out, words);
  vstore4(*(global const float4 *)z, 0, x);
  vstore4(*(global const float4 *)d, 0, v);
  for (int c = 0; c < 4; c++) v[c] = col + c < out ? activation_backward_step(kind, m, words[c], x[c], v[c]) : 0.0f;
  *(global float4 *)d = vload4(0, v);
}

static void forward(const job *j, const step_rows *s, int i) {
  const layer *l = &j->layers[i];
  const bool hidden = i + 1 < j->layers_count, fused = j->activation == ACTIVATION_RELU || !hidden;
  const int quads = QUADS_OF(l->out);
  int x_stride;
  global const float *x = input_of_layer(j, i, j->x, &x_stride);
  mask m, fused_mask;
  mask_of_layer(j, s, i, &m);
  fused_mask = m;
  if (!fused) fused_mask.threshold = 0;
  for (int u = ITEM; u < s->rows * quads; u += STEP_ITEMS) {
    const int row = u / quads, col = u % quads * 4;
    const float4 total = product_quad(x, x_stride, row, l->weight.value, l->weight.stride, l->in, col);
    global float *y = l->y + element_index(l->y_stride, row, col), *z = l->z + element_index(l->z_stride, row, col);
    quad_forward(total, row, col, l->out, j->with_bias, l->bias.value, l->bias.stride, hidden && fused, &fused_mask,
                 fused ? y : z);
    if (!fused) quad_activation_forward(j->activation, &m, row, col, l->out, z, y);
  }
}

/* All work-items come here as often: those without a row do the last one again. */
static void loss(const job *j, const step_rows *s, local int *memory) {
  loss_batch b;
  loss_of_step(j, s, &b);
  const int line = ITEM / PANEL;
  for (int row = 0; row < s->rows; row += LINES_AT_A_TIME) {
    const int row_or_last = min(row + line, s->rows - 1);
#if TARGETS
    target_loss_row(&b, row_or_last, memory + line * PANEL);
#else
    cross_entropy_row(&b, row_or_last, memory + line * PANEL);
#endif
  }
}

static void backward_input(const job *j, const step_rows *s, int i) {
  const layer *l = &j->layers[i], *under = &j->layers[i - 1];
  const bool fused = j->activation == ACTIVATION_RELU;
  const int quads = QUADS_OF(l->in);
  mask m;
  mask_of_layer(j, s, i - 1, &m);
  for (int u = ITEM; u < s->rows * quads; u += STEP_ITEMS) {
    const int row = u / quads, col = u % quads * 4;
    const float4 total =
        quad_over_outputs(l->d_y, l->d_y_stride, row, l->weight.value, l->weight.stride, l->in, l->out, col);
    global float *d = under->d_y + element_index(under->d_y_stride, row, col);
    quad_backward_input(total, col, l->in, fused, under->y + element_index(under->y_stride, row, col), j->dropout.scale,
                        d);
    if (!fused)
      quad_activation_backward(j->activation, &m, row, col, l->in, under->z + element_index(under->z_stride, row, col),
                               d);
  }
}

static void update(const job *j, const step_rows *s, int i) {
  const layer *l = &j->layers[i];
  const int quads = QUADS_OF(l->out);
  const uint step = j->first_step + (uint)s->number;
  int x_stride;
  global const float *x = input_of_layer(j, i, j->x, &x_stride);
  update_rule rule;
  rule_of_step(j, s, &rule);
  for (int u = ITEM; u < l->in * quads; u += STEP_ITEMS) {
    const int row = u / quads, col = u % quads * 4;
    float4 sum = (float4)(0.0f);
#pragma unroll 8
    for (int r = 0; r < s->rows; r++)
      sum = fma((float4)(x[element_index(x_stride, r, row)]), load_quad(l->d_y, l->d_y_stride, r, col), sum);
    quad_update(false, &rule, sum, col, l->out, &l->weight, element_index(l->weight.stride, row, col), j->flag, step);
  }
  for (int col = ITEM; j->with_bias && col < l->out; col += STEP_ITEMS)
    bias_update(false, &rule, l->d_y, l->d_y_stride, s->rows, col, &l->bias, j->flag, step);
}

__attribute__((reqd_work_group_size(STEP_ITEMS, 1, 1))) kernel void STEPS_KERNEL(JOB_PARAMETERS) {
  const job j = JOB_FROM_PARAMETERS;
  local int memory[STEP_ITEMS];
  (void)progress;
  for (int number = 0; number < steps; number++) {
    const step_rows s = step_begin(&j, number);
    gather_batch(&j, &s);
    END_OF_PHASE();
    for (int i = 0; i < layers_count; i++) {
      forward(&j, &s, i);
      END_OF_PHASE();
    }
    loss(&j, &s, memory);
    END_OF_PHASE();
    for (int i = layers_count - 1; i > 0; i--) {
      backward_input(&j, &s, i);
      END_OF_PHASE();
    }
    for (int i = 0; i < layers_count; i++) update(&j, &s, i);
    END_OF_PHASE();
  }
}
