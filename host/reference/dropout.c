/* The mask: one Philox counter for four neighbouring columns of a row of the whole batch. */
#include <assert.h>

#include "base/size.h"
#include "philox.h"
#include "reference/operations.h"

void dropout_row(const dropout *mask, size_t row, size_t cols, float floor, const float *x, float *y) {
  uint64_t counter = (mask->first_row + row) * (uint64_t)size_divide_up(cols, 4);
  uint32_t words[4] = {0};
  for (size_t j = 0; j < cols; j++) {
    if (j % 4 == 0 && mask->threshold > 0) {
      uint64_t index = counter + j / 4;
      words[0] = (uint32_t)index;
      words[1] = (uint32_t)(index >> 32);
      words[2] = mask->step;
      words[3] = PHILOX_STREAM(PHILOX_DROPOUT, mask->layer);
      philox4x32_10(words, (uint32_t)mask->seed, (uint32_t)(mask->seed >> 32));
    }
    y[j] = words[j % 4] >= mask->threshold ? canonical(x[j] * mask->scale, floor) : 0.0f;
  }
}

mlp_cl_status reference_dropout(size_t rows, const dropout *mask, const tensor *x, tensor *y, mlp_cl_error *error) {
  (void)error;
  size_t cols = y->cols;
  assert(rows <= x->rows && rows <= y->rows && x->cols == cols);
  for (size_t i = 0; i < rows; i++)
    dropout_row(mask, i, cols, floor_of(y), floats_of(x) + i * cols, floats_of(y) + i * cols);
  return MLP_CL_OK;
}
