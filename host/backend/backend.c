/* What both backends share. */
#include "backend/backend.h"

#include <stdio.h>
#include <string.h>

#include "base/size.h"

size_t tensor_element_bytes(tensor_element element) {
  switch (element) {
    case TENSOR_UINT8:
    case TENSOR_INT8: return 1;
    case TENSOR_INT16: return 2;
    case TENSOR_FLOAT32:
    case TENSOR_INT32: return 4;
  }
  return 0;
}

static bool is_zero(tensor_element element, const void *values, size_t i) {
  switch (element) {
    case TENSOR_UINT8: return ((const uint8_t *)values)[i] == 0;
    case TENSOR_INT8: return ((const int8_t *)values)[i] == 0;
    case TENSOR_INT16: return ((const int16_t *)values)[i] == 0;
    case TENSOR_INT32: return ((const int32_t *)values)[i] == 0;
    case TENSOR_FLOAT32: return ((const float *)values)[i] == 0.0f;
  }
  return false;
}

bool has_many_zeros(tensor_element element, const void *values, size_t rows, size_t cols) {
  enum { ROWS_ASKED = 32 };
  size_t step = size_divide_up(rows, ROWS_ASKED), asked = 0, zeros = 0;
  for (size_t row = 0; row < rows; row += step, asked += cols)
    for (size_t col = 0; col < cols; col++) zeros += is_zero(element, values, row * cols + col) ? 1 : 0;
  return 4 * zeros >= asked;
}

mlp_cl_status output_layer_by_parts(backend *self, const output_layer *o, mlp_cl_error *error) {
  TRY(self->op->dense_forward(self, &o->forward, error));
  TRY(self->op->cross_entropy(self, &o->loss, error));
  if (o->has_below) TRY(self->op->dense_backward_input(self, &o->backward, error));
  return o->ahead != NULL ? self->op->gather(self, o->ahead, error) : MLP_CL_OK;
}

void refuse_steps(backend *on, step_kind kind, const char *reason) {
  on->steps_proven[kind] = false;
  on->steps_refused[kind] = true;
  if (reason == NULL || on->steps_refusal[0] != '\0') return;
  snprintf(on->steps_refusal, sizeof on->steps_refusal, "%.*s", (int)strcspn(reason, "\n"), reason);
}
