/* sgd: the update alone. */
#include "opencl/internal.h"

mlp_cl_status opencl_sgd(backend *base, const sgd *update, const tensor *gradient, tensor *weight, tensor *velocity,
                         tensor *flag, uint32_t step, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "sgd", error));
  launch_int(&l, weight->rows);
  launch_int(&l, weight->cols);
  launch_sgd(&l, update);
  launch_tensor(&l, gradient);
  launch_tensor(&l, weight);
  launch_tensor(&l, velocity);
  launch_buffer_of(&l, flag);
  launch_uint(&l, step);
  return launch_lines(&l, weight->rows * opencl_panels(weight), error);
}
