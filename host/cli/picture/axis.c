/* See axis.h. */
#include "picture/axis.h"

#include <math.h>
#include <stdio.h>

/* One, two or five times a power of ten, at least `distance`. */
static double round_up(double distance) {
  double power = pow(10, floor(log10(distance) + 1e-9));
  double share = distance / power;
  return power * (share <= 1.0001 ? 1 : share <= 2.0001 ? 2 : share <= 5.0001 ? 5 : 10);
}

/* `least_share` is the shortest axis, as a share of its numbers: below, labels would be long or alike. */
static void widen(axis *a, double least_share) {
  if (!(a->low <= a->high)) a->low = 0, a->high = 1;
  double least = least_share * fmax(fabs(a->low), fabs(a->high));
  if (a->high - a->low > least) return;
  double middle = a->low, margin = middle == 0 ? 1 : fabs(middle) / 2;
  a->low = middle - margin;
  a->high = middle + margin;
}

static void add_ticks(axis *a, double step) {
  for (double i = ceil(a->low / step - 1e-9); i * step <= a->high + step * 1e-9; i++) {
    if (a->ticks_count < AXIS_TICKS_MAX) a->ticks[a->ticks_count++] = i * step;
  }
}

axis axis_linear(double low, double high) {
  axis a = {.low = low, .high = high};
  widen(&a, 1e-3);
  double largest = fmax(fabs(a.low), fabs(a.high));
  if (largest >= 1e5 || largest < 1e-3) a.exponent = (int)floor(log10(largest) + 1e-9);
  double step = round_up((a.high - a.low) / 5);
  a.low = floor(a.low / step + 1e-9) * step;
  a.high = ceil(a.high / step - 1e-9) * step;
  add_ticks(&a, step);
  return a;
}

axis axis_whole(double low, double high) {
  axis a = {.low = low, .high = high};
  widen(&a, 1e-6);
  add_ticks(&a, fmax(1, round_up((a.high - a.low) / 10)));
  return a;
}

axis axis_logarithmic(double low, double high) {
  axis a = {.low = low / 1.15, .high = high * 1.15, .logarithmic = true};
  int first = (int)floor(log10(low)), last = (int)ceil(log10(high)), every = (last - first) / 8 + 1;
  for (int e = first; e <= last; e += every) {
    const int factors[] = {1, 2, 5};
    for (int f = 0; f < (last - first <= 3 ? 3 : 1); f++) {
      double tick = factors[f] * pow(10, e);
      if (tick >= a.low && tick <= a.high && a.ticks_count < AXIS_TICKS_MAX) a.ticks[a.ticks_count++] = tick;
    }
  }
  return a;
}

double axis_place(const axis *a, double value) {
  double share = a->logarithmic ? log(value / a->low) / log(a->high / a->low) : (value - a->low) / (a->high - a->low);
  return a->from + share * (a->to - a->from);
}

const char *axis_label(const axis *a, double tick, char buffer[40]) {
  if (a->logarithmic && (tick > 9e4 || tick < 9e-4)) {
    int exponent = (int)floor(log10(tick) + 1e-9);
    snprintf(buffer, 40, "%.0fe%d", tick / pow(10, exponent), exponent);
    return buffer;
  }
  if (a->logarithmic) {
    snprintf(buffer, 40, "%.6g", tick);
    return buffer;
  }
  double unit = pow(10, a->exponent), step = (a->ticks_count > 1 ? a->ticks[1] - a->ticks[0] : fabs(tick)) / unit;
  int decimals = step > 0 && step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
  snprintf(buffer, 40, "%.*f", decimals < 8 ? decimals : 8, tick == 0 ? 0.0 : tick / unit);
  return buffer;
}
