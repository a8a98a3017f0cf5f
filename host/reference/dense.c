/* The fused operations of a dense layer: what training calls. Each gives the bits of the unfused operations one after
 * the other, and so makes values canonical wherever one of those would have stored them. */
#include <assert.h>
#include <stdlib.h>

#include "reference/operations.h"
#include "reference/rows.h"

/* The weights' panels, which are no part of their value, filled anew unless they hold the `same_weights` still; NULL
 * without memory. */
static const float *pack(const tensor *weight, bool same_weights, mlp_cl_error *error) {
  reference_tensor *w = (reference_tensor *)weight;
  if (w->panels == NULL) w->panels = panels_create(weight->rows, weight->cols, error);
  if (w->panels == NULL) return NULL;
  if (!same_weights || !w->packed)
    panels_fill(weight->rows, weight->cols, floats_of(weight), weight->cols, 1, w->panels);
  w->packed = true;
  return w->panels;
}

static HOT void end_forward_row(size_t cols, const float *restrict bias, bool relu, float *restrict y) {
  make_canonical(cols, FLOOR_VALUE, y, y);
  if (bias != NULL) add_bias(cols, y, bias, y);
  if (relu) rectify(cols, y, y);
}

static void end_forward(const void *user, size_t row, size_t first, size_t cols, float *y) {
  const dense_forward *d = user;
  (void)row;
  end_forward_row(cols, d->bias != NULL ? floats_of(d->bias) + first : NULL, d->relu, y);
}

mlp_cl_status reference_dense_forward(helper *help, bool same_weights, const dense_forward *d, mlp_cl_error *error) {
  size_t in = d->weight->rows, out = d->weight->cols;
  assert(d->rows <= d->x->rows && d->x->cols == in && d->rows <= d->y->rows && d->y->cols == out);
  const float *panels = pack(d->weight, same_weights, error);
  if (panels == NULL) return MLP_CL_NO_MEMORY;
  feature_product_run(help, &(feature_product){.m = d->rows,
                                               .n = out,
                                               .k = in,
                                               .a = floats_of(d->x),
                                               .panels = panels,
                                               .c = floats_of(d->y),
                                               .skip_zeros = d->zeros != ZEROS_NONE,
                                               .end = end_forward,
                                               .user = d});
  for (size_t i = 0; d->dropout != NULL && i < d->rows; i++) {
    float *y = floats_of(d->y) + i * out;
    dropout_row(d->dropout, i, out, FLOOR_VALUE, y, y);
  }
  return MLP_CL_OK;
}

/* d = y > 0 ? d · scale : 0. y = dropout(relu(…)) is positive exactly where the value was kept and the rectifier
 * open. */
static void backward_mask(size_t count, const float *y, float scale, float *d) {
  for (size_t i = 0; i < count; i++) d[i] = y[i] > 0.0f ? canonical(d[i] * scale, FLOOR_GRADIENT) : 0.0f;
}

static void end_backward(const void *user, size_t row, size_t first, size_t cols, float *d_x) {
  const dense_backward_input *d = user;
  canonical_row(cols, FLOOR_GRADIENT, d_x, d_x);
  if (d->y != NULL) backward_mask(cols, floats_of(d->y) + row * d->d_x->cols + first, d->scale, d_x);
}

mlp_cl_status reference_dense_backward_input(const dense_backward_input *d, mlp_cl_error *error) {
  size_t in = d->weight->rows, out = d->weight->cols;
  assert(d->rows <= d->d_y->rows && d->d_y->cols == out && d->rows <= d->d_x->rows && d->d_x->cols == in);
  float *weight_transposed = panels_create(out, in, error);
  if (weight_transposed == NULL) return MLP_CL_NO_MEMORY;
  panels_fill(out, in, floats_of(d->weight), 1, out, weight_transposed);
  feature_product_run(NULL, &(feature_product){.m = d->rows,
                                               .n = in,
                                               .k = out,
                                               .a = floats_of(d->d_y),
                                               .panels = weight_transposed,
                                               .c = floats_of(d->d_x),
                                               .end = end_backward,
                                               .user = d});
  free(weight_transposed);
  return MLP_CL_OK;
}

/* Stores the gradient of row i of a parameter, or takes a step with it. */
static void use_gradient(const dense_backward_weight *d, size_t i, float *g, tensor *gradient, tensor *parameter,
                         tensor *velocity, tensor *rms) {
  const tensor *shape = parameter != NULL ? parameter : gradient;
  size_t cols = shape->cols, at = i * cols;
  bool finite = true;
  canonical_row(cols, FLOOR_GRADIENT, g, g);
  if (d->update != NULL)
    finite = sgd_row(d->update, cols, g, floats_of(parameter) + at,
                     d->update->momentum != 0.0f ? floats_of(velocity) + at : NULL);
  else if (d->adam != NULL)
    finite = adam_row(d->adam, cols, g, floats_of(parameter) + at, floats_of(velocity) + at, floats_of(rms) + at);
  else
    memcpy(floats_of(gradient) + at, g, cols * sizeof *g);
  if (!finite) lower_flag(d->flag, d->step);
}

static mlp_cl_status backward_weight(const dense_backward_weight *d, mlp_cl_error *error) {
  size_t in = d->x->cols, out = d->d_y->cols;
  assert(d->rows <= d->x->rows && d->rows <= d->d_y->rows);
  size_t stack_bytes = batch_stack_rows(d->rows) * out * sizeof(float);
  float *stack = malloc(stack_bytes);
  if (stack == NULL) return fail_memory(error, stack_bytes, "the sums of a gradient");
  for (size_t i = 0; i < in; i++) {
    batch_sum(i, in, out, d->rows, floats_of(d->x), floats_of(d->d_y), stack);
    use_gradient(d, i, stack, d->d_weight, d->weight, d->weight_velocity, d->weight_rms);
  }
  if (d->bias != NULL || d->d_bias != NULL) {
    batch_sum(0, 1, out, d->rows, NULL, floats_of(d->d_y), stack);
    use_gradient(d, 0, stack, d->d_bias, d->bias, d->bias_velocity, d->bias_rms);
  }
  free(stack);
  return MLP_CL_OK;
}

mlp_cl_status reference_dense_backward_weight(const dense_backward_weight *d, size_t count, mlp_cl_error *error) {
  for (size_t i = 0; i < count; i++) TRY(backward_weight(&d[i], error));
  return MLP_CL_OK;
}
