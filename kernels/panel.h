/* The layout of every float32 tensor on a device: panels of 16 columns, one line of 16 floats per row and panel.
 *
 *   element (row, col) of a matrix with `stride` rows per panel:  [(col / 16 · stride + row) · 16 + col % 16]
 *
 *     panel 0: row 0 | c0 … c15 |   panel 1: row 0 | c16 … c31 |   …   the last panel is filled up with zeros
 *              row 1 | c0 … c15 |            row 1 | c16 … c31 |
 *
 * It is never repacked: a product reads one operand as lines (16 columns at once) and one by its elements, where a
 * line holds the next 16 of them. A gradient may also have its transpose in this layout. */
#ifndef PANEL_H
#define PANEL_H

#include "exact_math.h"

#define PANEL 16
typedef float16 line;

#define PANELS(cols) (((cols) + PANEL - 1) / PANEL)

static inline size_t line_index(int panel, int stride, int row) {
  return ((size_t)panel * (size_t)stride + (size_t)row) * PANEL;
}

static inline size_t element_index(int stride, int row, int col) {
  return line_index(col / PANEL, stride, row) + (size_t)(col % PANEL);
}

static inline line load_line(global const float *tensor, size_t index) {
  return *(global const line *)(tensor + index);
}

static inline void store_line(global float *tensor, size_t index, line value) {
  *(global line *)(tensor + index) = value;
}

/* 0 … 15 + first: the columns of a line. */
static inline int16 line_columns(int panel) {
  return (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) + panel * PANEL;
}

/* The units [begin, end) that this work-item does: one each where there are enough work-items, as on GPUs, else an
 * equal share in one piece. The grid is one-dimensional and of any size. */
typedef struct {
  long begin, end;
} share;

static inline share share_of(long units) {
  long id = (long)get_global_id(0), ids = (long)get_global_size(0);
  if (ids >= units) return (share){id, min(id + 1, units)};
  return (share){units * id / ids, units * (id + 1) / ids};
}

/* Runs the body for each line (panel, row) of this work-item's share of a matrix; rows run fastest. */
#define FOR_LINES(rows, panels, panel, row)                                                         \
  for (share share_ = share_of((long)(rows) * (panels)); share_.begin < share_.end; share_.begin++) \
    for (int panel = (int)(share_.begin / (rows)), row = (int)(share_.begin % (rows)), once_ = 1; once_; once_ = 0)

/* Transposes 16 lines in registers: log2(16) rounds that exchange halves, quarters, … of line pairs. */
static inline __attribute__((always_inline)) void transpose_lines(line b[PANEL]) {
#pragma unroll
  for (int i = 0; i < 8; i++) {
    line p = b[i], q = b[i + 8];
    b[i] = (line)(p.lo, q.lo);
    b[i + 8] = (line)(p.hi, q.hi);
  }
#pragma unroll
  for (int h = 0; h < 16; h += 8)
#pragma unroll
    for (int i = h; i < h + 4; i++) {
      line p = b[i], q = b[i + 4];
      b[i] = (line)(p.s0123, q.s0123, p.s89ab, q.s89ab);
      b[i + 4] = (line)(p.s4567, q.s4567, p.scdef, q.scdef);
    }
#pragma unroll
  for (int h = 0; h < 16; h += 4)
#pragma unroll
    for (int i = h; i < h + 2; i++) {
      line p = b[i], q = b[i + 2];
      b[i] = (line)(p.s01, q.s01, p.s45, q.s45, p.s89, q.s89, p.scd, q.scd);
      b[i + 2] = (line)(p.s23, q.s23, p.s67, q.s67, p.sab, q.sab, p.sef, q.sef);
    }
#pragma unroll
  for (int i = 0; i < 16; i += 2) {
    line p = b[i], q = b[i + 1];
    b[i] = (line)(p.s0, q.s0, p.s2, q.s2, p.s4, q.s4, p.s6, q.s6, p.s8, q.s8, p.sa, q.sa, p.sc, q.sc, p.se, q.se);
    b[i + 1] = (line)(p.s1, q.s1, p.s3, q.s3, p.s5, q.s5, p.s7, q.s7, p.s9, q.s9, p.sb, q.sb, p.sd, q.sd, p.sf, q.sf);
  }
}

#endif
