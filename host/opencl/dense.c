#include "opencl/dense.h"

_Static_assert(LAYERS_TOGETHER == WEIGHT_LAYERS_MAX, "layers of a launch");

void launch_forward(launch *l, const dense_forward *d) {
  launch_int(l, d->rows);
  launch_int(l, d->weight->rows);
  launch_int(l, d->weight->cols);
  launch_tensor(l, d->x);
  launch_tensor(l, d->weight);
  launch_int(l, d->bias != NULL);
  launch_tensor(l, d->bias);
  launch_int(l, d->relu);
  launch_mask(l, d->dropout);
}

void launch_update(launch *l, const dense_backward_weight *d) {
  if (d->adam != NULL)
    launch_adam(l, d->adam);
  else
    launch_sgd(l, d->update);
}

void launch_weights(launch *l, const dense_backward_weight *d) {
  const tensor *bias = is_stored(d) ? d->d_bias : d->bias;
  launch_parameters(l, weight_or_gradient(d), d->weight_velocity, d->weight_rms);
  launch_int(l, bias != NULL);
  launch_parameters(l, bias, d->bias_velocity, d->bias_rms);
}

static const dense_variant *variant_of(const opencl_backend *self) {
  static const dense_variant *const variants[] = {
      [VARIANT_PLAIN] = &dense_plain, [VARIANT_PANEL] = &dense_panel, [VARIANT_TILE] = &dense_tile};
  return variants[self->tuning.variant];
}

mlp_cl_status opencl_dense_forward(backend *base, const dense_forward *d, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  return variant_of(self)->forward(self, d, error);
}

mlp_cl_status opencl_dense_backward_input(backend *base, const dense_backward_input *d, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  opencl_of(d->d_x)->transposed_valid = false;
  return variant_of(self)->backward_input(self, d, error);
}

mlp_cl_status opencl_dense_backward_weight(backend *base, const dense_backward_weight *d, size_t count,
                                           mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  return variant_of(self)->backward_weight(self, d, count, error);
}
