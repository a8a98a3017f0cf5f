/* The activation functions other than ReLU, with their derivatives: one text for C (where REAL is a float) and OpenCL C
 * (where it is a line), from the exact functions of exact_math.h. Accuracy: docs/learning.md. */
#ifndef ACTIVATION_H
#define ACTIVATION_H

#ifdef __OPENCL_C_VERSION__
#include "panel.h"
#define REAL line
#else
#include "exact_math.h"
#define REAL float
#endif

/* As mlp_cl_activation numbers them. */
enum { ACTIVATION_RELU, ACTIVATION_LEAKY_RELU, ACTIVATION_TANH, ACTIVATION_SIGMOID, ACTIVATION_GELU };

static inline REAL exact_magnitude(REAL x) {
  return x < (REAL)(0.0f) ? -x : x;
}

/* All of these come from the two values of the logistic curve: small = e^-|v|, large = 1 / (1 + e^-|v|), so that nothing
 * overflows or cancels. */
typedef struct {
  REAL small, large;
} logistic;

static inline logistic logistic_of(REAL v) {
  REAL e = exact_exp(-exact_magnitude(v));
  logistic result = {e, e <= (REAL)(1.0f) ? exact_reciprocal(e + 1.0f) : e}; /* else e is NaN */
  return result;
}

/* 1 / (1 + e^-v) */
static inline REAL logistic_value(logistic l, REAL v) {
  return v < (REAL)(0.0f) ? l.small * l.large : l.large;
}

/* tanh x, v = 2x: 1 - 2 e^-2|x| / (1 + e^-2|x|) from 0.5625 on, x + x·s·P(s) with s = x² below; P is a minimax. */
static inline REAL tanh_value(logistic l, REAL x) {
  REAL a = exact_magnitude(x), s = x * x;
  REAL p = (REAL)(-0x1.95001ap-8f);
  p = EXACT_FMA(p, s, (REAL)(0x1.582fbp-6f));
  p = EXACT_FMA(p, s, (REAL)(-0x1.b90946p-5f));
  p = EXACT_FMA(p, s, (REAL)(0x1.110c72p-3f));
  p = EXACT_FMA(p, s, (REAL)(-0x1.555548p-2f));
  REAL near = EXACT_FMA(p * s, x, x);
  REAL far = EXACT_FMA(l.small * -2.0f, l.large, (REAL)(1.0f));
  far = x < (REAL)(0.0f) ? -far : far;
  REAL y = a < (REAL)(0x1.2p-1f) ? near : far;
  return a < (REAL)(0x1p-14f) ? canonical(x, 0x1p-126f) : y;
}

/* log(1 + e^-|v|). The rounding error of 1 + e is known exactly, and made good to first order. */
static inline REAL softplus_of_minus(logistic l) {
  REAL sum = l.small + 1.0f, rest = l.small - (sum - 1.0f);
  return EXACT_FMA(rest, l.large, exact_log(sum));
}

/* What the logistic curve is taken of. GELU in its tanh form, 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x³))), is
 * x / (1 + e^-v) with this v. */
static inline REAL activation_inner(int kind, REAL x) {
  if (kind == ACTIVATION_TANH) return x + x;
  if (kind == ACTIVATION_GELU) return x * EXACT_FMA((REAL)(0x1.2444f2p-4f), x * x, (REAL)(0x1.988454p0f));
  return x;
}

/* f(x); the caller makes it canonical. */
static inline REAL activation_value(int kind, REAL x) {
  if (kind == ACTIVATION_RELU) return x <= (REAL)(0.0f) ? (REAL)(0.0f) : x;
  if (kind == ACTIVATION_LEAKY_RELU) return x > (REAL)(0.0f) ? x : x * 0x1.47ae14p-7f;
  REAL v = activation_inner(kind, x);
  logistic l = logistic_of(v);
  if (kind == ACTIVATION_TANH) return tanh_value(l, x);
  REAL y = logistic_value(l, v);
  return kind == ACTIVATION_GELU ? x * y : y;
}

/* f'(x), 0 below 2^-50. */
static inline REAL activation_slope(int kind, REAL x) {
  REAL one = (REAL)(1.0f), zero = (REAL)(0.0f);
  if (kind == ACTIVATION_RELU) return x > zero ? one : zero;
  if (kind == ACTIVATION_LEAKY_RELU) return x > zero ? one : (REAL)(0x1.47ae14p-7f);
  REAL v = activation_inner(kind, x);
  logistic l = logistic_of(v);
  REAL slope = l.small * l.large * l.large;
  if (kind == ACTIVATION_TANH) slope = slope * 4.0f;
  if (kind == ACTIVATION_GELU) {
    REAL inner = EXACT_FMA((REAL)(0x1.b6676cp-3f), x * x, (REAL)(0x1.988454p0f)); /* dv/dx */
    REAL y = logistic_value(l, v);
    slope = slope > zero ? EXACT_FMA(x * slope, inner, y) : y;
  }
  return canonical(slope, FLOOR_GRADIENT);
}

#undef REAL

#endif
