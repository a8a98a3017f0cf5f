/* What the single operations share: arguments checked, host arrays on their way to tensors and back. */
#ifndef OPERATIONS_OPERATION_H
#define OPERATIONS_OPERATION_H

#include "backend/hyperparameters.h"
#include "context/context.h"
#include "context/tensor_set.h"

/* Errors: BAD_ARGUMENT for a size of 0, BAD_SHAPE when rows · cols exceeds what a tensor may have. */
mlp_cl_status operation_check_size(const char *operation, size_t rows, size_t cols, mlp_cl_error *error);
/* Errors: BAD_ARGUMENT unless all `count` pointers are set. */
mlp_cl_status operation_check_arrays(const char *operation, const void *const *arrays, size_t count,
                                     mlp_cl_error *error);

/* Errors: BAD_ARGUMENT, naming rate or layer. */
mlp_cl_status operation_mask(const mlp_cl_mask *named, dropout *mask, mlp_cl_error *error);

/* CHECK_ARRAYS("relu", error, x, y): leaves with BAD_ARGUMENT when one is NULL. */
#define CHECK_ARRAYS(operation, error, ...)                                                       \
  do {                                                                                            \
    const void *const arrays_[] = {__VA_ARGS__};                                                  \
    TRY(operation_check_arrays((operation), arrays_, sizeof arrays_ / sizeof *arrays_, (error))); \
  } while (0)

/* A tensor of float32 with these values; NULL: an output. */
static inline tensor *operation_tensor(tensor_set *set, tensor_role role, size_t rows, size_t cols,
                                       const float *values) {
  return tensor_set_add(set, role, TENSOR_FLOAT32, rows, cols, values);
}

#endif
