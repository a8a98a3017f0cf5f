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

static inline __attribute__((overloadable)) bool not_finite(uint largest) {
  return largest >= 0x7f800000u;
}

#if VECTOR_LINES
static inline __attribute__((overloadable)) uint_line magnitude(line x) {
  return as_uint16(x) & 0x7fffffffu;
}

static inline __attribute__((overloadable)) bool not_finite(uint_line largest) {
  return any(largest >= (uint_line)(0x7f800000u));
}
#endif

/* Steps the lines at `w`, and at `v` when there is momentum; *largest grows to the new weights' magnitudes. */
static inline __attribute__((always_inline)) void sgd_update(const sgd_rule *rule, line g, global float *w,
                                                             global float *v, uint_line *largest) {
  line velocity = rule->momentum != 0.0f ? load_line(v, 0) : (line)(0.0f);
  line weight = sgd_step(rule, g, load_line(w, 0), &velocity);
  if (rule->momentum != 0.0f) store_line(v, 0, velocity);
  store_line(w, 0, weight);
  *largest = max(*largest, magnitude(weight));
}

#endif
