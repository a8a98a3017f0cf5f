/* One axis of a chart: the range of its values, its round numbers, and where a value lies. */
#ifndef AXIS_H
#define AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { AXIS_TICKS_MAX = 24 };

typedef struct axis {
  double low, high;
  double from, to; /* where low and high lie in the picture */
  bool logarithmic;
  int exponent; /* of the power of ten that the labels count in; 0 unless numbers are very large or small */
  double ticks[AXIS_TICKS_MAX];
  size_t ticks_count;
} axis;

/* From a round number to a round number around [low, high], which may be one value or empty (low > high); about five
 * ticks. */
axis axis_linear(double low, double high);
/* [low, high] as it is, with ticks at whole numbers. */
axis axis_whole(double low, double high);
/* Ticks at powers of ten and, where those are few, at twice and five times them; 0 < low. */
axis axis_logarithmic(double low, double high);
double axis_place(const axis *a, double value);
/* A tick's number over the axis' power of ten, as short as it stays distinct from its neighbours. */
const char *axis_label(const axis *a, double tick, char buffer[40]);

#endif
