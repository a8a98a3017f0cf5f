#include "context/tensor_set.h"

#include <stdlib.h>

void tensor_set_begin(tensor_set *set, backend *on, mlp_cl_error *error) {
  *set = (tensor_set){.backend = on, .error = error};
}

static bool has_room(tensor_set *set) {
  if (set->status != MLP_CL_OK) return false;
  if (set->count < set->capacity) return true;
  size_t capacity = set->capacity == 0 ? 8 : 2 * set->capacity;
  tensor **grown = realloc(set->tensors, capacity * sizeof *grown);
  if (grown == NULL) {
    set->status = fail_memory(set->error, capacity * sizeof *grown, "a list of tensors");
    return false;
  }
  set->tensors = grown;
  set->capacity = capacity;
  return true;
}

tensor *tensor_set_add(tensor_set *set, tensor_role role, tensor_element element, size_t rows, size_t cols,
                       const void *values) {
  if (!has_room(set)) return NULL;
  tensor *added = NULL;
  DO(set, tensor_create, role, element, rows, cols, &added);
  if (set->status != MLP_CL_OK) return NULL;
  set->tensors[set->count++] = added;
  if (values != NULL) DO(set, tensor_write, added, 0, rows, values);
  return set->status == MLP_CL_OK ? added : NULL;
}

tensor *tensor_set_share(tensor_set *set, tensor_element element, size_t rows, size_t cols, const void *values) {
  if (!has_room(set)) return NULL;
  tensor *shared = NULL;
  DO(set, tensor_share, element, rows, cols, values, &shared);
  if (shared != NULL) set->tensors[set->count++] = shared;
  return shared;
}

tensor *tensor_set_share_or_add(tensor_set *set, tensor_element element, size_t rows, size_t cols, const void *values) {
  tensor *shared = tensor_set_share(set, element, rows, cols, values);
  return shared != NULL ? shared : tensor_set_add(set, TENSOR_PLAIN, element, rows, cols, values);
}

tensor *tensor_set_add_zeroed(tensor_set *set, tensor_role role, size_t rows, size_t cols) {
  tensor *added = tensor_set_add(set, role, TENSOR_FLOAT32, rows, cols, NULL);
  if (added != NULL) DO(set, tensor_zero, added);
  return added;
}

void tensor_set_read(tensor_set *set, const tensor *source, void *target) {
  if (source != NULL && target != NULL) DO(set, tensor_read, source, 0, source->rows, target);
}

mlp_cl_status tensor_set_end(tensor_set *set) {
  while (set->count > 0) set->backend->op->tensor_destroy(set->backend, set->tensors[--set->count]);
  free(set->tensors);
  set->tensors = NULL;
  set->capacity = 0;
  return set->status;
}
