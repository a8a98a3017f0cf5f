/* relu: forward, and backward from the stored output. */
#include "opencl/internal.h"

mlp_cl_status opencl_relu(backend *base, size_t rows, const tensor *x, tensor *y, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "relu_forward", error));
  launch_int(&l, rows);
  launch_int(&l, x->cols);
  launch_tensor(&l, x);
  launch_tensor(&l, y);
  return launch_lines(&l, rows * opencl_panels(y), error);
}

mlp_cl_status opencl_relu_backward_scaled(opencl_backend *self, size_t rows, float scale, const tensor *y,
                                          const tensor *d_y, tensor *d_x, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, self, "relu_backward", error));
  launch_int(&l, rows);
  launch_int(&l, y->cols);
  launch_float(&l, scale);
  launch_tensor(&l, y);
  launch_tensor(&l, d_y);
  launch_tensor(&l, d_x);
  opencl_of(d_x)->transposed_valid = false;
  return launch_lines(&l, rows * opencl_panels(d_x), error);
}

mlp_cl_status opencl_relu_backward(backend *base, size_t rows, const tensor *y, const tensor *d_y, tensor *d_x,
                                   mlp_cl_error *error) {
  return opencl_relu_backward_scaled((opencl_backend *)base, rows, 1.0f, y, d_y, d_x, error);
}
