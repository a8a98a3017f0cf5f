/* A network's parameters on their way to and from the host, and their receipt. */
#include <stdlib.h>

#include "base/finite.h"
#include "base/little_endian.h"
#include "network/network.h"

static mlp_cl_status check_layer(const mlp_cl_network *network, size_t layer, const float *bias, mlp_cl_error *error) {
  if (layer >= network->layers_count)
    return fail(error, MLP_CL_BAD_ARGUMENT, "there is no layer %zu: the network has %zu, from 0", layer,
                network->layers_count);
  if (bias != NULL && network->layers[layer].bias == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the network has no biases: pass NULL");
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_network_get(mlp_cl_network *network, size_t layer, float *weight, float *bias,
                                 mlp_cl_error *error) {
  TRY(check_layer(network, layer, bias, error));
  const network_layer *l = &network->layers[layer];
  const backend_operations *op = network->backend->op;
  if (weight != NULL) TRY(op->tensor_read(network->backend, l->weight, 0, l->in, weight, error));
  if (bias != NULL) TRY(op->tensor_read(network->backend, l->bias, 0, 1, bias, error));
  return MLP_CL_OK;
}

static mlp_cl_status check_finite(const float *values, size_t count, const char *what, size_t layer,
                                  mlp_cl_error *error) {
  size_t i = values != NULL ? finite_count(values, count) : count;
  if (i == count) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "%s %zu of layer %zu is %g: give finite values", what, i, layer,
              (double)values[i]);
}

mlp_cl_status mlp_cl_network_set(mlp_cl_network *network, size_t layer, const float *weight, const float *bias,
                                 mlp_cl_error *error) {
  TRY(check_layer(network, layer, bias, error));
  const network_layer *l = &network->layers[layer];
  TRY(check_finite(weight, l->in * l->out, "weight", layer, error));
  TRY(check_finite(bias, l->out, "bias", layer, error));
  const backend_operations *op = network->backend->op;
  network->changes++;
  if (weight != NULL) TRY(op->tensor_write(network->backend, l->weight, 0, l->in, weight, error));
  if (bias != NULL) TRY(op->tensor_write(network->backend, l->bias, 0, 1, bias, error));
  return MLP_CL_OK;
}

/* Adds one tensor's values to the hash. `values` is room for them. */
static mlp_cl_status add_parameters(mlp_cl_network *network, const tensor *added, size_t layer, float *values,
                                    sha256 *state, mlp_cl_error *error) {
  size_t count = added->rows * added->cols;
  TRY(network->backend->op->tensor_read(network->backend, added, 0, added->rows, values, error));
  size_t i = finite_count(values, count);
  if (i < count)
    return fail(error, MLP_CL_DIVERGED, "%s %zu of layer %zu is %g: such a network has no receipt",
                added == network->layers[layer].bias ? "bias" : "weight", i, layer, (double)values[i]);
  to_little_endian(values, count);
  sha256_add(state, values, count * sizeof *values);
  return MLP_CL_OK;
}

static size_t largest_layer(const mlp_cl_network *network) {
  size_t largest = 0;
  for (size_t i = 0; i < network->layers_count; i++) {
    size_t count = network->layers[i].in * network->layers[i].out;
    if (count > largest) largest = count;
  }
  return largest;
}

mlp_cl_status mlp_cl_network_sha256(mlp_cl_network *network, char hex[65], mlp_cl_error *error) {
  size_t bytes = largest_layer(network) * sizeof(float);
  float *values = malloc(bytes);
  if (values == NULL) return fail_memory(error, bytes, "a layer's parameters");
  sha256 state;
  sha256_begin(&state);
  mlp_cl_status status = MLP_CL_OK;
  for (size_t i = 0; status == MLP_CL_OK && i < network->layers_count; i++) {
    const network_layer *layer = &network->layers[i];
    status = add_parameters(network, layer->weight, i, values, &state, error);
    if (status == MLP_CL_OK && layer->bias != NULL)
      status = add_parameters(network, layer->bias, i, values, &state, error);
  }
  if (status == MLP_CL_OK) sha256_end(&state, hex);
  free(values);
  return status;
}
