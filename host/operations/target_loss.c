#include "context/answers.h"
#include "operations/operation.h"

static mlp_cl_status run(const char *name, mlp_cl_task task, mlp_cl_context *context, size_t rows, size_t cols,
                         const float *outputs, const float *targets, mlp_cl_reduction reduction, float *losses,
                         float *scores, float *d_outputs, mlp_cl_error *error) {
  CHECK_ARRAYS(name, error, context, outputs, targets);
  TRY(operation_check_size(name, rows, cols, error));
  TRY(answers_check_targets(name, task, targets, rows, cols, error));
  TRY(context_prove(context, mlp_cl_task_name(task), error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  target_loss t = {
      .rows = rows,
      .task = task,
      .outputs = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, outputs),
      .targets = operation_tensor(&set, TENSOR_PLAIN, rows, cols, targets),
      .scale = loss_scale(task, reduction == MLP_CL_MEAN, rows, cols),
      .losses = operation_tensor(&set, TENSOR_PLAIN, 1, rows, NULL),
      .scores = operation_tensor(&set, TENSOR_PLAIN, 1, rows, NULL),
      .d_outputs = d_outputs != NULL ? operation_tensor(&set, TENSOR_GRADIENT, rows, cols, NULL) : NULL,
  };
  DO(&set, target_loss, &t);
  tensor_set_read(&set, t.losses, losses);
  tensor_set_read(&set, t.scores, scores);
  tensor_set_read(&set, t.d_outputs, d_outputs);
  return tensor_set_end(&set);
}

mlp_cl_status mlp_cl_squared_error(mlp_cl_context *context, size_t rows, size_t cols, const float *outputs,
                                   const float *targets, mlp_cl_reduction reduction, float *losses, float *scores,
                                   float *d_outputs, mlp_cl_error *error) {
  return run("squared error", MLP_CL_REGRESSION, context, rows, cols, outputs, targets, reduction, losses, scores,
             d_outputs, error);
}

mlp_cl_status mlp_cl_sigmoid_cross_entropy(mlp_cl_context *context, size_t rows, size_t cols, const float *logits,
                                           const float *targets, mlp_cl_reduction reduction, float *losses,
                                           float *scores, float *d_logits, mlp_cl_error *error) {
  return run("sigmoid cross-entropy", MLP_CL_MULTI_LABEL, context, rows, cols, logits, targets, reduction, losses,
             scores, d_logits, error);
}
