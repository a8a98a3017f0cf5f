/* The arithmetic of the numerics contract (docs/numerics.md): one text, compiled as C and as OpenCL C, so that a device
 * and the reference run the same definition. Only + - * fma, comparisons, selections and integer operations are used,
 * and with CORRECT_DIVISION a device's own / and sqrt: IEEE-754 defines each to the last bit. No product is ever an
 * operand of + or -. */
#ifndef EXACT_MATH_H
#define EXACT_MATH_H

/* The smallest magnitudes that stores keep, by role of the tensor: see `canonical`. */
#define FLOOR_VALUE 0x1p-30f    /* data, weights, activations */
#define FLOOR_GRADIENT 0x1p-50f /* gradients, optimiser state */

#if defined(__FAST_MATH__) || defined(__FAST_RELAXED_MATH__)
#error "fast-math flags break the numerics contract: build without -ffast-math, -Ofast and -cl-fast-relaxed-math"
#endif

#ifdef __OPENCL_C_VERSION__

#pragma OPENCL FP_CONTRACT OFF
#define EXACT_FMA(a, b, c) fma((a), (b), (c))
#define EXACT_FUNCTION static inline __attribute__((overloadable))
/* Stands before a loop that adds one term after the other: Intel's compiler takes eight and more in another order
 * unless LLVM's pragma forbids it. Sums by fma it leaves alone. */
#define IN_ORDER _Pragma("clang loop vectorize(disable) interleave(disable)")

/* Whether the device's own / and sqrt are correctly rounded, and faster than what the body makes of fma. */
#ifndef CORRECT_DIVISION
#define CORRECT_DIVISION 0
#endif

#define REAL float16
#define UINT uint16
#define AS_UINT as_uint16
#define AS_REAL as_float16
#include "exact_math_body.h"
#undef REAL
#undef UINT
#undef AS_UINT
#undef AS_REAL

#define AS_UINT as_uint
#define AS_REAL as_float
#define UINT uint

#else

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "float expressions must be evaluated as float: build with SSE2 or an equal"
#endif

#define CORRECT_DIVISION 0

/* Not fma: that one works in double and rounds twice on the way back to float. */
#define EXACT_FMA(a, b, c) fmaf((a), (b), (c))
#define EXACT_FUNCTION static inline __attribute__((always_inline)) /* into code for other processors, too */

static inline uint32_t exact_as_uint(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float exact_as_real(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

#define AS_UINT exact_as_uint
#define AS_REAL exact_as_real
#define UINT uint32_t

#endif

#define REAL float
#include "exact_math_body.h"
#undef REAL
#undef UINT
#undef AS_UINT
#undef AS_REAL

#endif
