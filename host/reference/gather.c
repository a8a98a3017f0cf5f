/* Rows of a data set into a batch, converted and scaled. */
#include <assert.h>

#include "reference/operations.h"

#define CONVERT(TYPE) \
  for (size_t i = 0; i < count; i++) y[i] = canonical((float)((const TYPE *)values_of(t))[first + i] * scale, floor)

/* `count` elements of t from the `first` on. */
static HOT void convert(const tensor *t, size_t first, size_t count, float scale, float floor, float *y) {
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
  size_t width = g->source->cols, run = g->order == NULL ? g->rows : 1; /* rows that lie one after the other */
  assert(g->rows <= g->y->rows && g->y->cols == width && g->source->element != TENSOR_INT32);
  for (size_t i = 0; i < g->rows; i += run) {
    size_t row = ordered_row(g->order, g->first + i);
    assert(row + run <= g->source->rows);
    convert(g->source, row * width, run * width, g->scale, floor_of(g->y), floats_of(g->y) + i * width);
  }
  return MLP_CL_OK;
}
