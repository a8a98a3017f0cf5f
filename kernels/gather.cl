/* gather: y (rows, width) = source[order[first + i]] · scale, from elements of any type to panels.
 * source is row-major; `order` is only read when `ordered`. Shares of blocks of 16 rows of a panel, which are
 * read in 16 streams and written in one piece. */
#include "gather.h"

kernel void gather(int rows, int width, ulong first, int ordered, float scale, int element, global const uchar *source,
                   global const uint *order, global float *y, int y_stride) {
  FOR_LINES(PANELS(width), (rows + PANEL - 1) / PANEL, block, panel) {
    for (int row = block * PANEL; row < min(rows, (block + 1) * PANEL); row++) {
      ulong from = first + (ulong)row;
      if (ordered) from = order[from];
      gather_line(element, source, from, width, panel, scale, y + line_index(panel, y_stride, row));
    }
  }
}
