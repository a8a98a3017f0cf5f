#include "operations/operation.h"

#include "base/size.h"

mlp_cl_status operation_check_size(const char *operation, size_t rows, size_t cols, mlp_cl_error *error) {
  size_t elements;
  if (rows == 0 || cols == 0)
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s of a %zu×%zu matrix: each size must be at least 1", operation, rows,
                cols);
  if (rows > INT32_MAX || cols > INT32_MAX || !size_multiply(rows, cols, &elements) ||
      !size_multiply(elements, sizeof(float), &elements))
    return fail(error, MLP_CL_BAD_SHAPE, "%s of a %zu×%zu matrix: that is more than a tensor can hold", operation, rows,
                cols);
  return MLP_CL_OK;
}

mlp_cl_status operation_check_arrays(const char *operation, const void *const *arrays, size_t count,
                                     mlp_cl_error *error) {
  for (size_t i = 0; i < count; i++)
    if (arrays[i] == NULL)
      return fail(error, MLP_CL_BAD_ARGUMENT, "%s: array %zu is NULL; only the outputs that say so may be", operation,
                  i + 1);
  return MLP_CL_OK;
}
