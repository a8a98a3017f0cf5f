#include "operations/operation.h"

mlp_cl_status mlp_cl_softmax(mlp_cl_context *context, size_t rows, size_t cols, const float *logits,
                             float *probabilities, mlp_cl_error *error) {
  CHECK_ARRAYS("softmax", error, context, logits, probabilities);
  TRY(operation_check_size("softmax", rows, cols, error));
  TRY(context_prove(context, "softmax", error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  const tensor *input = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, logits);
  tensor *output = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, NULL);
  DO(&set, softmax, rows, input, output);
  tensor_set_read(&set, output, probabilities);
  return tensor_set_end(&set);
}
