/* y = x + bias, after the sum of the product and by one addition of its own. */
#include <assert.h>

#include "reference/operations.h"
#include "reference/rows.h"

static HOT void bias_row(size_t count, const float *x, const float *bias, float *y) {
  add_bias(count, x, bias, y);
}

mlp_cl_status reference_bias(size_t rows, const tensor *x, const tensor *bias, tensor *y, mlp_cl_error *error) {
  (void)error;
  size_t cols = y->cols;
  assert(rows <= x->rows && rows <= y->rows && x->cols == cols && bias->cols == cols);
  for (size_t i = 0; i < rows; i++) bias_row(cols, floats_of(x) + i * cols, floats_of(bias), floats_of(y) + i * cols);
  return MLP_CL_OK;
}
