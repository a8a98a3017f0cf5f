#include "operations/operation.h"

static mlp_cl_status check_order(const uint32_t *order, size_t rows, size_t source_rows, mlp_cl_error *error) {
  if (order == NULL && rows > source_rows)
    return fail(error, MLP_CL_BAD_ARGUMENT, "gather: %zu rows are asked for and the source has %zu", rows, source_rows);
  for (size_t i = 0; order != NULL && i < rows; i++)
    if (order[i] >= source_rows)
      return fail(error, MLP_CL_BAD_ARGUMENT, "gather: order[%zu] is %lu: give 0 to %zu", i, (unsigned long)order[i],
                  source_rows - 1);
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_gather(mlp_cl_context *context, const void *source, mlp_cl_element element, size_t source_rows,
                            size_t width, float scale, const uint32_t *order, size_t rows, float *y,
                            mlp_cl_error *error) {
  CHECK_ARRAYS("gather", error, context, source, y);
  if (element != MLP_CL_UINT8 && element != MLP_CL_INT8 && element != MLP_CL_INT16 && element != MLP_CL_FLOAT32)
    return fail(error, MLP_CL_BAD_ARGUMENT, "gather: there is no element type %d", (int)element);
  TRY(operation_check_size("gather", source_rows, width, error));
  TRY(operation_check_size("gather", rows, width, error));
  TRY(check_order(order, rows, source_rows, error));
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  gather g = {
      .source = tensor_set_add(&set, TENSOR_PLAIN, (tensor_element)element, source_rows, width, source),
      .order = order != NULL ? tensor_set_add(&set, TENSOR_PLAIN, TENSOR_INT32, 1, rows, order) : NULL,
      .rows = rows,
      .scale = scale,
      .y = operation_tensor(&set, TENSOR_ACTIVATION, rows, width, NULL),
  };
  DO(&set, gather, &g);
  tensor_set_read(&set, g.y, y);
  return tensor_set_end(&set);
}
