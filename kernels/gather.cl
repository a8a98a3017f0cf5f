/* gather: y (rows, width) = source[order[first + i]] · scale, from elements of any type to panels.
 * source is row-major; `order` is only read when `ordered`. Shares of pieces of rows. */
#include "gather.h"

OUTLINED_FUNCTION void gather_piece(int element, global const uchar *source, ulong from, int width, int piece,
                                    float scale, global float *y, int y_stride) {
  gather_panels(element, source, from, width, piece * GATHER_PANELS, min(PANELS(width), (piece + 1) * GATHER_PANELS),
                scale, y, y_stride);
}

kernel void gather(GATHER_PARAMETERS) {
  FOR_LINES(GATHER_PIECES(width), gather_rows, row, piece) {
    ulong from = gather_first + (ulong)row;
    if (gather_ordered) from = gather_order[from];
    gather_piece(element, source, from, width, piece, gather_scale, gathered + line_index(0, gathered_stride, row),
                 gathered_stride);
  }
}
