/* cross_entropy: losses, predictions and, if `gradient`, d_logits (rows, cols), from logits (rows, cols) and
 * labels[order[first + i]]. Shares of blocks of 16 rows with vector lines, of rows without. */
#include "cross_entropy.h"

kernel void cross_entropy(int rows, int cols, global const float *logits, int logits_stride, LABEL_PARAMETERS,
                          int gradient, global float *d_logits, int d_stride, METRIC_PARAMETERS) {
  const cross_entropy_batch b = {
      rows,       cols,          logits,   logits_stride, labels,        ordered != 0,       order, first,
      loss_scale, gradient != 0, d_logits, d_stride,      losses + slot, predictions + slot, flag,  step};
  LANES_MEMORY(memory);
#if VECTOR_LINES
  FOR_LINE_UNITS((rows + PANEL - 1) / PANEL, block) cross_entropy_block(&b, block * PANEL, memory);
#else
  FOR_LINE_UNITS(rows, row) cross_entropy_row(&b, row, memory);
#endif
}
