/* The rectifier, whose derivative is read off the stored result. */
#include <assert.h>

#include "reference/operations.h"
#include "reference/rows.h"

static HOT void relu_row(size_t count, const float *x, float *y) {
  rectify(count, x, y);
}

mlp_cl_status reference_relu(size_t rows, const tensor *x, tensor *y, mlp_cl_error *error) {
  (void)error;
  assert(rows <= x->rows && rows <= y->rows && x->cols == y->cols);
  relu_row(rows * y->cols, floats_of(x), floats_of(y));
  return MLP_CL_OK;
}

mlp_cl_status reference_relu_backward(size_t rows, const tensor *y, const tensor *d_y, tensor *d_x,
                                      mlp_cl_error *error) {
  (void)error;
  assert(rows <= y->rows && rows <= d_y->rows && rows <= d_x->rows && y->cols == d_x->cols && d_y->cols == d_x->cols);
  for (size_t i = 0; i < rows * d_x->cols; i++) floats_of(d_x)[i] = floats_of(y)[i] > 0.0f ? floats_of(d_y)[i] : 0.0f;
  return MLP_CL_OK;
}
