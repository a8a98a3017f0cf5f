#include "network/forward.h"

#include <stdlib.h>

#include "base/size.h"

/* Of a pass; and of what waits to be read, where there are several. */
#define MOST_BYTES ((size_t)64 << 20)
#define MOST_BYTES_OF_ANSWERS ((size_t)16 << 20)

/* Enough rows to fill a GPU; on a CPU few enough to stay in its caches from one layer to the next. */
static size_t most_rows(const mlp_cl_network *network) {
  return network->backend->device.type == MLP_CL_DEVICE_GPU ? 1024 : 512;
}

static size_t chunk_of(const mlp_cl_network *network, size_t rows) {
  size_t widths = 3 * network_inputs(network) + network_outputs(network); /* two sources, x; an answer */
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
  f->sources[0] = tensor_set_add(&f->tensors, TENSOR_PLAIN, TENSOR_FLOAT32, rows, network_inputs(network), NULL);
  f->x = tensor_set_add(&f->tensors, TENSOR_ACTIVATION, TENSOR_FLOAT32, rows, network_inputs(network), NULL);
  for (size_t i = 0; i < network->layers_count; i++)
    f->y[i] = tensor_set_add(&f->tensors, TENSOR_ACTIVATION, TENSOR_FLOAT32, rows, network->layers[i].out, NULL);
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

mlp_cl_status forward_reserve_passes(mlp_cl_network *network, size_t passes, size_t *places, mlp_cl_error *error) {
  forward_buffers *f = &network->forward;
  size_t inputs = network_inputs(network), outputs = network_outputs(network);
  size_t fitting = MOST_BYTES_OF_ANSWERS / (f->rows * outputs * sizeof(float));
  *places = size_min(passes, size_max(1, size_min(fitting, FORWARD_ANSWERS)));
  f->tensors.error = error;
  if (passes > 1 && f->sources[1] == NULL)
    f->sources[1] = tensor_set_add(&f->tensors, TENSOR_PLAIN, TENSOR_FLOAT32, f->rows, inputs, NULL);
  for (size_t i = 0; i < *places; i++)
    if (f->answers[i] == NULL)
      f->answers[i] = tensor_set_add(&f->tensors, TENSOR_ACTIVATION, TENSOR_FLOAT32, f->rows, outputs, NULL);
  mlp_cl_status status = f->tensors.status;
  if (status != MLP_CL_OK) forward_release(network);
  return status;
}

/* Plain C looks for zeros in each row by itself. */
void forward_rows_ask(forward_rows *r, const backend *on, size_t rows) {
  const bool plain = on->device.type == MLP_CL_DEVICE_REFERENCE;
  r->zeros = plain ? 1.0f : zeros_together(r->element, r->features, rows, r->width);
}

void forward_rows_add(forward_rows *r, tensor_set *set, size_t rows, size_t chunk, bool resident) {
  r->all = tensor_set_share(set, r->element, rows, r->width, r->features);
  if (r->all == NULL && resident) r->all = tensor_set_add(set, TENSOR_PLAIN, r->element, rows, r->width, r->features);
  for (size_t i = 0; i < 2 && r->all == NULL && i * chunk < rows; i++)
    if (r->turns[i] == NULL) r->turns[i] = tensor_set_add(set, TENSOR_PLAIN, r->element, chunk, r->width, NULL);
}

/* The tensor that has the rows [first, first + rows), from row *at on. */
static mlp_cl_status find_rows(forward_rows *r, backend *on, size_t first, size_t rows, const tensor **source,
                               size_t *at, mlp_cl_error *error) {
  *source = r->all;
  *at = first;
  if (r->all != NULL) return MLP_CL_OK;
  tensor *turn = r->turns[r->turns[1] != NULL ? r->turn++ % 2 : 0];
  *source = turn;
  *at = 0;
  const void *features = (const char *)r->features + first * r->width * tensor_element_bytes(r->element);
  return r->turns[1] != NULL ? on->op->tensor_send(on, turn, 0, rows, features, error)
                             : on->op->tensor_write(on, turn, 0, rows, features, error);
}

mlp_cl_status forward_run(mlp_cl_network *network, forward_rows *from, size_t first, size_t rows, tensor *logits,
                          mlp_cl_error *error) {
  const forward_buffers *f = &network->forward;
  backend *on = network->backend;
  gather g = {.rows = rows, .scale = from->scale, .y = f->x};
  TRY(find_rows(from, on, first, rows, &g.source, &g.first, error));
  TRY(on->op->gather(on, &g, error));
  const tensor *x = f->x;
  for (size_t i = 0; i < network->layers_count; i++) {
    const network_layer *layer = &network->layers[i];
    bool last = i + 1 == network->layers_count;
    tensor *y = last ? logits : f->y[i];
    dense_forward d = {.rows = rows,
                       .x = x,
                       .weight = layer->weight,
                       .bias = layer->bias,
                       .relu = !last && network->activation == MLP_CL_RELU,
                       .zeros = zeros_forward(i, network->activation, from->zeros),
                       .y = y};
    TRY(on->op->dense_forward(on, &d, error));
    activation a = {.rows = rows, .kind = network->activation, .x = y, .y = y};
    if (!last && !d.relu) TRY(on->op->activation_forward(on, &a, error));
    x = y;
  }
  return on->op->pace(on, error);
}

mlp_cl_status forward_answer(mlp_cl_network *network, forward_rows *from, size_t first, size_t rows, size_t i,
                             mlp_cl_error *error) {
  backend *on = network->backend;
  tensor *answer = network->forward.answers[i], *logits = forward_logits(network);
  if (network->task == MLP_CL_REGRESSION) return forward_run(network, from, first, rows, answer, error);
  TRY(forward_run(network, from, first, rows, logits, error));
  activation sigmoid = {.rows = rows, .kind = MLP_CL_SIGMOID, .x = logits, .y = answer};
  return network->task == MLP_CL_CLASSIFICATION ? on->op->softmax(on, rows, logits, answer, error)
                                                : on->op->activation_forward(on, &sigmoid, error);
}
