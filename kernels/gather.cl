/* gather: y (rows, width) = source[order[first + i]] · scale, from elements of any type to panels.
 * source is row-major; `order` is only read when `ordered`. Shares of pieces of rows. */
#include "gather.h"

OUTLINED_FUNCTION void gather_piece(int element, global const uchar *source, ulong from, int width, int piece,
                                    float scale, global float *y, int y_stride) {
  gather_panels(element, source, from, width, piece * GATHER_PANELS, min(PANELS(width), (piece + 1) * GATHER_PANELS),
                scale, y, y_stride);
}

kernel void gather(int rows, int width, ulong first, int ordered, float scale, int element, global const uchar *source,
                   global const uint *order, global float *y, int y_stride) {
  FOR_LINES(GATHER_PIECES(width), rows, row, piece) {
    ulong from = first + (ulong)row;
    if (ordered) from = order[from];
    gather_piece(element, source, from, width, piece, scale, y + line_index(0, y_stride, row), y_stride);
  }
}
