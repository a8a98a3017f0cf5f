/* output_layer for GPUs: the last layer of a classifier there and back, where one launch after the other would take
 * longer than their work. A group takes OUTPUT_ROWS rows of the batch, and goes through them three times:
 *
 *   logits = x · weight + bias | losses, predictions, d_logits | d_x = y > 0 ? (d_logits · weightᵀ) · scale : 0
 *
 * A logit is the work of OUTPUT_PARTS work-items, which sum other blocks of features. The weights of few classes are
 * few: each group reads all of them. Further groups gather the rows of the next step. */
#include "cross_entropy.h"
#include "gather.h"
#include "quad.h"

#ifndef OUTPUT_ROWS
#define OUTPUT_ROWS 2
#endif
#ifndef OUTPUT_PARTS
#define OUTPUT_PARTS OUTPUT_ROWS
#endif

#define OUTPUT_LINES (OUTPUT_ROWS * OUTPUT_PARTS)
#define OUTPUT_ITEMS (OUTPUT_LINES * PANEL)
#define LANE ((int)get_local_id(0) % PANEL)

/* The sum of one block of features, for a row of x and a column of the weights: both from its first feature on. */
static float block_sum(global const float *x, int x_stride, global const float *weight, int count) {
  float sum = 0.0f;
  int k = 0;
#pragma unroll 2
  for (; k + PANEL <= count; k += PANEL) {
    global const float *line_of_x = x + line_index(k / PANEL, x_stride, 0);
    float a[PANEL];
#pragma unroll
    for (int i = 0; i < PANEL; i += 4) vstore4(*(global const float4 *)(line_of_x + i), 0, a + i);
#pragma unroll
    for (int i = 0; i < PANEL; i++) sum = fma(a[i], weight[(size_t)(k + i) * PANEL], sum);
  }
  for (; k < count; k++) sum = fma(x[element_index(x_stride, 0, k)], weight[(size_t)k * PANEL], sum);
  return sum;
}

/* The sum over all features, which the work-items of part 0 get. */
static float feature_sum(global const float *x, int x_stride, int row, global const float *weight, int weight_stride,
                         int in, int panel, int part, local float *sums) {
  const int item = (int)get_local_id(0) % (OUTPUT_ROWS * PANEL);
  float total = 0.0f;
  for (int begin = 0; begin < in; begin += OUTPUT_PARTS * BLOCK_FEATURES) {
    const int mine = begin + part * BLOCK_FEATURES, blocks = (in - begin + BLOCK_FEATURES - 1) / BLOCK_FEATURES;
    if (mine < in)
      sums[part * OUTPUT_ROWS * PANEL + item] =
          block_sum(x + element_index(x_stride, row, mine), x_stride,
                    weight + line_index(panel, weight_stride, mine) + LANE, min(BLOCK_FEATURES, in - mine));
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; part == 0 && i < min(OUTPUT_PARTS, blocks); i++) {
      float sum = sums[i * OUTPUT_ROWS * PANEL + item];
      total = begin + i == 0 ? sum : total + sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return total;
}

/* Line `first` of the gathered rows, and each after as many as all groups of gatherers have. */
static void gather_lines(int first, int lines, GATHER_PARAMETERS) {
  const int panels = PANELS(width);
  for (int u = first; u < gather_rows * panels; u += lines) {
    const int row = u / panels, panel = u % panels;
    ulong from = gather_first + (ulong)row;
    if (gather_ordered) from = gather_order[from];
    gather_panels(element, source, from, width, panel, panel + 1, gather_scale,
                  gathered + line_index(0, gathered_stride, row), gathered_stride);
  }
}

__attribute__((reqd_work_group_size(OUTPUT_ITEMS, 1, 1))) kernel void output_layer(
    int rows, int in, int out, global const float *x, int x_stride, global const float *weight, int weight_stride,
    int with_bias, global const float *bias, int bias_stride, global float *logits, int logits_stride, LABEL_PARAMETERS,
    global float *d_logits, int d_stride, METRIC_PARAMETERS, int has_below, int with_y, global const float *y,
    int y_stride, float scale, global float *d_x, int d_x_stride, GATHER_PARAMETERS) {
  local float sums[OUTPUT_ITEMS];
  local int lanes[OUTPUT_ITEMS];
  const int line_of_group = (int)get_local_id(0) / PANEL, part = line_of_group / OUTPUT_ROWS;
  const int first_row = (int)get_group_id(0) * OUTPUT_ROWS, row = first_row + line_of_group % OUTPUT_ROWS;
  const int groups = (rows + OUTPUT_ROWS - 1) / OUTPUT_ROWS, gatherer = (int)get_group_id(0) - groups;
  if (gatherer >= 0) {
    gather_lines(gatherer * OUTPUT_LINES + line_of_group, ((int)get_num_groups(0) - groups) * OUTPUT_LINES, gather_rows,
                 width, gather_first, gather_ordered, gather_scale, element, source, gather_order, gathered,
                 gathered_stride);
    return;
  }
  const int row_or_last = min(row, rows - 1); /* all come to each barrier: those without a row do the last one again */
  for (int panel = 0; panel < PANELS(out); panel++) {
    const int col = panel * PANEL + LANE;
    float total = feature_sum(x, x_stride, row_or_last, weight, weight_stride, in, panel, part, sums);
    float v = canonical(total, FLOOR_VALUE);
    if (with_bias) v = canonical(v + bias[element_index(bias_stride, 0, col)], FLOOR_VALUE);
    if (part == 0 && row < rows && col < out) logits[element_index(logits_stride, row, col)] = v;
  }
  barrier(CLK_GLOBAL_MEM_FENCE);
  const cross_entropy_batch b = {rows,  out,        logits, logits_stride, labels,   ordered != 0,  order,
                                 first, loss_scale, true,   d_logits,      d_stride, losses + slot, predictions + slot,
                                 flag,  step};
  cross_entropy_row(&b, row_or_last, lanes + line_of_group * PANEL);
  if (!has_below) return;
  barrier(CLK_GLOBAL_MEM_FENCE);
  const int quads = (in + 3) / 4;
  for (int u = (int)get_local_id(0); u < OUTPUT_ROWS * quads; u += OUTPUT_ITEMS) {
    const int below_row = first_row + u / quads, col = u % quads * 4;
    if (below_row >= rows) break;
    quad_backward_input(quad_over_outputs(d_logits, d_stride, below_row, weight, weight_stride, in, out, col), col, in,
                        with_y != 0, y + element_index(y_stride, below_row, col), scale,
                        d_x + element_index(d_x_stride, below_row, col));
  }
}
