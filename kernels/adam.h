/* One step of Adam, or AdamW, on parameters in registers: adam.cl runs it alone, the weight gradients in their
 * epilogues. */
#ifndef ADAM_H
#define ADAM_H

#include "sgd.h"

typedef struct {
  float rate, root, keep2, add1, add2, epsilon, weight_decay, shrink;
  int decoupled;
} adam_rule;

#define ADAM_PARAMETERS                                                                                         \
  float rate, float root, float keep2, float add1, float add2, float epsilon, float weight_decay, float shrink, \
      int decoupled
#define ADAM_FROM_PARAMETERS \
  { rate, root, keep2, add1, add2, epsilon, weight_decay, shrink, decoupled }

/* Of 2^60: below it, with epsilon from 2^-40 to 1 and root below 2^13, exact_root and exact_ratio are enough. */
#define USUAL_BITS 0x5d800000u

/* The new weight; *moment and *rms, the root of the mean square, are updated. The gradient is canonical. */
static inline line adam_step(const adam_rule *rule, line g, line weight, line *moment, line *rms) {
  line m = *moment, s = *rms;
  if (rule->weight_decay != 0.0f && !rule->decoupled)
    g = canonical(fma((line)(rule->weight_decay), weight, g), FLOOR_GRADIENT);
  if (rule->weight_decay != 0.0f && rule->decoupled) weight = canonical(weight * rule->shrink, FLOOR_VALUE);
  m = canonical(fma((line)(rule->add1), g - m, m), FLOOR_GRADIENT);
  line square = fma(s * rule->keep2, s, g * rule->add2 * g), u;
  if (below(max(magnitude(m), magnitude(square)), USUAL_BITS)) {
    s = exact_root(square);
    u = exact_ratio(m, fma(s, (line)(rule->root), (line)(rule->epsilon)));
  } else {
    s = canonical(exact_sqrt(square), FLOOR_GRADIENT);
    u = exact_divide(m, fma(s, (line)(rule->root), (line)(rule->epsilon)));
  }
  u = canonical(u, FLOOR_GRADIENT);
  *moment = m;
  *rms = s;
  return canonical(fma((line)(-rule->rate), u, weight), FLOOR_VALUE);
}

#endif
