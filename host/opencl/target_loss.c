/* target_loss: losses, scores and the gradient of the outputs in one launch. */
#include "opencl/internal.h"

mlp_cl_status opencl_target_loss(backend *base, const target_loss *t, mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "target_loss", error));
  launch_int(&l, t->rows);
  launch_int(&l, t->outputs->cols);
  launch_int(&l, t->task == MLP_CL_REGRESSION);
  launch_tensor(&l, t->outputs);
  launch_buffer_of(&l, t->targets);
  launch_int(&l, t->order != NULL);
  launch_buffer_of(&l, t->order);
  launch_ulong(&l, t->first);
  launch_float(&l, t->scale);
  launch_float(&l, 1.0f / (float)t->outputs->cols);
  launch_int(&l, t->d_outputs != NULL);
  launch_tensor(&l, t->d_outputs);
  launch_buffer_of(&l, t->losses);
  launch_buffer_of(&l, t->scores);
  launch_ulong(&l, t->slot);
  launch_buffer_of(&l, t->flag);
  launch_uint(&l, t->step);
  if (t->d_outputs != NULL) opencl_of(t->d_outputs)->transposed_valid = false;
  return launch_rows(&l, t->rows, error);
}
