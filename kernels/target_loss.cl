/* target_loss: losses, scores and, if `gradient`, d_outputs (rows, cols) of outputs (rows, cols) against the targets of
 * row order[first + i]. Shares of rows. */
#include "target_loss.h"

kernel void target_loss(int rows, int cols, int squared, global const float *outputs, int outputs_stride,
                        global const float *targets, int ordered, global const uint *order, ulong first, float scale,
                        float per_output, int gradient, global float *d_outputs, int d_stride, global float *losses,
                        global float *scores, ulong slot, global uint *flag, uint step) {
  const target_loss_batch b = {cols,     squared != 0,  outputs,       outputs_stride, targets,       ordered != 0,
                               order,    first,         scale,         per_output,     gradient != 0, d_outputs,
                               d_stride, losses + slot, scores + slot, flag,           step};
  LANES_MEMORY(memory);
  FOR_LINE_UNITS(rows, row) target_loss_row(&b, row, memory);
}
