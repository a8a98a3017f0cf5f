#include "operations/operation.h"

mlp_cl_status mlp_cl_bias(mlp_cl_context *context, size_t rows, size_t cols, const float *x, const float *bias,
                          float *y, mlp_cl_error *error) {
  CHECK_ARRAYS("bias", error, context, x, bias, y);
  TRY(operation_check_size("bias", rows, cols, error));
  TRY(context_prove(context, "bias", error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  const tensor *input = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, x);
  const tensor *added = operation_tensor(&set, TENSOR_WEIGHT, 1, cols, bias);
  tensor *output = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, NULL);
  DO(&set, bias, rows, input, added, output);
  tensor_set_read(&set, output, y);
  return tensor_set_end(&set);
}
