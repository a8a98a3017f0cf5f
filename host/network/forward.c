#include "network/forward.h"

#include <stdlib.h>

#include "base/size.h"

#define MOST_BYTES ((size_t)64 << 20)

/* Enough rows to fill a GPU; on a CPU few enough to stay in its caches from one layer to the next. */
static size_t most_rows(const mlp_cl_network *network) {
  return network->backend->device.type == MLP_CL_DEVICE_GPU ? 1024 : 512;
}

static size_t chunk_of(const mlp_cl_network *network, size_t rows) {
  size_t widths = 2 * network_inputs(network) + network_classes(network);
  for (size_t i = 0; i < network->layers_count; i++) widths += network->layers[i].out;
  size_t fitting = MOST_BYTES / (widths * sizeof(float));
  return size_max(1, size_min(rows, size_min(fitting, most_rows(network))));
}

void forward_release(mlp_cl_network *network) {
  (void)tensor_set_end(&network->forward.tensors);
  free(network->forward.y);
  network->forward = (forward_buffers){.rows = 0};
}

static void add_tensors(mlp_cl_network *network, size_t rows) {
  forward_buffers *f = &network->forward;
  f->source = tensor_set_add(&f->tensors, TENSOR_PLAIN, TENSOR_FLOAT32, rows, network_inputs(network), NULL);
  f->x = tensor_set_add(&f->tensors, TENSOR_ACTIVATION, TENSOR_FLOAT32, rows, network_inputs(network), NULL);
  for (size_t i = 0; i < network->layers_count; i++)
    f->y[i] = tensor_set_add(&f->tensors, TENSOR_ACTIVATION, TENSOR_FLOAT32, rows, network->layers[i].out, NULL);
  f->final = tensor_set_add(&f->tensors, TENSOR_ACTIVATION, TENSOR_FLOAT32, rows, network_classes(network), NULL);
}

mlp_cl_status forward_reserve(mlp_cl_network *network, size_t rows, size_t *chunk, mlp_cl_error *error) {
  *chunk = chunk_of(network, rows);
  forward_buffers *f = &network->forward;
  if (f->rows >= *chunk) return MLP_CL_OK;
  forward_release(network);
  f->y = calloc(network->layers_count, sizeof *f->y);
  if (f->y == NULL) return fail_memory(error, network->layers_count * sizeof *f->y, "a list of activations");
  tensor_set_begin(&f->tensors, network->backend, error);
  add_tensors(network, *chunk);
  mlp_cl_status status = f->tensors.status;
  if (status != MLP_CL_OK) {
    forward_release(network);
    return status;
  }
  f->rows = *chunk;
  return MLP_CL_OK;
}

mlp_cl_status forward_finish(mlp_cl_network *network, size_t rows, const tensor **outputs, mlp_cl_error *error) {
  backend *on = network->backend;
  const tensor *logits = forward_logits(network);
  tensor *final = network->forward.final;
  activation sigmoid = {.rows = rows, .kind = MLP_CL_SIGMOID, .x = logits, .y = final};
  *outputs = final;
  switch (network->task) {
    case MLP_CL_CLASSIFICATION: return on->op->softmax(on, rows, logits, final, error);
    case MLP_CL_MULTI_LABEL: return on->op->activation_forward(on, &sigmoid, error);
    case MLP_CL_REGRESSION: *outputs = logits;
  }
  return MLP_CL_OK;
}

mlp_cl_status forward_run(mlp_cl_network *network, const tensor *source, size_t first, size_t rows, float scale,
                          mlp_cl_error *error) {
  const forward_buffers *f = &network->forward;
  backend *on = network->backend;
  gather g = {.source = source, .first = first, .rows = rows, .scale = scale, .y = f->x};
  TRY(on->op->gather(on, &g, error));
  const tensor *x = f->x;
  for (size_t i = 0; i < network->layers_count; i++) {
    const network_layer *layer = &network->layers[i];
    dense_forward d = {.rows = rows,
                       .x = x,
                       .weight = layer->weight,
                       .bias = layer->bias,
                       .relu = i + 1 < network->layers_count && network->activation == MLP_CL_RELU,
                       .y = f->y[i]};
    TRY(on->op->dense_forward(on, &d, error));
    activation a = {.rows = rows, .kind = network->activation, .x = f->y[i], .y = f->y[i]};
    if (i + 1 < network->layers_count && !d.relu) TRY(on->op->activation_forward(on, &a, error));
    x = f->y[i];
  }
  return on->op->pace(on, error);
}
