#include "operations/operation.h"

mlp_cl_status mlp_cl_relu(mlp_cl_context *context, size_t rows, size_t cols, const float *x, float *y,
                          mlp_cl_error *error) {
  CHECK_ARRAYS("relu", error, context, x, y);
  TRY(operation_check_size("relu", rows, cols, error));
  TRY(context_prove(context, "relu", error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  const tensor *input = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, x);
  tensor *output = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, NULL);
  DO(&set, relu, rows, input, output);
  tensor_set_read(&set, output, y);
  return tensor_set_end(&set);
}

mlp_cl_status mlp_cl_relu_backward(mlp_cl_context *context, size_t rows, size_t cols, const float *y, const float *d_y,
                                   float *d_x, mlp_cl_error *error) {
  CHECK_ARRAYS("relu backward", error, context, y, d_y, d_x);
  TRY(operation_check_size("relu backward", rows, cols, error));
  TRY(context_prove(context, "relu", error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  const tensor *stored = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, y);
  const tensor *gradient = operation_tensor(&set, TENSOR_GRADIENT, rows, cols, d_y);
  tensor *output = operation_tensor(&set, TENSOR_GRADIENT, rows, cols, NULL);
  DO(&set, relu_backward, rows, stored, gradient, output);
  tensor_set_read(&set, output, d_x);
  return tensor_set_end(&set);
}
