/* One step of stochastic gradient descent on parameters in registers: sgd.cl runs it alone, the weight gradients in
 * their epilogues. Each line of the rule is one fma, made canonical. */
#ifndef SGD_H
#define SGD_H

#include "panel.h"

typedef struct {
  float learning_rate, momentum, weight_decay;
  int nesterov;
} sgd_rule;

#define SGD_PARAMETERS float learning_rate, float momentum, float weight_decay, int nesterov
#define SGD_FROM_PARAMETERS \
  { learning_rate, momentum, weight_decay, nesterov }

/* sgd_step(rule, gradient, weight, velocity): returns the new weight and updates *velocity, which is only used with
 * momentum. For single values and for lines. */
#define SGD_DEFINE(REAL)                                                                                              \
  static inline __attribute__((overloadable, always_inline)) REAL sgd_step(const sgd_rule *rule, REAL g, REAL weight, \
                                                                           REAL *velocity) {                          \
    if (rule->weight_decay != 0.0f) g = canonical(fma((REAL)(rule->weight_decay), weight, g), FLOOR_GRADIENT);        \
    if (rule->momentum != 0.0f) {                                                                                     \
      REAL v = canonical(fma((REAL)(rule->momentum), *velocity, g), FLOOR_GRADIENT);                                  \
      *velocity = v;                                                                                                  \
      g = rule->nesterov ? canonical(fma((REAL)(rule->momentum), v, g), FLOOR_GRADIENT) : v;                          \
    }                                                                                                                 \
    return canonical(fma((REAL)(-rule->learning_rate), g, weight), FLOOR_VALUE);                                      \
  }

SGD_DEFINE(float)
#if VECTOR_LINES
SGD_DEFINE(line)
#endif

/* The bits of |x|: ordered as numbers are, infinities and NaN last. Parameters that are not finite are looked for many
 * at a time, by the largest of these; by integers, because Mesa's compiler takes x · 0 for 0 whatever x is. */
static inline __attribute__((overloadable)) uint magnitude(float x) {
  return as_uint(x) & 0x7fffffffu;
}

#define INFINITY_BITS 0x7f800000u

/* Whether all of x are below the limit. */
static inline __attribute__((overloadable)) bool below(uint x, uint limit) {
  return x < limit;
}

#if VECTOR_LINES
static inline __attribute__((overloadable)) uint_line magnitude(line x) {
  return as_uint16(x) & 0x7fffffffu;
}

static inline __attribute__((overloadable)) bool below(uint_line x, uint limit) {
  uint8 eight = max(x.lo, x.hi);
  ulong2 words = as_ulong2(max(eight.lo, eight.hi) >= (uint4)(limit)); /* two words are tested by one instruction */
  return (words.x | words.y) == 0;
}
#endif

/* Steps `count` lines at `w`, and at `v` when there is momentum, by sums that are not canonical yet; *largest grows to
 * the new weights' magnitudes. */
OUTLINED_FUNCTION void sgd_update(const sgd_rule *rule, int count, const line *sum, global float *w, global float *v,
                                  uint_line *largest) {
  for (size_t i = 0; i < (size_t)(count * PANEL); i += PANEL) {
    line velocity = rule->momentum != 0.0f ? load_line(v, i) : (line)(0.0f);
    line weight = sgd_step(rule, canonical(sum[i / PANEL], FLOOR_GRADIENT), load_line(w, i), &velocity);
    if (rule->momentum != 0.0f) store_line(v, i, velocity);
    store_line(w, i, weight);
    *largest = max(*largest, magnitude(weight));
  }
}

#if VECTOR_LINES

/* Where the rule is one fma, neither canonical() changes anything if the new weight's magnitude is this or more: a
 * gradient below its floor, which counts as 0, adds less than a quarter of the weight's last place and is lost in
 * rounding. Infinite for other rules. */
static inline uint sgd_far(const sgd_rule *rule) {
  float far = rule->learning_rate * 0x1p-22f;
  if (rule->momentum != 0.0f || rule->weight_decay != 0.0f) return INFINITY_BITS;
  return magnitude(far > FLOOR_VALUE ? far : FLOOR_VALUE);
}

/* sgd_update where all new weights are finite and far from 0; else nothing, and false. */
static inline __attribute__((always_inline)) bool sgd_update_far(const sgd_rule *rule, uint far, int count,
                                                                 const line *sum, global float *w) {
  const line rate = (line)(-rule->learning_rate);
  uint_line beyond = (uint_line)(0);
#pragma unroll
  for (int i = 0; i < count; i++)
    beyond = max(beyond, magnitude(fma(rate, sum[i], load_line(w, (size_t)(i * PANEL)))) - far);
  if (!below(beyond, INFINITY_BITS - far)) return false;
#pragma unroll
  for (int i = 0; i < count; i++)
    store_line(w, (size_t)(i * PANEL), fma(rate, sum[i], load_line(w, (size_t)(i * PANEL))));
  return true;
}

#endif

#endif
