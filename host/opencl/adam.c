/* adam: the update of a tensor of parameters. */
#include "opencl/internal.h"

mlp_cl_status opencl_adam(backend *base, const adam_step *a, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "adam", error));
  launch_int(&l, a->weight->rows);
  launch_int(&l, a->weight->cols);
  launch_adam(&l, &a->rule);
  launch_tensor(&l, a->gradient);
  launch_tensor(&l, a->weight);
  launch_tensor(&l, a->moment);
  launch_tensor(&l, a->rms);
  launch_buffer_of(&l, a->flag);
  launch_uint(&l, a->step);
  return launch_lines(&l, a->weight->rows * opencl_panels(a->weight), error);
}
