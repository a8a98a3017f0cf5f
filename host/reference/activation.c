/* The activation functions other than a fused ReLU, with dropout after them, and their derivatives. */
#include "activation.h"

#include <assert.h>

#include "reference/operations.h"

static HOT void value_row(int kind, size_t count, const float *x, float *y) {
  for (size_t j = 0; j < count; j++) y[j] = canonical(activation_value(kind, x[j]), FLOOR_VALUE);
}

/* d = d · f'(x) */
static HOT void slope_row(int kind, size_t count, const float *x, float *d) {
  for (size_t j = 0; j < count; j++) d[j] = canonical(d[j] * activation_slope(kind, x[j]), FLOOR_GRADIENT);
}

mlp_cl_status reference_activation_forward(const activation *a, mlp_cl_error *error) {
  (void)error;
  size_t cols = a->y->cols;
  assert(a->rows <= a->x->rows && a->rows <= a->y->rows && a->x->cols == cols);
  for (size_t i = 0; i < a->rows; i++) {
    float *y = floats_of(a->y) + i * cols;
    value_row((int)a->kind, cols, floats_of(a->x) + i * cols, y);
    if (a->dropout != NULL) dropout_row(a->dropout, i, cols, FLOOR_VALUE, y, y);
  }
  return MLP_CL_OK;
}

mlp_cl_status reference_activation_backward(const activation *a, mlp_cl_error *error) {
  (void)error;
  size_t cols = a->d_x->cols;
  assert(a->rows <= a->x->rows && a->rows <= a->d_y->rows && a->rows <= a->d_x->rows && a->x->cols == cols);
  for (size_t i = 0; i < a->rows; i++) {
    const float *d_y = floats_of(a->d_y) + i * cols;
    float *d_x = floats_of(a->d_x) + i * cols;
    if (a->dropout != NULL)
      dropout_row(a->dropout, i, cols, FLOOR_GRADIENT, d_y, d_x);
    else
      canonical_row(cols, FLOOR_GRADIENT, d_y, d_x);
    slope_row((int)a->kind, cols, floats_of(a->x) + i * cols, d_x);
  }
  return MLP_CL_OK;
}
