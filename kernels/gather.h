/* One line of a batch from one row of the source: conversion, scaling, zeros behind the last column. */
#ifndef GATHER_H
#define GATHER_H

#include "panel.h"

/* Element types of a source: as in mlp_cl_element. */
#define ELEMENT_UINT8 0
#define ELEMENT_INT8 1
#define ELEMENT_INT16 2
#define ELEMENT_FLOAT32 3
#define ELEMENT_BYTES(element) ((element) == ELEMENT_FLOAT32 ? 4 : (element) == ELEMENT_INT16 ? 2 : 1)

#if VECTOR_LINES

/* 16 elements from `row`; those behind `width` are 0. */
#define GATHER_DEFINE(TYPE)                                                                     \
  static inline line gather_##TYPE(global const TYPE *row, int begin, int width) {              \
    if (begin + PANEL <= width) return convert_float16(vload16(0, row + begin));                \
    float tail[PANEL];                                                                          \
    for (int i = 0; i < PANEL; i++) tail[i] = begin + i < width ? (float)row[begin + i] : 0.0f; \
    return vload16(0, tail);                                                                    \
  }

#else

/* This lane's element. */
#define GATHER_DEFINE(TYPE)                                                        \
  static inline line gather_##TYPE(global const TYPE *row, int begin, int width) { \
    return begin + lane() < width ? (float)row[begin + lane()] : 0.0f;             \
  }

#endif

GATHER_DEFINE(uchar)
GATHER_DEFINE(char)
GATHER_DEFINE(short)
GATHER_DEFINE(float)

/* The line of `panel` from row `from` of the source. */
static inline void gather_line(int element, global const uchar *source, ulong from, int width, int panel, float scale,
                               global float *y) {
  global const uchar *row = source + from * (ulong)width * (ulong)ELEMENT_BYTES(element);
  int begin = panel * PANEL;
  line x;
  switch (element) {
    case ELEMENT_UINT8: x = gather_uchar(row, begin, width); break;
    case ELEMENT_INT8: x = gather_char((global const char *)row, begin, width); break;
    case ELEMENT_INT16: x = gather_short((global const short *)row, begin, width); break;
    default: x = gather_float((global const float *)row, begin, width); break;
  }
  store_line(y, 0, canonical(x * scale, FLOOR_VALUE));
}

#endif
