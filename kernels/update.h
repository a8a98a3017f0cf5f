/* The update in the epilogue of the weight gradients: that of sgd.h, or with ADAM, in programs of their own, that of
 * adam.h. */
#ifndef UPDATE_H
#define UPDATE_H

#include "adam.h"
#include "sgd.h"

#ifndef ADAM
#define ADAM 0
#endif

/* A layer's weights, or its biases, with what the optimiser keeps of each. */
typedef struct {
  global float *value, *velocity /* Adam's moment */, *rms;
  int stride;
} parameters;

#define PARAMETERS_OF(name) \
  global float *name, global float *name##_velocity, global float *name##_rms, int name##_stride
#define PARAMETERS_FROM(name) \
  { name, name##_velocity, name##_rms, name##_stride }

#if ADAM

typedef adam_rule update_rule;
#define UPDATE_PARAMETERS ADAM_PARAMETERS
#define UPDATE_FROM_PARAMETERS ADAM_FROM_PARAMETERS
#define UPDATE_KERNEL(name) name##_adam

static inline bool keeps_velocity(const update_rule *rule) {
  (void)rule;
  return true;
}

/* The new weight; what the optimiser keeps is updated. The gradient is canonical. */
static inline line update_step(const update_rule *rule, line g, line weight, line *velocity, line *rms) {
  return adam_step(rule, g, weight, velocity, rms);
}

/* Steps `count` lines from index `at` on by sums that are not canonical yet; *largest grows to the magnitudes of what
 * has to be finite. */
OUTLINED_FUNCTION void update_lines(const update_rule *rule, int count, const line *sum, const parameters *p, size_t at,
                                    uint_line *largest) {
  global float *value = p->value + at, *moment = p->velocity + at, *rms = p->rms + at;
  for (size_t i = 0; i < (size_t)(count * PANEL); i += PANEL) {
    line m = load_line(moment, i), s = load_line(rms, i);
    line w = adam_step(rule, canonical(sum[i / PANEL], FLOOR_GRADIENT), load_line(value, i), &m, &s);
    store_line(moment, i, m);
    store_line(rms, i, s);
    store_line(value, i, w);
    *largest = max(*largest, max(magnitude(w), magnitude(s)));
  }
}

static inline uint update_far(const update_rule *rule) {
  (void)rule;
  return INFINITY_BITS;
}

static inline bool update_lines_far(const update_rule *rule, uint far, int count, const line *sum, const parameters *p,
                                    size_t at) {
  (void)rule, (void)far, (void)count, (void)sum, (void)p, (void)at;
  return false;
}

#else

typedef sgd_rule update_rule;
#define UPDATE_PARAMETERS SGD_PARAMETERS
#define UPDATE_FROM_PARAMETERS SGD_FROM_PARAMETERS
#define UPDATE_KERNEL(name) name

static inline bool keeps_velocity(const update_rule *rule) {
  return rule->momentum != 0.0f;
}

static inline line update_step(const update_rule *rule, line g, line weight, line *velocity, line *rms) {
  (void)rms;
  return sgd_step(rule, g, weight, velocity);
}

static inline void update_lines(const update_rule *rule, int count, const line *sum, const parameters *p, size_t at,
                                uint_line *largest) {
  sgd_update(rule, count, sum, p->value + at, p->velocity + at, largest);
}

#if VECTOR_LINES

/* As sgd_far, and update_lines where that allows it; else nothing, and false. */
static inline uint update_far(const update_rule *rule) {
  return sgd_far(rule);
}

static inline __attribute__((always_inline)) bool update_lines_far(const update_rule *rule, uint far, int count,
                                                                   const line *sum, const parameters *p, size_t at) {
  return sgd_update_far(rule, far, count, sum, p->value + at);
}

#endif

#endif

#endif
