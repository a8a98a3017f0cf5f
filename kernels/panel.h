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
#include "sizes.h"

/* What works on tiles in registers is inlined, whatever the compiler thinks of its size. */
#define TILE_FUNCTION static inline __attribute__((always_inline))

#define PANELS(cols) (((cols) + PANEL - 1) / PANEL)

static inline size_t line_index(int panel, int stride, int row) {
  return ((size_t)panel * (size_t)stride + (size_t)row) * PANEL;
}

static inline size_t element_index(int stride, int row, int col) {
  return line_index(col / PANEL, stride, row) + (size_t)(col % PANEL);
}

/* Lines come in two forms, so that one text serves both kinds of devices. With VECTOR_LINES (CPUs) a work-item holds a
 * whole line as a vector; without (GPUs) 16 work-items in a row hold a value each: `line` is then a float, lane number
 * local id % 16, and only what goes across lanes, at the end, needs local memory and a work-group of 16. */
#ifndef VECTOR_LINES
#define VECTOR_LINES 1
#endif

#if VECTOR_LINES

typedef float16 line;
typedef int16 int_line;
typedef uint16 uint_line;
#define LINE_ITEMS 1
#define AS_UINT_LINE as_uint16

/* For the work of a kernel. PoCL inlines a kernel in each of two launchers and keeps it besides: what is not inlined in
 * it is compiled once instead of three times. And the loops of the caller keep their registers. */
#define OUTLINED_FUNCTION static inline __attribute__((noinline))
#define LANES_FUNCTION OUTLINED_FUNCTION

static inline line load_line(global const float *tensor, size_t index) {
  return *(global const line *)(tensor + index);
}

static inline void store_line(global float *tensor, size_t index, line value) {
  *(global line *)(tensor + index) = value;
}

/* The columns that a line of the panel holds. */
static inline int_line line_columns(int panel) {
  return (int_line)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) + panel * PANEL;
}

#else

typedef float line;
typedef int int_line;
typedef uint uint_line;
#define LINE_ITEMS PANEL
#define AS_UINT_LINE as_uint
#define OUTLINED_FUNCTION static inline

/* For what the lanes do together: Intel's compiler for CPUs mixes up the work-items of a function with barriers that is
 * called. */
#define LANES_FUNCTION TILE_FUNCTION

static inline int lane(void) {
  return (int)get_local_id(0) % PANEL;
}

static inline line load_line(global const float *tensor, size_t index) {
  return tensor[index + (size_t)lane()];
}

static inline void store_line(global float *tensor, size_t index, line value) {
  tensor[index + (size_t)lane()] = value;
}

static inline int_line line_columns(int panel) {
  return panel * PANEL + lane();
}

#endif

/* The units [begin, end) that are done by worker `id` of `ids`: one each where there are enough workers, as on GPUs,
 * else an equal share in one piece. */
typedef struct {
  long begin, end;
} share;

static inline share share_of(long units, long id, long ids) {
  if (ids >= units) return (share){id, min(id + 1, units)};
  return (share){units * id / ids, units * (id + 1) / ids};
}

/* Runs the body once for each unit of this work-item's share. */
#define FOR_UNITS(units, unit)                                                                                        \
  for (share share_ = share_of((units), (long)get_global_id(0), (long)get_global_size(0)); share_.begin < share_.end; \
       share_.begin++)                                                                                                \
    for (long unit = share_.begin, once_ = 1; once_; once_ = 0)

/* The same for units that are done by the work-items of a line together. */
#define FOR_LINE_UNITS(units, unit)                                                                                  \
  for (share share_ = share_of((units), (long)get_global_id(0) / LINE_ITEMS, (long)get_global_size(0) / LINE_ITEMS); \
       share_.begin < share_.end; share_.begin++)                                                                    \
    for (int unit = (int)share_.begin, once_ = 1; once_; once_ = 0)

/* Runs the body for each line (panel, row) of a share of a matrix; rows run fastest. */
#define FOR_LINES(rows, panels, panel, row)                                                  \
  for (share share_ = share_of((long)(rows) * (panels), (long)get_global_id(0) / LINE_ITEMS, \
                               (long)get_global_size(0) / LINE_ITEMS);                       \
       share_.begin < share_.end; share_.begin++)                                            \
    for (int panel = (int)(share_.begin / (rows)), row = (int)(share_.begin % (rows)), once_ = 1; once_; once_ = 0)

static inline bool is_finite(float x) {
  return (as_uint(x) & 0x7f800000u) != 0x7f800000u;
}

#if VECTOR_LINES

/* Transposes 16 lines: log2(16) rounds that exchange halves, quarters, … of line pairs. */
OUTLINED_FUNCTION void transpose_lines(line b[PANEL]) {
#pragma unroll
  for (int i = 0; i < 8; i++) {
    line p = b[i], q = b[i + 8];
    b[i] = (line)(p.lo, q.lo);
    b[i + 8] = (line)(p.hi, q.hi);
  }
#pragma unroll
  for (int pair = 0; pair < 8; pair++) {
    int i = pair + (pair & 4);
    line p = b[i], q = b[i + 4];
    b[i] = (line)(p.s0123, q.s0123, p.s89ab, q.s89ab);
    b[i + 4] = (line)(p.s4567, q.s4567, p.scdef, q.scdef);
  }
#pragma unroll
  for (int pair = 0; pair < 8; pair++) {
    int i = pair + (pair & 6);
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

#endif
