/* dropout: forward on activations, backward on gradients, with the same mask. */
#include "base/size.h"
#include "opencl/internal.h"

mlp_cl_status opencl_dropout(backend *base, size_t rows, const dropout *mask, const tensor *x, tensor *y,
                             mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "dropout", error));
  launch_int(&l, rows);
  launch_int(&l, x->cols);
  launch_mask(&l, mask);
  launch_tensor(&l, x);
  launch_tensor(&l, y);
  opencl_of(y)->transposed_valid = false;
  return launch_lines(&l, size_divide_up(rows, MASK_ROWS) * opencl_panels(y), error);
}
