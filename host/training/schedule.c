#include "training/schedule.h"

#include <math.h>

#include "backend/hyperparameters.h"

const char *mlp_cl_schedule_name(mlp_cl_schedule schedule) {
  switch (schedule) {
    case MLP_CL_CONSTANT: return "constant";
    case MLP_CL_STEP: return "step";
    case MLP_CL_COSINE: return "cosine";
  }
  return NULL;
}

mlp_cl_status schedule_check(const mlp_cl_recipe *recipe, mlp_cl_error *error) {
  if (mlp_cl_schedule_name(recipe->schedule) == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "there is no schedule %d", (int)recipe->schedule);
  if (recipe->schedule == MLP_CL_STEP && recipe->decay_epochs == 0)
    return fail(error, MLP_CL_BAD_ARGUMENT, "decay_epochs is 0: give the epochs between two steps of the rate");
  if (recipe->schedule == MLP_CL_STEP && !(recipe->decay_factor > 0.0f && recipe->decay_factor <= 1.0f))
    return fail(error, MLP_CL_BAD_ARGUMENT, "decay_factor is %g: give a value above 0, up to 1, such as 0.1",
                (double)recipe->decay_factor);
  if (recipe->warmup_epochs > recipe->epochs)
    return fail(error, MLP_CL_BAD_ARGUMENT, "warmup_epochs is %lu, and the run has %lu epochs: give at most as many",
                (unsigned long)recipe->warmup_epochs, (unsigned long)recipe->epochs);
  return MLP_CL_OK;
}

/* cos(π x) for x in [0, 1/2]: the first twelve terms of its series, by Horner's rule. */
static double cosine_of_turn(double x) {
  double angle = 3.141592653589793 * x, square = angle * angle, sum = 1.0;
  for (int k = 11; k > 0; k--) sum = fma(-square / (double)((2 * k - 1) * (2 * k)), sum, 1.0);
  return sum;
}

/* `epoch` of `epochs`, both without the warm-up. */
static double factor_of_epoch(const mlp_cl_recipe *recipe, uint32_t epoch, uint32_t epochs) {
  if (recipe->schedule == MLP_CL_STEP) return whole_power((double)recipe->decay_factor, epoch / recipe->decay_epochs);
  if (recipe->schedule != MLP_CL_COSINE) return 1.0;
  double x = (double)epoch / (double)epochs;
  return x <= 0.5 ? 0.5 * (1.0 + cosine_of_turn(x)) : 0.5 * (1.0 - cosine_of_turn(1.0 - x));
}

bool schedule_warms_up(const mlp_cl_recipe *recipe, size_t epoch_steps, uint64_t step) {
  return step < (uint64_t)recipe->warmup_epochs * epoch_steps;
}

float schedule_rate(const mlp_cl_recipe *recipe, size_t epoch_steps, uint64_t step) {
  uint64_t warmup_steps = (uint64_t)recipe->warmup_epochs * epoch_steps;
  double factor = step < warmup_steps ? (double)(step + 1) / (double)warmup_steps
                                      : factor_of_epoch(recipe, (uint32_t)(step / epoch_steps) - recipe->warmup_epochs,
                                                        recipe->epochs - recipe->warmup_epochs);
  float rate = (float)((double)recipe->learning_rate * factor);
  return rate < 0x1p-30f ? 0.0f : rate;
}
