/* cross_entropy: from logits (rows, cols) and labels[order[first + i]]: losses[slot + i], predictions[slot + i], and,
 * if `gradient`, d_logits (rows, cols) and, if `transposed`, its transpose. Shares of blocks of `block` rows: 16 where
 * the transpose is wanted. */
#include "cross_entropy.h"
#if VECTOR_LINES
#include "transpose.h"
#endif

kernel void cross_entropy(int rows, int cols, int block, global const float *logits, int logits_stride,
                          global const int *labels, int ordered, global const uint *order, ulong first, float scale,
                          int gradient, global float *d_logits, int d_stride, int transposed,
                          global float *d_transposed, int transposed_stride, global float *losses,
                          global int *predictions, ulong slot, global uint *flag, uint step) {
  LANES_MEMORY(memory);
#if !VECTOR_LINES
  (void)transposed, (void)d_transposed, (void)transposed_stride; /* not kept where lines are not vectors */
#endif
  FOR_LINE_UNITS((rows + block - 1) / block, unit) {
    int begin = unit * block, end = min(rows, begin + block);
    for (int row = begin; row < end; row++) {
      ulong from = first + (ulong)row;
      if (ordered) from = order[from];
      cross_entropy_row(logits, logits_stride, row, cols, labels[from], scale, gradient != 0, d_logits, d_stride,
                        losses + slot + row, predictions + slot + row, flag, step, memory);
    }
#if VECTOR_LINES
    for (int panel = 0; transposed && panel < PANELS(cols); panel++)
      transpose_block(d_logits, d_stride, begin / PANEL, panel, d_transposed, transposed_stride);
#endif
  }
}
