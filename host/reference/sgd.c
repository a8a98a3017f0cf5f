/* Stochastic gradient descent, as torch.optim.SGD with dampening 0 writes it down. */
#include <assert.h>

#include "reference/operations.h"

static HOT bool step_row(const sgd *update, size_t count, const float *g, float *w, float *v) {
  bool finite = true;
  for (size_t j = 0; j < count; j++) {
    float step = g[j];
    if (update->weight_decay != 0.0f) step = canonical(fmaf(update->weight_decay, w[j], step), FLOOR_GRADIENT);
    if (v != NULL) {
      v[j] = canonical(fmaf(update->momentum, v[j], step), FLOOR_GRADIENT);
      step = update->nesterov ? canonical(fmaf(update->momentum, v[j], step), FLOOR_GRADIENT) : v[j];
    }
    w[j] = canonical(fmaf(-update->learning_rate, step, w[j]), FLOOR_VALUE);
    finite &= isfinite(w[j]) != 0;
  }
  return finite;
}

bool sgd_row(const sgd *update, size_t count, const float *g, float *w, float *v) {
  return step_row(update, count, g, w, v);
}

mlp_cl_status reference_sgd(const sgd *update, const tensor *gradient, tensor *weight, tensor *velocity, tensor *flag,
                            uint32_t step, mlp_cl_error *error) {
  (void)error;
  assert(gradient->rows == weight->rows && gradient->cols == weight->cols);
  assert((update->momentum != 0.0f) == (velocity != NULL));
  float *v = velocity != NULL ? floats_of(velocity) : NULL;
  if (!sgd_row(update, weight->rows * weight->cols, floats_of(gradient), floats_of(weight), v)) lower_flag(flag, step);
  return MLP_CL_OK;
}
