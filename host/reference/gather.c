/* Rows of a data set into a batch, converted and scaled. */
#include <assert.h>

#include "reference/operations.h"

#define CONVERT(TYPE) \
  for (size_t j = 0; j < t->cols; j++) y[j] = (float)((const TYPE *)values_of(t))[row * t->cols + j] * scale

static void convert_row(const tensor *t, size_t row, float scale, float *y) {
  switch (t->element) {
    case TENSOR_UINT8: CONVERT(uint8_t); return;
    case TENSOR_INT8: CONVERT(int8_t); return;
    case TENSOR_INT16: CONVERT(int16_t); return;
    case TENSOR_FLOAT32: CONVERT(float); return;
    case TENSOR_INT32: return; /* never a source */
  }
}

mlp_cl_status reference_gather(const gather *g, mlp_cl_error *error) {
  (void)error;
  size_t width = g->source->cols;
  assert(g->rows <= g->y->rows && g->y->cols == width && g->source->element != TENSOR_INT32);
  if (g->order == NULL && g->source->element == TENSOR_FLOAT32 && g->scale == 1.0f) {
    assert(g->first + g->rows <= g->source->rows);
    canonical_row(g->rows * width, floor_of(g->y), floats_of(g->source) + g->first * width, floats_of(g->y));
    return MLP_CL_OK;
  }
  for (size_t i = 0; i < g->rows; i++) {
    size_t row = ordered_row(g->order, g->first + i);
    assert(row < g->source->rows);
    float *y = floats_of(g->y) + i * width;
    convert_row(g->source, row, g->scale, y);
    canonical_row(width, floor_of(g->y), y, y);
  }
  return MLP_CL_OK;
}
