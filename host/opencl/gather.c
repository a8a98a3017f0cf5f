/* gather: a shuffled batch from rows of the source's own element type to activations. */
#include "opencl/internal.h"

const char *opencl_element_type(tensor_element element) {
  switch (element) {
    case TENSOR_UINT8: return "uchar";
    case TENSOR_INT8: return "char";
    case TENSOR_INT16: return "short";
    case TENSOR_FLOAT32: return "float";
    case TENSOR_INT32: return "int";
  }
  return "float";
}

mlp_cl_status opencl_gather(backend *base, const gather *g, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "gather.cl", "gather", opencl_element_type(g->source->element), error));
  launch_int(&l, g->rows);
  launch_int(&l, g->source->cols);
  launch_ulong(&l, g->first);
  launch_int(&l, g->order != NULL);
  launch_float(&l, g->scale);
  launch_plain(&l, g->source);
  launch_plain(&l, g->order);
  launch_tensor(&l, g->y);
  return launch_lines(&l, opencl_panels(g->y) * g->rows, error);
}
