/* Clipping gradients by their norm over all tensors, as torch.nn.utils.clip_grad_norm_ does. */
#include <assert.h>

#include "base/size.h"
#include "reference/operations.h"

#define STRIP ((size_t)512)          /* columns at a time; a multiple of the lanes */
#define CLIP_EPSILON 0x1.0c6f7ap-20f /* 1e-6f */

/* total[j] = Σ over the rows of g[row · stride + j]². */
static HOT void squares_of_strip(size_t rows, size_t cols, size_t stride, const float *g, float *total) {
  float block[STRIP];
  for (size_t j = 0; j < cols; j++) total[j] = 0;
  for (size_t first = 0; first < rows; first += FEATURE_BLOCK) {
    size_t end = size_min(first + FEATURE_BLOCK, rows);
    for (size_t j = 0; j < cols; j++) block[j] = 0;
    for (size_t i = first; i < end; i++)
      for (size_t j = 0; j < cols; j++) block[j] = fmaf(g[i * stride + j], g[i * stride + j], block[j]);
    for (size_t j = 0; j < cols; j++) total[j] += block[j];
  }
}

mlp_cl_status reference_squared_sum(const tensor *gradient, tensor *sums, size_t slot, mlp_cl_error *error) {
  (void)error;
  assert(slot < sums->cols);
  float lanes[LANES] = {0}, total[STRIP];
  for (size_t first = 0; first < gradient->cols; first += STRIP) {
    size_t cols = size_min(STRIP, gradient->cols - first);
    squares_of_strip(gradient->rows, cols, gradient->cols, floats_of(gradient) + first, total);
    for (size_t j = 0; j < cols; j++) lanes[j % LANES] += total[j];
  }
  floats_of(sums)[slot] = lanes_sum(lanes);
  return MLP_CL_OK;
}

mlp_cl_status reference_clip(const clip *c, mlp_cl_error *error) {
  (void)error;
  float total = 0.0f, *g = floats_of(c->gradient);
  for (size_t i = 0; i < c->sums->cols; i++) total += floats_of(c->sums)[i];
  if (!isfinite(total)) lower_flag(c->flag, c->step);
  float factor = exact_divide(c->limit, exact_sqrt(total) + CLIP_EPSILON);
  if (!(factor < 1.0f)) return MLP_CL_OK;
  for (size_t i = 0; i < c->gradient->rows * c->gradient->cols; i++) g[i] = canonical(g[i] * factor, FLOOR_GRADIENT);
  return MLP_CL_OK;
}
