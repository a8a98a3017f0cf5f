#include "context/answers.h"

#include <math.h>

mlp_cl_status answers_check_labels(const char *what, const int32_t *labels, size_t rows, size_t classes,
                                   mlp_cl_error *error) {
  for (size_t i = 0; i < rows; i++)
    if (labels[i] < 0 || (size_t)labels[i] >= classes)
      return fail(error, MLP_CL_BAD_ARGUMENT, "%s: the label of row %zu is %ld: give 0 to %zu", what, i,
                  (long)labels[i], classes - 1);
  return MLP_CL_OK;
}

mlp_cl_status answers_check_targets(const char *what, mlp_cl_task task, const float *targets, size_t rows, size_t cols,
                                    mlp_cl_error *error) {
  for (size_t i = 0; i < rows * cols; i++)
    if (task == MLP_CL_REGRESSION ? !isfinite(targets[i]) : !(targets[i] >= 0.0f && targets[i] <= 1.0f))
      return fail(error, MLP_CL_BAD_ARGUMENT, "%s: target %zu of row %zu is %g: give %s", what, i % cols, i / cols,
                  (double)targets[i], task == MLP_CL_REGRESSION ? "finite values" : "0 to 1");
  return MLP_CL_OK;
}
