/* One line of a batch from one row of the source: conversion, scaling, zeros behind the last column. */
#ifndef GATHER_H
#define GATHER_H

#include "panel.h"

#ifndef ELEMENT
#define ELEMENT uchar
#endif
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

static inline void gather_line(global const ELEMENT *row, int width, int panel, float scale, global float *y) {
#if VECTOR_LINES
  int begin = panel * PANEL;
  line x = (line)(0.0f);
  if (begin + PANEL <= width) {
    PASTE(ELEMENT, 16) e = vload16(0, row + begin);
    x = convert_float16(e);
  } else {
    float tail[PANEL];
    for (int i = 0; i < PANEL; i++) tail[i] = begin + i < width ? (float)row[begin + i] : 0.0f;
    x = vload16(0, tail);
  }
#else
  line x = line_columns(panel) < width ? (float)row[line_columns(panel)] : 0.0f;
#endif
  store_line(y, 0, canonical(x * scale, FLOOR_VALUE));
}

#endif
