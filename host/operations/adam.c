#include "operations/operation.h"

mlp_cl_status mlp_cl_adam(mlp_cl_context *context, size_t rows, size_t cols, const mlp_cl_recipe *recipe, uint32_t step,
                          const float *gradient, float *weight, float *moment, float *rms, mlp_cl_error *error) {
  CHECK_ARRAYS("adam", error, context, recipe, gradient, weight, moment, rms);
  TRY(operation_check_size("adam", rows, cols, error));
  if (step == 0) return fail(error, MLP_CL_BAD_ARGUMENT, "adam: step is 0: steps count from 1");
  adam_rates rates;
  TRY(adam_from_recipe(recipe, &rates, error));
  TRY(context_prove(context, "adam", error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  adam_step a = {.rule = adam_of_step(&rates, step),
                 .gradient = operation_tensor(&set, TENSOR_GRADIENT, rows, cols, gradient),
                 .weight = operation_tensor(&set, TENSOR_WEIGHT, rows, cols, weight),
                 .moment = operation_tensor(&set, TENSOR_STATE, rows, cols, moment),
                 .rms = operation_tensor(&set, TENSOR_STATE, rows, cols, rms)};
  DO(&set, adam, &a);
  tensor_set_read(&set, a.weight, weight);
  tensor_set_read(&set, a.moment, moment);
  tensor_set_read(&set, a.rms, rms);
  return tensor_set_end(&set);
}
