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

/* Looks for parameters that are not finite, many at a time: `doubt` begins as 0 and stays so until one of them is added,
 * times 0; then it is NaN. */
static inline __attribute__((overloadable)) float add_doubt(float doubt, float x) {
  return fma(x, 0.0f, doubt);
}

static inline __attribute__((overloadable)) bool not_finite(float doubt) {
  return doubt != 0.0f;
}

#if VECTOR_LINES
static inline __attribute__((overloadable)) line add_doubt(line doubt, line x) {
  return fma(x, (line)(0.0f), doubt);
}

static inline __attribute__((overloadable)) bool not_finite(line doubt) {
  return any(doubt != (line)(0.0f));
}
#endif

/* Steps the lines at `w`, and at `v` when there is momentum. */
static inline __attribute__((always_inline)) void sgd_update(const sgd_rule *rule, line g, global float *w,
                                                             global float *v, line *doubt) {
  line velocity = rule->momentum != 0.0f ? load_line(v, 0) : (line)(0.0f);
  line weight = sgd_step(rule, g, load_line(w, 0), &velocity);
  if (rule->momentum != 0.0f) store_line(v, 0, velocity);
  store_line(w, 0, weight);
  *doubt = add_doubt(*doubt, weight);
}

#endif
