/* Loss, score and gradient of each row whose outputs have numbers for targets: squared error and sigmoid
 * cross-entropy. */
#include <assert.h>

#include "activation.h"
#include "reference/operations.h"

typedef struct row_sums {
  float loss[LANES], score[LANES];
} row_sums;

static float gradient_of(float d, float scale) {
  float g = d * scale;
  return isfinite(g) ? canonical(g, FLOOR_GRADIENT) : EXACT_NAN;
}

/* d may be NULL, here and below. */
static void squared_row(size_t count, const float *x, const float *targets, float scale, row_sums *sums, float *d) {
  for (size_t j = 0; j < count; j++) {
    float apart = x[j] - canonical(targets[j], FLOOR_VALUE);
    sums->loss[j % LANES] = fmaf(apart, apart, sums->loss[j % LANES]);
    sums->score[j % LANES] += exact_magnitude(apart);
    if (d != NULL) d[j] = gradient_of(apart, scale);
  }
}

static void sigmoid_row(size_t count, const float *x, const float *targets, float scale, row_sums *sums, float *d) {
  for (size_t j = 0; j < count; j++) {
    float t = canonical(targets[j], FLOOR_VALUE);
    logistic l = logistic_of(x[j]);
    float part = fmaf(-x[j], t, x[j] > 0.0f ? x[j] : 0.0f) + softplus_of_minus(l);
    sums->loss[j % LANES] += canonical(part, FLOOR_GRADIENT);
    sums->score[j % LANES] += (x[j] > 0.0f) == (t > 0.5f) ? 1.0f : 0.0f;
    if (d != NULL) d[j] = gradient_of(logistic_value(l, x[j]) - t, scale);
  }
}

mlp_cl_status reference_target_loss(const target_loss *t, mlp_cl_error *error) {
  (void)error;
  size_t cols = t->outputs->cols;
  float per_output = 1.0f / (float)cols;
  assert(t->rows <= t->outputs->rows && t->targets->cols == cols && t->slot + t->rows <= t->losses->cols);
  for (size_t i = 0; i < t->rows; i++) {
    const float *x = floats_of(t->outputs) + i * cols;
    const float *targets = floats_of(t->targets) + ordered_row(t->order, t->first + i) * cols;
    float *d = t->d_outputs != NULL ? floats_of(t->d_outputs) + i * cols : NULL;
    row_sums sums = {{0}, {0}};
    if (t->task == MLP_CL_REGRESSION)
      squared_row(cols, x, targets, t->scale, &sums, d);
    else
      sigmoid_row(cols, x, targets, t->scale, &sums, d);
    float loss = lanes_sum(sums.loss) * per_output, score = lanes_sum(sums.score) * per_output;
    bool finite = isfinite(loss) && isfinite(score);
    floats_of(t->losses)[t->slot + i] = finite ? canonical(loss, FLOOR_GRADIENT) : EXACT_NAN;
    floats_of(t->scores)[t->slot + i] = finite ? canonical(score, FLOOR_GRADIENT) : EXACT_NAN;
    if (!finite) lower_flag(t->flag, t->step);
  }
  return MLP_CL_OK;
}
