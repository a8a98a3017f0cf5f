/* Loss, prediction and gradient of each row, from its logits. */
#include <assert.h>
#include <stdlib.h>

#include "reference/operations.h"

/* d = (p - onehot) · scale, where d holds e on entry. */
static void gradient_row(size_t count, float sum, size_t label, float scale, float *d) {
  probability_row(count, d, sum, FLOOR_GRADIENT, d);
  d[label] -= 1.0f;
  for (size_t j = 0; j < count; j++) d[j] = canonical(d[j] * scale, FLOOR_GRADIENT);
}

mlp_cl_status reference_cross_entropy(const cross_entropy *c, mlp_cl_error *error) {
  size_t cols = c->logits->cols;
  assert(c->rows <= c->logits->rows && c->slot + c->rows <= c->losses->cols);
  float *e = malloc(cols * sizeof *e);
  if (e == NULL) return fail_memory(error, cols * sizeof *e, "a row of exponentials");
  for (size_t i = 0; i < c->rows; i++) {
    const float *x = floats_of(c->logits) + i * cols;
    size_t label = (size_t)integers_of(c->labels)[ordered_row(c->order, c->first + i)];
    assert(label < cols);
    float *d = c->d_logits != NULL ? floats_of(c->d_logits) + i * cols : e;
    softmax_sum s = softmax_row(cols, x, d);
    float loss = exact_log(s.sum) - (x[label] - s.max);
    floats_of(c->losses)[c->slot + i] = isnan(loss) ? EXACT_NAN : loss;
    integers_of(c->predictions)[c->slot + i] = (int32_t)s.best;
    if (!isfinite(loss)) lower_flag(c->flag, c->step);
    if (c->d_logits != NULL) gradient_row(cols, s.sum, label, c->scale, d);
  }
  free(e);
  return MLP_CL_OK;
}
