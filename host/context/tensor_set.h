/* Tensors that live and die together. The first failure is kept and makes later calls do nothing, so that a piece of
 * work is written straight down and checked once, at its end. */
#ifndef CONTEXT_TENSOR_SET_H
#define CONTEXT_TENSOR_SET_H

#include "backend/backend.h"

typedef struct tensor_set {
  backend *backend;
  mlp_cl_error *error; /* used while tensors are added and work is done */
  mlp_cl_status status;
  tensor **tensors;
  size_t count, capacity;
} tensor_set;

void tensor_set_begin(tensor_set *set, backend *on, mlp_cl_error *error);
/* A new tensor, with `values` (row-major) written to it unless NULL. NULL once the set has failed. */
tensor *tensor_set_add(tensor_set *set, tensor_role role, tensor_element element, size_t rows, size_t cols,
                       const void *values);
/* A PLAIN tensor that reads values in place, which stay as they are as long as the set does. NULL where the device
 * cannot, and once the set has failed. */
tensor *tensor_set_share(tensor_set *set, tensor_element element, size_t rows, size_t cols, const void *values);
/* The same, with a copy of the values where the device cannot. */
tensor *tensor_set_share_or_add(tensor_set *set, tensor_element element, size_t rows, size_t cols, const void *values);
/* One of float32, zeroed. */
tensor *tensor_set_add_zeroed(tensor_set *set, tensor_role role, size_t rows, size_t cols);
/* Reads all rows; does nothing when `target` or `source` is NULL. */
void tensor_set_read(tensor_set *set, const tensor *source, void *target);
/* Destroys the tensors, in reverse order, and returns the status. May be called on a zeroed set. */
mlp_cl_status tensor_set_end(tensor_set *set);

/* Calls an operation unless the set has failed: DO(&set, relu, rows, x, y). */
#define DO(set, operation, ...)                                                             \
  do {                                                                                      \
    tensor_set *set_ = (set);                                                               \
    if (set_->status == MLP_CL_OK)                                                          \
      set_->status = set_->backend->op->operation(set_->backend, __VA_ARGS__, set_->error); \
  } while (0)

#endif
