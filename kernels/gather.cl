/* gather: y (rows, width) = source[order[first + i]] · scale, from ELEMENTs to panels.
 * source is row-major; `order` is only read when `ordered`. Shares of lines, a row's one after the other. */
#include "gather.h"

kernel void gather(int rows, int width, ulong first, int ordered, float scale, global const ELEMENT *source,
                   global const uint *order, global float *y, int y_stride) {
  FOR_LINES(PANELS(width), rows, row, panel) {
    ulong from = first + (ulong)row;
    if (ordered) from = order[from];
    gather_line(source + from * (ulong)width, width, panel, scale, y + line_index(panel, y_stride, row));
  }
}
