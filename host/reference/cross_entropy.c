/* Loss, prediction and gradient of each row, from its logits. */
#include <assert.h>
#include <stdlib.h>

#include "reference/operations.h"

/* d = (p - onehot) · scale, where d holds e on entry. */
static void gradient_row(size_t count, float sum, size_t label, float scale, float *d) {
  probability_row(count, sum, FLOOR_GRADIENT, d);
  d[label] -= 1.0f;
  for (size_t j = 0; j < count; j++) d[j] = canonical(d[j] * scale, FLOOR_GRADIENT);
}

typedef struct shares {
  float weight, on, off;
} shares;

static shares shares_of(const label_terms *terms, size_t classes, size_t label) {
  float off = terms->smoothing / (float)classes;
  return (shares){.weight = terms->weights != NULL ? floats_of(terms->weights)[label] : 1.0f,
                  .on = (1.0f - terms->smoothing) + off,
                  .off = off};
}

static float loss_with_terms(const label_terms *terms, size_t count, const float *x, const softmax_sum *s,
                             size_t label) {
  float lanes[LANES] = {0};
  for (size_t j = 0; j < count; j++) lanes[j % LANES] += x[j] - s->max;
  float mean = lanes_sum(lanes) * (1.0f / (float)count);
  float inner = fmaf(1.0f - terms->smoothing, x[label] - s->max, terms->smoothing * mean);
  return canonical(shares_of(terms, count, label).weight * (exact_log(s->sum) - inner), FLOOR_GRADIENT);
}

/* As gradient_row. */
static void gradient_with_terms(const label_terms *terms, size_t count, float sum, size_t label, float scale,
                                float *d) {
  shares q = shares_of(terms, count, label);
  float factor = q.weight * scale;
  probability_row(count, sum, FLOOR_GRADIENT, d);
  for (size_t j = 0; j < count; j++) d[j] = canonical((d[j] - (j == label ? q.on : q.off)) * factor, FLOOR_GRADIENT);
}

/* The first that is the largest; 0 where none is. */
static size_t first_index(size_t count, const float *x, float max) {
  for (size_t j = 0; j < count; j++)
    if (x[j] == max) return j;
  return 0;
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
    float loss =
        c->terms != NULL ? loss_with_terms(c->terms, cols, x, &s, label) : exact_log(s.sum) - (x[label] - s.max);
    floats_of(c->losses)[c->slot + i] = isnan(loss) ? EXACT_NAN : loss;
    integers_of(c->predictions)[c->slot + i] = (int32_t)first_index(cols, x, s.max);
    if (!isfinite(loss)) lower_flag(c->flag, c->step);
    if (c->d_logits == NULL) continue;
    if (c->terms != NULL)
      gradient_with_terms(c->terms, cols, s.sum, label, c->scale, d);
    else
      gradient_row(cols, s.sum, label, c->scale, d);
  }
  free(e);
  return MLP_CL_OK;
}
