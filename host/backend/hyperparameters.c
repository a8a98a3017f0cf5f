#include "backend/hyperparameters.h"

#include "exact_math.h"

/* Smaller rates would meet the floors of stored values (docs/numerics.md) and do nothing. NaN is in no range. */
static bool zero_or_within(float x, float least, float most) {
  return x == 0.0f || (x >= least && x <= most);
}

static const float largest_below_one = 0x1.fffffep-1f;

static mlp_cl_status check_rates(const mlp_cl_recipe *recipe, mlp_cl_error *error) {
  if (!zero_or_within(recipe->learning_rate, 0x1p-30f, 0x1p30f))
    return fail(error, MLP_CL_BAD_ARGUMENT, "learning_rate is %g: give 0, or a value from 2^-30 to 2^30",
                (double)recipe->learning_rate);
  if (!zero_or_within(recipe->weight_decay, 0x1p-30f, 1.0f))
    return fail(error, MLP_CL_BAD_ARGUMENT, "weight_decay is %g: give 0, or a value from 2^-30 to 1",
                (double)recipe->weight_decay);
  return MLP_CL_OK;
}

mlp_cl_status sgd_from_recipe(const mlp_cl_recipe *recipe, sgd *update, mlp_cl_error *error) {
  TRY(check_rates(recipe, error));
  if (!zero_or_within(recipe->momentum, 0x1p-30f, largest_below_one))
    return fail(error, MLP_CL_BAD_ARGUMENT, "momentum is %g: give 0, or a value from 2^-30 to below 1",
                (double)recipe->momentum);
  if (recipe->nesterov && recipe->momentum == 0.0f)
    return fail(error, MLP_CL_BAD_ARGUMENT, "nesterov is set and momentum is 0: give a momentum, such as 0.9");
  *update = (sgd){.learning_rate = recipe->learning_rate,
                  .momentum = recipe->momentum,
                  .weight_decay = recipe->weight_decay,
                  .nesterov = recipe->nesterov};
  return MLP_CL_OK;
}

mlp_cl_status adam_from_recipe(const mlp_cl_recipe *recipe, adam_rates *rates, mlp_cl_error *error) {
  TRY(check_rates(recipe, error));
  const float betas[] = {recipe->beta1, recipe->beta2};
  for (int i = 0; i < 2; i++)
    if (!zero_or_within(betas[i], 0x1p-30f, largest_below_one))
      return fail(error, MLP_CL_BAD_ARGUMENT, "beta%d is %g: give 0, or a value from 2^-30 to below 1", i + 1,
                  (double)betas[i]);
  if (!(recipe->epsilon >= 0x1p-40f && recipe->epsilon <= 1.0f))
    return fail(error, MLP_CL_BAD_ARGUMENT, "epsilon is %g: give a value from 2^-40 to 1, such as 1e-8",
                (double)recipe->epsilon);
  *rates = (adam_rates){.learning_rate = recipe->learning_rate,
                        .beta1 = recipe->beta1,
                        .beta2 = recipe->beta2,
                        .epsilon = recipe->epsilon,
                        .weight_decay = recipe->weight_decay,
                        .decoupled = recipe->optimiser == MLP_CL_ADAMW};
  return MLP_CL_OK;
}

double whole_power(double base, uint64_t exponent) {
  double result = 1.0;
  for (; exponent > 0; exponent >>= 1, base *= base)
    if ((exponent & 1) != 0) result *= base;
  return result;
}

adam adam_of_step(const adam_rates *rates, uint64_t t) {
  double beta1 = (double)rates->beta1, beta2 = (double)rates->beta2, rate = (double)rates->learning_rate;
  float kept = exact_sqrt((float)(1.0 - whole_power(beta2, t)));
  return (adam){.rate = (float)(rate / (1.0 - whole_power(beta1, t))),
                .root = 1.0f / kept,
                .keep2 = rates->beta2,
                .add1 = (float)(1.0 - beta1),
                .add2 = (float)(1.0 - beta2),
                .epsilon = rates->epsilon,
                .weight_decay = rates->weight_decay,
                .shrink = (float)fma(-rate, (double)rates->weight_decay, 1.0),
                .decoupled = rates->decoupled};
}

mlp_cl_status dropout_from_rate(float rate, bool unscaled, dropout *mask, mlp_cl_error *error) {
  if (!(rate >= 0.0f && rate < 1.0f))
    return fail(error, MLP_CL_BAD_ARGUMENT, "dropout is %g: give a value from 0 to below 1", (double)rate);
  /* rate · 2^32 + 1/2 is exact in double: the rate has 24 bits. The largest rate below 1 gives 2^32 - 2^8. */
  uint64_t threshold = (uint64_t)((double)rate * 0x1p32 + 0.5);
  double kept = 0x1p32 - (double)threshold;
  *mask = (dropout){.threshold = (uint32_t)threshold, .scale = unscaled ? 1.0f : (float)(0x1p32 / kept)};
  return MLP_CL_OK;
}

mlp_cl_status clip_norm_from_recipe(const mlp_cl_recipe *recipe, float *clip_norm, mlp_cl_error *error) {
  if (!zero_or_within(recipe->clip_norm, 0x1p-30f, 0x1p30f))
    return fail(error, MLP_CL_BAD_ARGUMENT, "clip_norm is %g: give 0, or a value from 2^-30 to 2^30",
                (double)recipe->clip_norm);
  *clip_norm = recipe->clip_norm;
  return MLP_CL_OK;
}

mlp_cl_status label_terms_from_recipe(const mlp_cl_recipe *recipe, size_t outputs, bool *has_terms,
                                      mlp_cl_error *error) {
  size_t count = recipe->class_weights_count;
  if (!zero_or_within(recipe->label_smoothing, 0x1p-30f, largest_below_one))
    return fail(error, MLP_CL_BAD_ARGUMENT, "label_smoothing is %g: give 0, or a value from 2^-30 to below 1",
                (double)recipe->label_smoothing);
  if (count != 0 && recipe->class_weights == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "class_weights is NULL, and class_weights_count %zu", count);
  if (count != 0 && count != outputs)
    return fail(error, MLP_CL_BAD_ARGUMENT, "class_weights are %zu numbers: give one for each of the %zu outputs",
                count, outputs);
  for (size_t i = 0; i < count; i++)
    if (!zero_or_within(recipe->class_weights[i], 0x1p-30f, 0x1p30f))
      return fail(error, MLP_CL_BAD_ARGUMENT, "the weight of class %zu is %g: give 0, or a value from 2^-30 to 2^30", i,
                  (double)recipe->class_weights[i]);
  *has_terms = count > 0 || recipe->label_smoothing != 0.0f;
  return MLP_CL_OK;
}

float loss_scale(mlp_cl_task task, bool mean, size_t rows, size_t outputs) {
  float factor = task == MLP_CL_REGRESSION ? 2.0f : 1.0f;
  size_t terms = task == MLP_CL_CLASSIFICATION ? rows : rows * outputs;
  return mean ? factor / (float)terms : factor;
}
