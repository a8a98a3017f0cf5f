#include "operations/operation.h"

mlp_cl_status mlp_cl_sgd(mlp_cl_context *context, size_t rows, size_t cols, const mlp_cl_recipe *recipe,
                         const float *gradient, float *weight, float *velocity, mlp_cl_error *error) {
  CHECK_ARRAYS("sgd", error, context, recipe, gradient, weight);
  TRY(operation_check_size("sgd", rows, cols, error));
  sgd update;
  TRY(sgd_from_recipe(recipe, &update, error));
  bool momentum = update.momentum != 0.0f;
  if (momentum && velocity == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "sgd: velocity is NULL and momentum is %g: pass an array, at first zeros",
                (double)update.momentum);
  TRY(context_prove(context, "sgd", error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  const tensor *slope = operation_tensor(&set, TENSOR_GRADIENT, rows, cols, gradient);
  tensor *updated = operation_tensor(&set, TENSOR_WEIGHT, rows, cols, weight);
  tensor *moving = momentum ? operation_tensor(&set, TENSOR_STATE, rows, cols, velocity) : NULL;
  DO(&set, sgd, &update, slope, updated, moving, NULL, 0);
  tensor_set_read(&set, updated, weight);
  tensor_set_read(&set, moving, velocity);
  return tensor_set_end(&set);
}
