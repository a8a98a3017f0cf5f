#include "network/host_copy.h"

#include <stdlib.h>

/* What two threads of the host take: for multiply-adds; for weights, which come from the second cache or the third; and
 * for a row's activations. */
static double host_seconds(const mlp_cl_network *network, size_t rows) {
  const double weight_s = 1 / 20e9, row_s = 350e-9;
  double weights = (double)mlp_cl_network_parameters(network);
  return weights * weight_s + (double)rows * (2 * weights / context_host_flops() + row_s);
}

static mlp_cl_status create(mlp_cl_network *network, mlp_cl_error *error) {
  host_copy *copy = &network->copy;
  TRY(mlp_cl_context_create("reference", NULL, &copy->context, error));
  context_hire(copy->context);
  return network_create_like(copy->context, network, &copy->network, error);
}

static mlp_cl_status read_layer(mlp_cl_network *network, size_t i, mlp_cl_error *error) {
  backend *from = network->backend, *to = network->copy.network->backend;
  const network_layer *source = &network->layers[i], *target = &network->copy.network->layers[i];
  size_t bytes = source->in * source->out * sizeof(float);
  float *values = malloc(bytes);
  if (values == NULL) return fail_memory(error, bytes, "a copy of a layer's weights");
  mlp_cl_status status = from->op->tensor_read(from, source->weight, 0, source->in, values, error);
  if (status == MLP_CL_OK) status = to->op->tensor_write(to, target->weight, 0, source->in, values, error);
  if (status == MLP_CL_OK && source->bias != NULL) {
    status = from->op->tensor_read(from, source->bias, 0, 1, values, error);
    if (status == MLP_CL_OK) status = to->op->tensor_write(to, target->bias, 0, 1, values, error);
  }
  free(values);
  return status;
}

static mlp_cl_status bring_up_to_date(mlp_cl_network *network, mlp_cl_error *error) {
  host_copy *copy = &network->copy;
  if (copy->network != NULL && copy->changes == network->changes) return MLP_CL_OK;
  if (copy->network == NULL) TRY(create(network, error));
  for (size_t i = 0; i < network->layers_count; i++) TRY(read_layer(network, i, error));
  copy->changes = network->changes;
  return MLP_CL_OK;
}

mlp_cl_status host_copy_for_rows(mlp_cl_network *network, size_t rows, mlp_cl_network **runs, mlp_cl_error *error) {
  *runs = network;
  bool few = host_seconds(network, rows) < network->context->pass_s;
  if (!few || network->context->broken_rule != NULL) return MLP_CL_OK;
  mlp_cl_status status = bring_up_to_date(network, error);
  if (status == MLP_CL_OK)
    *runs = network->copy.network;
  else
    host_copy_release(network);
  return status;
}

void host_copy_release(mlp_cl_network *network) {
  mlp_cl_network_destroy(network->copy.network);
  mlp_cl_context_destroy(network->copy.context);
  network->copy = (host_copy){0};
}
