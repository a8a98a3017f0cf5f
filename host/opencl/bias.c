/* bias: added to complete sums, and its gradient. */
#include "opencl/internal.h"

mlp_cl_status opencl_bias(backend *base, size_t rows, const tensor *x, const tensor *bias, tensor *y,
                          mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "bias_forward", error));
  launch_int(&l, rows);
  launch_int(&l, x->cols);
  launch_tensor(&l, x);
  launch_tensor(&l, bias);
  launch_tensor(&l, y);
  return launch_lines(&l, rows * opencl_panels(y), error);
}

mlp_cl_status opencl_bias_gradient(opencl_backend *self, size_t rows, const tensor *d_y, tensor *d_bias,
                                   mlp_cl_error *error) {
  launch l;
  opencl_of(d_bias)->transposed_valid = false;
  TRY(launch_check_sum(self, rows, error));
  TRY(launch_begin(&l, self, "bias_gradient", error));
  launch_int(&l, rows);
  launch_int(&l, d_y->cols);
  launch_tensor(&l, d_y);
  launch_tensor(&l, d_bias);
  return launch_lines(&l, opencl_panels(d_y), error);
}
