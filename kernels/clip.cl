/* clip: scales gradients down whose norm over all tensors is above a limit (backend.h has the formulas).
 *
 *   squared_blocks   one line of sums for each block of 256 rows and panel:  blocks[panel][block][16]
 *   squared_sum      blocks ascending, panels ascending, then the 16 lanes: one number a tensor
 *   clip             the tensors' numbers ascending; every work-item adds them up for itself */
#include "softmax.h"

#define CLIP_EPSILON 0x1.0c6f7ap-20f /* 1e-6f */

/* Shares of lines. */
kernel void squared_blocks(int rows, int cols, int count, global const float *gradient, int stride,
                           global float *blocks) {
  FOR_LINES(count, PANELS(cols), panel, block) {
    int end = min(rows, (block + 1) * BLOCK_FEATURES);
    line sum = (line)(0.0f);
    for (int row = block * BLOCK_FEATURES; row < end; row++) {
      line g = load_line(gradient, line_index(panel, stride, row));
      sum = fma(g, g, sum);
    }
    store_line(blocks, line_index(panel, count, block), line_columns(panel) < (int_line)(cols) ? sum : (line)(0.0f));
  }
}

/* One line's work-items. */
kernel void squared_sum(int cols, int count, global const float *blocks, global float *sums, int slot) {
  LANES_MEMORY(memory);
  line lanes = (line)(0.0f);
  IN_ORDER
  for (int panel = 0; panel < PANELS(cols); panel++) {
    line total = (line)(0.0f);
    IN_ORDER
    for (int block = 0; block < count; block++) total += load_line(blocks, line_index(panel, count, block));
    lanes += total;
  }
  sums[slot] = sum_of_lanes(lanes, memory);
}

/* Shares of lines. */
kernel void clip(int rows, int cols, int count, global const float *sums, float limit, global float *gradient,
                 int stride, global uint *flag, uint step) {
  float total = 0.0f;
  IN_ORDER
  for (int i = 0; i < count; i++) total += sums[i];
  if (!is_finite(total)) atomic_min(flag, step);
  float factor = exact_divide(limit, exact_sqrt(total) + CLIP_EPSILON);
  if (!(factor < 1.0f)) return;
  FOR_LINES(rows, PANELS(cols), panel, row) {
    size_t at = line_index(panel, stride, row);
    store_line(gradient, at, canonical(load_line(gradient, at) * factor, FLOOR_GRADIENT));
  }
}
