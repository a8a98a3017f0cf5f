#include "operations/operation.h"

static mlp_cl_status begin(const char *name, mlp_cl_context *context, mlp_cl_activation kind, size_t rows, size_t cols,
                           const mlp_cl_mask *mask, dropout *dropped, mlp_cl_error *error) {
  TRY(operation_check_size(name, rows, cols, error));
  if (mlp_cl_activation_name(kind) == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s: there is no activation %d", name, (int)kind);
  if (mask != NULL) TRY(operation_mask(mask, dropped, error));
  return context_prove(context, mlp_cl_activation_name(kind), error);
}

mlp_cl_status mlp_cl_activate(mlp_cl_context *context, mlp_cl_activation kind, size_t rows, size_t cols,
                              const mlp_cl_mask *mask, const float *x, float *y, mlp_cl_error *error) {
  dropout dropped;
  CHECK_ARRAYS("activate", error, context, x, y);
  TRY(begin("activate", context, kind, rows, cols, mask, &dropped, error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  activation a = {.rows = rows,
                  .kind = kind,
                  .dropout = mask != NULL ? &dropped : NULL,
                  .x = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, x),
                  .y = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, NULL)};
  DO(&set, activation_forward, &a);
  tensor_set_read(&set, a.y, y);
  return tensor_set_end(&set);
}

mlp_cl_status mlp_cl_activate_backward(mlp_cl_context *context, mlp_cl_activation kind, size_t rows, size_t cols,
                                       const mlp_cl_mask *mask, const float *x, const float *d_y, float *d_x,
                                       mlp_cl_error *error) {
  dropout dropped;
  CHECK_ARRAYS("activate backward", error, context, x, d_y, d_x);
  TRY(begin("activate backward", context, kind, rows, cols, mask, &dropped, error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  activation a = {.rows = rows,
                  .kind = kind,
                  .dropout = mask != NULL ? &dropped : NULL,
                  .x = operation_tensor(&set, TENSOR_ACTIVATION, rows, cols, x),
                  .d_y = operation_tensor(&set, TENSOR_GRADIENT, rows, cols, d_y),
                  .d_x = operation_tensor(&set, TENSOR_GRADIENT, rows, cols, NULL)};
  DO(&set, activation_backward, &a);
  tensor_set_read(&set, a.d_x, d_x);
  return tensor_set_end(&set);
}
