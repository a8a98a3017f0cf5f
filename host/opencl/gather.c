/* gather: a shuffled batch from rows of the source's own element type to activations. */
#include "base/size.h"
#include "opencl/internal.h"

/* kernels/gather.h counts elements as tensor_element does. */
_Static_assert(TENSOR_UINT8 == 0 && TENSOR_INT8 == 1 && TENSOR_INT16 == 2 && TENSOR_FLOAT32 == 3, "element types");

mlp_cl_status opencl_gather(backend *base, const gather *g, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "gather", error));
  launch_gather(&l, g);
  return launch_lines(&l, g->rows * size_divide_up(opencl_panels(g->y), GATHER_PANELS), error);
}
