/* adam: the update of a tensor of parameters. */
#include "opencl/internal.h"

mlp_cl_status opencl_adam(backend *base, const adam_step *a, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "adam", error));
  launch_int(&l, a->weight->rows);
  launch_int(&l, a->weight->cols);
  launch_float(&l, a->rule.rate);
  launch_float(&l, a->rule.root);
  launch_float(&l, a->rule.keep2);
  launch_float(&l, a->rule.add1);
  launch_float(&l, a->rule.add2);
  launch_float(&l, a->rule.epsilon);
  launch_float(&l, a->rule.weight_decay);
  launch_float(&l, a->rule.shrink);
  launch_int(&l, a->rule.decoupled);
  launch_tensor(&l, a->gradient);
  launch_tensor(&l, a->weight);
  launch_tensor(&l, a->moment);
  launch_tensor(&l, a->rms);
  launch_buffer_of(&l, a->flag);
  launch_uint(&l, a->step);
  return launch_lines(&l, a->weight->rows * opencl_panels(a->weight), error);
}
