#include "context/answers.h"
#include "operations/operation.h"

mlp_cl_status mlp_cl_cross_entropy(mlp_cl_context *context, size_t rows, size_t cols, const float *logits,
                                   const int32_t *labels, mlp_cl_reduction reduction, float *losses,
                                   int32_t *predictions, float *d_logits, mlp_cl_error *error) {
  CHECK_ARRAYS("cross-entropy", error, context, logits, labels);
  TRY(operation_check_size("cross-entropy", rows, cols, error));
  TRY(answers_check_labels("cross-entropy", labels, rows, cols, error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  cross_entropy c = {
      .rows = rows,
      .logits = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, logits),
      .labels = tensor_set_add(&set, TENSOR_PLAIN, TENSOR_INT32, 1, rows, labels),
      .scale = reduction == MLP_CL_MEAN ? 1.0f / (float)rows : 1.0f,
      .losses = operation_tensor(&set, TENSOR_PLAIN, 1, rows, NULL),
      .predictions = tensor_set_add(&set, TENSOR_PLAIN, TENSOR_INT32, 1, rows, NULL),
      .d_logits = d_logits != NULL ? operation_tensor(&set, TENSOR_GRADIENT, rows, cols, NULL) : NULL,
  };
  DO(&set, cross_entropy, &c);
  tensor_set_read(&set, c.losses, losses);
  tensor_set_read(&set, c.predictions, predictions);
  tensor_set_read(&set, c.d_logits, d_logits);
  return tensor_set_end(&set);
}
