/* The unfused operations, one after the other: any device, for reading and as the last resort. */
#include "opencl/dense.h"

static mlp_cl_status forward(opencl_backend *self, const dense_forward *d, mlp_cl_error *error) {
  backend *base = &self->base;
  TRY(opencl_matmul_rows(self, MLP_CL_A_B, d->rows, d->x, d->weight, d->y, error));
  if (d->bias != NULL) TRY(opencl_bias(base, d->rows, d->y, d->bias, d->y, error));
  if (d->relu) TRY(opencl_relu(base, d->rows, d->y, d->y, error));
  if (d->dropout != NULL && d->dropout->threshold != 0)
    TRY(opencl_dropout(base, d->rows, d->dropout, d->y, d->y, error));
  return MLP_CL_OK;
}

static mlp_cl_status backward_input(opencl_backend *self, const dense_backward_input *d, mlp_cl_error *error) {
  TRY(opencl_matmul_rows(self, MLP_CL_A_BT, d->rows, d->d_y, d->weight, d->d_x, error));
  if (d->y == NULL) return MLP_CL_OK;
  return opencl_relu_backward_scaled(self, d->rows, d->scale, d->y, d->d_x, d->d_x, error);
}

static mlp_cl_status store(opencl_backend *self, const dense_backward_weight *d, mlp_cl_error *error) {
  TRY(opencl_matmul_rows(self, MLP_CL_AT_B, d->rows, d->x, d->d_y, d->d_weight, error));
  return d->d_bias == NULL ? MLP_CL_OK : opencl_bias_gradient(self, d->rows, d->d_y, d->d_bias, error);
}

static mlp_cl_status apply(opencl_backend *self, const dense_backward_weight *d, const tensor *gradient, tensor *value,
                           tensor *velocity, tensor *rms, mlp_cl_error *error) {
  if (d->update != NULL) return opencl_sgd(&self->base, d->update, gradient, value, velocity, d->flag, d->step, error);
  return opencl_adam(&self->base,
                     &(adam_step){.rule = *d->adam,
                                  .gradient = gradient,
                                  .weight = value,
                                  .moment = velocity,
                                  .rms = rms,
                                  .flag = d->flag,
                                  .step = d->step},
                     error);
}

/* The gradients go through memory of their own. */
static mlp_cl_status update(opencl_backend *self, const dense_backward_weight *d, mlp_cl_error *error) {
  backend *base = &self->base;
  dense_backward_weight stored = {.rows = d->rows, .x = d->x, .d_y = d->d_y};
  mlp_cl_status status = opencl_tensor_create(base, TENSOR_GRADIENT, TENSOR_FLOAT32, d->weight->rows, d->weight->cols,
                                              &stored.d_weight, error);
  if (status == MLP_CL_OK && d->bias != NULL)
    status = opencl_tensor_create(base, TENSOR_GRADIENT, TENSOR_FLOAT32, 1, d->bias->cols, &stored.d_bias, error);
  if (status == MLP_CL_OK) status = store(self, &stored, error);
  if (status == MLP_CL_OK)
    status = apply(self, d, stored.d_weight, d->weight, d->weight_velocity, d->weight_rms, error);
  if (status == MLP_CL_OK && d->bias != NULL)
    status = apply(self, d, stored.d_bias, d->bias, d->bias_velocity, d->bias_rms, error);
  opencl_tensor_destroy(base, stored.d_bias);
  opencl_tensor_destroy(base, stored.d_weight);
  return status;
}

static mlp_cl_status backward_weight(opencl_backend *self, const dense_backward_weight *d, size_t count,
                                     mlp_cl_error *error) {
  for (size_t i = 0; i < count; i++) TRY(is_stored(&d[i]) ? store(self, &d[i], error) : update(self, &d[i], error));
  return MLP_CL_OK;
}

const dense_variant dense_plain = {forward, backward_input, backward_weight};
