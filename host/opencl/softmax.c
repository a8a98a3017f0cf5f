/* softmax: probabilities from logits. */
#include "opencl/internal.h"

mlp_cl_status opencl_softmax(backend *base, size_t rows, const tensor *logits, tensor *probabilities,
                             mlp_cl_error *error) {
  launch l;
  TRY(launch_begin(&l, (opencl_backend *)base, "softmax", error));
  launch_int(&l, rows);
  launch_int(&l, logits->cols);
  launch_tensor(&l, logits);
  launch_tensor(&l, probabilities);
  return launch_rows(&l, rows, error);
}
