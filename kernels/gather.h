/* A row of a batch from a row of the source: conversion, scaling, zeros behind the last column. */
#ifndef GATHER_H
#define GATHER_H

#include "panel.h"

/* Element types of a source: as in mlp_cl_element. */
#define ELEMENT_UINT8 0
#define ELEMENT_INT8 1
#define ELEMENT_INT16 2
#define ELEMENT_FLOAT32 3
#define ELEMENT_BYTES(element) ((element) == ELEMENT_FLOAT32 ? 4 : (element) == ELEMENT_INT16 ? 2 : 1)

#define GATHER_PARAMETERS                                                                              \
  int gather_rows, int width, ulong gather_first, int gather_ordered, float gather_scale, int element, \
      global const uchar *source, global const uint *gather_order, global float *gathered, int gathered_stride

/* The pieces of a row that gather.cl shares: so many panels each, which a CPU reads in one stream. */
#define GATHER_PIECES(width) ((PANELS(width) + GATHER_PANELS - 1) / GATHER_PANELS)

#if VECTOR_LINES

/* 16 elements from `row`; those behind `width` are 0. */
#define GATHER_LINE(TYPE)                                                                       \
  static inline line line_of_##TYPE(global const TYPE *row, int begin, int width) {             \
    if (begin + PANEL <= width) return convert_float16(vload16(0, row + begin));                \
    float tail[PANEL];                                                                          \
    for (int i = 0; i < PANEL; i++) tail[i] = begin + i < width ? (float)row[begin + i] : 0.0f; \
    return vload16(0, tail);                                                                    \
  }

#else

/* This lane's element. */
#define GATHER_LINE(TYPE)                                                           \
  static inline line line_of_##TYPE(global const TYPE *row, int begin, int width) { \
    return begin + lane() < width ? (float)row[begin + lane()] : 0.0f;              \
  }

#endif

/* Panels [panel, panel_end) of the row. Scaled integers are 0 or large, mostly: then no floor is looked for. */
#define GATHER_DEFINE(TYPE, IS_INTEGER)                                                                      \
  GATHER_LINE(TYPE)                                                                                          \
  static inline void gather_##TYPE(global const TYPE *row, int width, int panel, int panel_end, float scale, \
                                   global float *y, int y_stride) {                                          \
    bool is_canonical = IS_INTEGER && scale >= FLOOR_VALUE;                                                  \
    for (; panel < panel_end; panel++) {                                                                     \
      line x = line_of_##TYPE(row, panel * PANEL, width) * scale;                                            \
      store_line(y, line_index(panel, y_stride, 0), is_canonical ? x : canonical(x, FLOOR_VALUE));           \
    }                                                                                                        \
  }

GATHER_DEFINE(uchar, true)
GATHER_DEFINE(char, true)
GATHER_DEFINE(short, true)
GATHER_DEFINE(float, false)

/* Panels [panel, panel_end) of row `from` of the source, to the row of the batch whose first line is at `y`. */
static inline void gather_panels(int element, global const uchar *source, ulong from, int width, int panel,
                                 int panel_end, float scale, global float *y, int y_stride) {
  global const uchar *row = source + from * (ulong)width * (ulong)ELEMENT_BYTES(element);
  switch (element) {
    case ELEMENT_UINT8: gather_uchar(row, width, panel, panel_end, scale, y, y_stride); break;
    case ELEMENT_INT8: gather_char((global const char *)row, width, panel, panel_end, scale, y, y_stride); break;
    case ELEMENT_INT16: gather_short((global const short *)row, width, panel, panel_end, scale, y, y_stride); break;
    default: gather_float((global const float *)row, width, panel, panel_end, scale, y, y_stride); break;
  }
}

#endif
