/* One row of logits: its maximum, the exponentials and their sum in the contract's order. 16 lanes (column mod 16, so a
 * lane of the line) each add in ascending order; then a fixed tree: lane l + lane l+8, l+4, l+2, l+1. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

#include "panel.h"

static inline float sum_of_lanes(line x) {
  float8 eight = x.lo + x.hi;
  float4 four = eight.lo + eight.hi;
  float2 two = four.lo + four.hi;
  return two.x + two.y;
}

static inline float maximum_of_lanes(line x) {
  float8 eight = x.lo > x.hi ? x.lo : x.hi;
  float4 four = eight.lo > eight.hi ? eight.lo : eight.hi;
  float2 two = four.lo > four.hi ? four.lo : four.hi;
  return two.x > two.y ? two.x : two.y;
}

/* Lanes behind the last column count as -infinity. */
static inline line load_logits(global const float *logits, int stride, int row, int panel, int cols) {
  line x = load_line(logits, line_index(panel, stride, row));
  return line_columns(panel) < (int16)(cols) ? x : (line)(-INFINITY);
}

/* e^(x - maximum), 0 below 2^-50. */
static inline line exponentials(line x, float maximum) {
  return canonical(exact_exp(x - (line)(maximum)), FLOOR_GRADIENT);
}

typedef struct {
  float maximum, sum;
  bool finite;
} softmax_row;

static inline softmax_row softmax_sum(global const float *logits, int stride, int row, int cols) {
  line top = (line)(-INFINITY);
  int16 broken = (int16)(0);
  int panels = PANELS(cols);
  for (int panel = 0; panel < panels; panel++) {
    line x = load_logits(logits, stride, row, panel, cols);
    top = x > top ? x : top;
    broken |= (((as_uint16(x) & 0x7f800000u) == (uint16)(0x7f800000u)) & (line_columns(panel) < (int16)(cols)));
  }
  softmax_row result;
  result.maximum = maximum_of_lanes(top);
  result.finite = !any(broken);
  line sum = (line)(0.0f);
  for (int panel = 0; panel < panels; panel++)
    sum += exponentials(load_logits(logits, stride, row, panel, cols), result.maximum);
  result.sum = sum_of_lanes(sum);
  return result;
}

#endif
