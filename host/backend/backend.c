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

enum { TOGETHER = 4, ALL_TOGETHER = (1 << TOGETHER) - 1 };

/* Of the elements from i on, `count` of them but at most TOGETHER, a bit for each that is 0, and for each that is not
 * there. */
static unsigned zeros_from(tensor_element element, const void *values, size_t i, size_t count) {
  unsigned zeros = ALL_TOGETHER;
  for (size_t j = 0; j < TOGETHER && j < count; j++)
    if (!is_zero(element, values, i + j)) zeros &= ~(1u << j);
  return zeros;
}

float zeros_together(tensor_element element, const void *values, size_t rows, size_t cols) {
  enum { ROWS_ASKED = 16 };
  size_t step = size_divide_up(rows, ROWS_ASKED), asked = 0, in_a_row = 0, asked_columns = 0, in_a_column = 0;
  for (size_t first = 0; first < rows; first += TOGETHER * step)
    for (size_t col = 0; col < cols; col += TOGETHER) {
      unsigned common = ALL_TOGETHER;
      for (size_t row = first; row < rows && row < first + TOGETHER * step; row += step, asked++) {
        unsigned zeros = zeros_from(element, values, row * cols + col, cols - col);
        in_a_row += zeros == ALL_TOGETHER;
        common &= zeros;
      }
      for (size_t j = 0; j < TOGETHER && col + j < cols; j++, asked_columns++) in_a_column += common >> j & 1;
    }
  if (asked == 0) return 0.0f;
  const double of_rows = (double)in_a_row / (double)asked, of_columns = (double)in_a_column / (double)asked_columns;
  return (float)(of_rows > of_columns ? of_rows : of_columns);
}

zeros_kind zeros_forward(size_t i, mlp_cl_activation hidden, float data) {
  if (i == 0) return data >= MANY_ZEROS ? ZEROS_TOGETHER : ZEROS_NONE;
  return hidden == MLP_CL_RELU ? ZEROS_SCATTERED : ZEROS_NONE;
}

zeros_kind zeros_backward(size_t i, size_t count, mlp_cl_activation hidden, float data) {
  if (i == 0 && data >= MOST_ZEROS) return ZEROS_TOGETHER;
  if (i + 1 < count && hidden == MLP_CL_RELU) return ZEROS_SCATTERED;
  return i == 0 && data >= MANY_ZEROS ? ZEROS_TOGETHER : ZEROS_NONE;
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
