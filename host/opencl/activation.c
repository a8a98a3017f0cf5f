/* activation: forward and backward, with dropout. */
#include "base/size.h"
#include "opencl/internal.h"

static void begin_arguments(launch *l, const activation *a) {
  launch_int(l, a->rows);
  launch_int(l, a->x->cols);
  launch_int(l, (size_t)a->kind);
  launch_mask(l, a->dropout);
  launch_tensor(l, a->x);
}

static mlp_cl_status run(launch *l, const activation *a, mlp_cl_error *error) {
  return launch_lines(l, size_divide_up(a->rows, MASK_ROWS) * opencl_panels(a->x), error);
}

mlp_cl_status opencl_activation_forward(backend *base, const activation *a, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "activation_forward", error));
  begin_arguments(&l, a);
  launch_tensor(&l, a->y);
  return run(&l, a, error);
}

mlp_cl_status opencl_activation_backward(backend *base, const activation *a, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "activation_backward", error));
  begin_arguments(&l, a);
  launch_tensor(&l, a->d_y);
  launch_tensor(&l, a->d_x);
  opencl_of(a->d_x)->transposed_valid = false;
  return run(&l, a, error);
}
