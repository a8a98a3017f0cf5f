/* dropout: y = kept ? x · scale : 0; forward on values, backward on gradients with the same mask. x, y (rows, cols).
 * Shares of four rows of a panel. */
#include "dropout.h"

kernel void dropout(int rows, int cols, MASK_PARAMETERS, global const float *x, int x_stride, global float *y,
                    int y_stride) {
  const mask m = MASK_FROM_PARAMETERS;
  FOR_LINES((rows + MASK_ROWS - 1) / MASK_ROWS, PANELS(cols), panel, four) {
    int row = four * MASK_ROWS;
    uint_line words[MASK_ROWS];
    mask_words(&m, row, panel, cols, words);
    for (int r = 0; r < min(MASK_ROWS, rows - row); r++) {
      line kept = mask_apply(&m, words[r], load_line(x, line_index(panel, x_stride, row + r)));
      store_line(y, line_index(panel, y_stride, row + r), kept);
    }
  }
}
