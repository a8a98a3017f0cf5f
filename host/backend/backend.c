/* What both backends need to know of tensors. */
#include "backend/backend.h"

size_t tensor_element_bytes(tensor_element element) {
  switch (element) {
    case TENSOR_UINT8:
    case TENSOR_INT8: return 1;
    case TENSOR_INT16: return 2;
    case TENSOR_FLOAT32:
    case TENSOR_INT32: return 4;
  }
  return 0;
}
