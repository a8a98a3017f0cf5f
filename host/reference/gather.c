/* Rows of a data set into a batch, converted and scaled. */
#include <assert.h>

#include "reference/operations.h"

static float element_at(const tensor *t, size_t i) {
  switch (t->element) {
    case TENSOR_UINT8: return (float)((const uint8_t *)values_of(t))[i];
    case TENSOR_INT8: return (float)((const int8_t *)values_of(t))[i];
    case TENSOR_INT16: return (float)((const int16_t *)values_of(t))[i];
    case TENSOR_FLOAT32: return floats_of(t)[i];
    case TENSOR_INT32: break; /* never a source */
  }
  return 0;
}

mlp_cl_status reference_gather(const gather *g, mlp_cl_error *error) {
  (void)error;
  size_t width = g->source->cols;
  assert(g->rows <= g->y->rows && g->y->cols == width && g->source->element != TENSOR_INT32);
  for (size_t i = 0; i < g->rows; i++) {
    size_t row = ordered_row(g->order, g->first + i);
    assert(row < g->source->rows);
    float *y = floats_of(g->y) + i * width;
    for (size_t j = 0; j < width; j++)
      y[j] = canonical(element_at(g->source, row * width + j) * g->scale, floor_of(g->y));
  }
  return MLP_CL_OK;
}
