/* Adam, as torch.optim.Adam and AdamW write it down, with the root of the mean square as its state. */
#include <assert.h>

#include "reference/operations.h"

static HOT bool adam_step_row(const adam *r, size_t count, const float *gradient, float *w, float *m, float *s) {
  bool finite = true;
  for (size_t j = 0; j < count; j++) {
    float g = gradient[j], kept = w[j];
    if (r->weight_decay != 0.0f && !r->decoupled) g = canonical(fmaf(r->weight_decay, kept, g), FLOOR_GRADIENT);
    if (r->weight_decay != 0.0f && r->decoupled) kept = canonical(kept * r->shrink, FLOOR_VALUE);
    m[j] = canonical(fmaf(r->add1, g - m[j], m[j]), FLOOR_GRADIENT);
    s[j] = canonical(exact_sqrt(fmaf(r->keep2 * s[j], s[j], r->add2 * g * g)), FLOOR_GRADIENT);
    float step = canonical(exact_divide(m[j], fmaf(s[j], r->root, r->epsilon)), FLOOR_GRADIENT);
    w[j] = canonical(fmaf(-r->rate, step, kept), FLOOR_VALUE);
    finite &= isfinite(w[j]) != 0 && isfinite(s[j]) != 0;
  }
  return finite;
}

bool adam_row(const adam *rule, size_t count, const float *g, float *w, float *m, float *s) {
  return adam_step_row(rule, count, g, w, m, s);
}

mlp_cl_status reference_adam(const adam_step *a, mlp_cl_error *error) {
  (void)error;
  assert(a->gradient->rows == a->weight->rows && a->gradient->cols == a->weight->cols);
  if (!adam_row(&a->rule, a->weight->rows * a->weight->cols, floats_of(a->gradient), floats_of(a->weight),
                floats_of(a->moment), floats_of(a->rms)))
    lower_flag(a->flag, a->step);
  return MLP_CL_OK;
}
