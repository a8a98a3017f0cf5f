#include "operations/operation.h"

#define LAYERS (1u << 24)

mlp_cl_status operation_mask(const mlp_cl_mask *named, dropout *mask, mlp_cl_error *error) {
  TRY(dropout_from_rate(named->rate, named->unscaled, mask, error));
  if (named->layer >= LAYERS)
    return fail(error, MLP_CL_BAD_ARGUMENT, "dropout: layer is %lu: give a number below 2^24",
                (unsigned long)named->layer);
  mask->seed = named->seed;
  mask->step = named->step;
  mask->layer = named->layer;
  mask->first_row = named->first_row;
  return MLP_CL_OK;
}

/* Forward and backward differ by the role of x and y alone: it decides the floor of what is stored. */
static mlp_cl_status run(mlp_cl_context *context, tensor_role role, size_t rows, size_t cols, const mlp_cl_mask *named,
                         const float *x, float *y, mlp_cl_error *error) {
  CHECK_ARRAYS("dropout", error, context, named, x, y);
  TRY(operation_check_size("dropout", rows, cols, error));
  dropout mask;
  TRY(operation_mask(named, &mask, error));
  TRY(context_prove(context, "dropout", error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  const tensor *input = operation_tensor(&set, role, rows, cols, x);
  tensor *output = operation_tensor(&set, role, rows, cols, NULL);
  DO(&set, dropout, rows, &mask, input, output);
  tensor_set_read(&set, output, y);
  return tensor_set_end(&set);
}

mlp_cl_status mlp_cl_dropout(mlp_cl_context *context, size_t rows, size_t cols, const mlp_cl_mask *mask, const float *x,
                             float *y, mlp_cl_error *error) {
  return run(context, TENSOR_ACTIVATION, rows, cols, mask, x, y, error);
}

mlp_cl_status mlp_cl_dropout_backward(mlp_cl_context *context, size_t rows, size_t cols, const mlp_cl_mask *mask,
                                      const float *d_y, float *d_x, mlp_cl_error *error) {
  return run(context, TENSOR_GRADIENT, rows, cols, mask, d_y, d_x, error);
}
