/* Networks come and go here; parameters.c gives access to what they learned. */
#include "network/network.h"

#include <stdlib.h>

#include "base/finite.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/dataset.h"
#include "network/forward.h"
#include "network/host_copy.h"
#include "network/initial.h"

/* The fan-in must be exact as a float. */
#define LARGEST_WIDTH ((size_t)1 << 24)
#define MOST_LAYERS ((size_t)1 << 16)

static mlp_cl_status check_shape(const mlp_cl_shape *shape, mlp_cl_error *error) {
  if (shape->widths == NULL || shape->widths_count < 2)
    return fail(error, MLP_CL_BAD_SHAPE, "a network of %zu widths: give at least inputs and outputs",
                shape->widths_count);
  if (shape->widths_count - 1 > MOST_LAYERS)
    return fail(error, MLP_CL_BAD_SHAPE, "a network of %zu layers: at most %zu are possible", shape->widths_count - 1,
                MOST_LAYERS);
  if (shape->init != MLP_CL_INIT_HE && shape->init != MLP_CL_INIT_PYTORCH && shape->init != MLP_CL_INIT_ZERO)
    return fail(error, MLP_CL_BAD_ARGUMENT, "there is no initialisation %d", (int)shape->init);
  if (mlp_cl_activation_name(shape->activation) == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "there is no activation %d", (int)shape->activation);
  if (mlp_cl_task_name(shape->task) == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "there is no task %d", (int)shape->task);
  for (size_t i = 0; i < shape->widths_count; i++)
    if (shape->widths[i] == 0 || shape->widths[i] > LARGEST_WIDTH)
      return fail(error, MLP_CL_BAD_SHAPE, "width %zu of the network is %zu: give 1 to %zu", i, shape->widths[i],
                  LARGEST_WIDTH);
  return MLP_CL_OK;
}

static mlp_cl_status check_bytes(const mlp_cl_shape *shape, mlp_cl_error *error) {
  size_t total = 0;
  for (size_t i = 0; i + 1 < shape->widths_count; i++) {
    size_t elements, bytes;
    if (!size_multiply(shape->widths[i] + 1, shape->widths[i + 1], &elements) ||
        !size_multiply(elements, sizeof(float), &bytes) || __builtin_add_overflow(total, bytes, &total))
      return fail(error, MLP_CL_BAD_SHAPE, "layer %zu of %zu×%zu is larger than memory can be", i, shape->widths[i],
                  shape->widths[i + 1]);
  }
  return MLP_CL_OK;
}

static mlp_cl_status add_layer(mlp_cl_network *network, const mlp_cl_shape *shape, size_t i, uint64_t seed,
                               mlp_cl_error *error) {
  size_t in = shape->widths[i], out = shape->widths[i + 1], bytes = in * out * sizeof(float);
  network_layer *layer = &network->layers[i];
  *layer = (network_layer){.in = in, .out = out};
  if (shape->init == MLP_CL_INIT_ZERO) {
    layer->weight = tensor_set_add_zeroed(&network->parameters, TENSOR_WEIGHT, in, out);
    if (shape->bias) layer->bias = tensor_set_add_zeroed(&network->parameters, TENSOR_WEIGHT, 1, out);
    return network->parameters.status;
  }
  float *values = bytes <= memory_total_bytes() ? malloc(bytes) : NULL;
  if (values == NULL) return fail_memory(error, bytes, "a layer's initial weights");
  initial_weight(shape->init, in, out, (uint32_t)i, seed, values);
  layer->weight = tensor_set_add(&network->parameters, TENSOR_WEIGHT, TENSOR_FLOAT32, in, out, values);
  if (shape->bias) {
    initial_bias(shape->init, in, out, (uint32_t)i, seed, values);
    layer->bias = tensor_set_add(&network->parameters, TENSOR_WEIGHT, TENSOR_FLOAT32, 1, out, values);
  }
  free(values);
  return network->parameters.status;
}

/* Kernels that not every network needs are proven on their first use. */
static mlp_cl_status prove_operations(mlp_cl_context *context, const mlp_cl_shape *shape, mlp_cl_error *error) {
  bool hidden = shape->widths_count > 2;
  if (hidden && shape->activation != MLP_CL_RELU)
    TRY(context_prove(context, mlp_cl_activation_name(shape->activation), error));
  if (shape->task == MLP_CL_MULTI_LABEL) TRY(context_prove(context, mlp_cl_activation_name(MLP_CL_SIGMOID), error));
  return shape->task == MLP_CL_CLASSIFICATION ? MLP_CL_OK
                                              : context_prove(context, mlp_cl_task_name(shape->task), error);
}

mlp_cl_status mlp_cl_network_create(mlp_cl_context *context, const mlp_cl_shape *shape, uint64_t seed,
                                    mlp_cl_network **network, mlp_cl_error *error) {
  if (network == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "network is NULL: pass where to put it");
  *network = NULL;
  if (context == NULL || shape == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "context or shape is NULL");
  TRY(check_shape(shape, error));
  TRY(check_bytes(shape, error));
  TRY(prove_operations(context, shape, error));
  mlp_cl_network *created = calloc(1, sizeof *created);
  if (created == NULL) return fail_memory(error, sizeof *created, "a network");
  created->context = context;
  created->activation = shape->activation;
  created->task = shape->task;
  created->backend = context->backend;
  created->layers_count = shape->widths_count - 1;
  tensor_set_begin(&created->parameters, context->backend, error);
  mlp_cl_status status = MLP_CL_OK;
  created->layers = calloc(created->layers_count, sizeof *created->layers);
  if (created->layers == NULL) status = fail_memory(error, created->layers_count * sizeof *created->layers, "layers");
  for (size_t i = 0; status == MLP_CL_OK && i < created->layers_count; i++)
    status = add_layer(created, shape, i, seed, error);
  if (status != MLP_CL_OK) {
    mlp_cl_network_destroy(created);
    return status;
  }
  *network = created;
  return MLP_CL_OK;
}

mlp_cl_status network_create_like(mlp_cl_context *context, const mlp_cl_network *model, mlp_cl_network **network,
                                  mlp_cl_error *error) {
  size_t count = model->layers_count + 1;
  size_t *widths = malloc(count * sizeof *widths);
  if (widths == NULL) return fail_memory(error, count * sizeof *widths, "a network's widths");
  for (size_t i = 0; i < count; i++) widths[i] = mlp_cl_network_width(model, i);
  mlp_cl_shape shape = {.widths_count = count,
                        .widths = widths,
                        .bias = mlp_cl_network_has_bias(model),
                        .init = MLP_CL_INIT_ZERO,
                        .activation = model->activation,
                        .task = model->task};
  mlp_cl_status status = mlp_cl_network_create(context, &shape, 0, network, error);
  free(widths);
  return status;
}

void mlp_cl_network_destroy(mlp_cl_network *network) {
  if (network == NULL) return;
  host_copy_release(network);
  forward_release(network);
  (void)tensor_set_end(&network->parameters);
  free(network->layers);
  free(network);
}

size_t mlp_cl_network_layers(const mlp_cl_network *network) {
  return network->layers_count;
}

size_t mlp_cl_network_width(const mlp_cl_network *network, size_t i) {
  return i < network->layers_count ? network->layers[i].in : network_outputs(network);
}

bool mlp_cl_network_has_bias(const mlp_cl_network *network) {
  return network->layers[0].bias != NULL;
}

mlp_cl_activation mlp_cl_network_activation(const mlp_cl_network *network) {
  return network->activation;
}

mlp_cl_task mlp_cl_network_task(const mlp_cl_network *network) {
  return network->task;
}

const char *mlp_cl_activation_name(mlp_cl_activation kind) {
  switch (kind) {
    case MLP_CL_RELU: return "relu";
    case MLP_CL_LEAKY_RELU: return "leaky-relu";
    case MLP_CL_TANH: return "tanh";
    case MLP_CL_SIGMOID: return "sigmoid";
    case MLP_CL_GELU: return "gelu";
  }
  return NULL;
}

const char *mlp_cl_task_name(mlp_cl_task task) {
  switch (task) {
    case MLP_CL_CLASSIFICATION: return "classification";
    case MLP_CL_REGRESSION: return "regression";
    case MLP_CL_MULTI_LABEL: return "multi-label";
  }
  return NULL;
}

size_t mlp_cl_network_parameters(const mlp_cl_network *network) {
  size_t total = 0;
  for (size_t i = 0; i < network->layers_count; i++) {
    const network_layer *layer = &network->layers[i];
    total += layer->in * layer->out + (layer->bias != NULL ? layer->out : 0);
  }
  return total;
}

mlp_cl_status network_check_features(const mlp_cl_network *network, const float *features, size_t first, size_t rows,
                                     mlp_cl_error *error) {
  size_t width = network_inputs(network), i = finite_count(features + first * width, rows * width);
  if (i == rows * width) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "feature %zu of row %zu is %g: give finite values", i % width,
              first + i / width, (double)features[first * width + i]);
}

mlp_cl_status network_check_dataset(const mlp_cl_network *network, const mlp_cl_dataset *dataset, const char *what,
                                    mlp_cl_error *error) {
  if (dataset->width != network_inputs(network))
    return fail(error, MLP_CL_BAD_SHAPE, "%s has %zu features a row and the network takes %zu", what, dataset->width,
                network_inputs(network));
  if (dataset->rows > INT32_MAX)
    return fail(error, MLP_CL_BAD_SHAPE, "%s has %zu rows: at most %ld are possible", what, dataset->rows,
                (long)INT32_MAX);
  return MLP_CL_OK;
}

static mlp_cl_status check_labels(const mlp_cl_network *network, const mlp_cl_dataset *dataset, const char *what,
                                  mlp_cl_error *error) {
  if (dataset->labels == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s has no labels: a network for classification needs one for each row",
                what);
  if (dataset->classes > network_outputs(network))
    return fail(error, MLP_CL_BAD_SHAPE, "%s has %zu classes and the network tells %zu apart", what, dataset->classes,
                network_outputs(network));
  return MLP_CL_OK;
}

static mlp_cl_status check_targets(const mlp_cl_network *network, const mlp_cl_dataset *dataset, const char *what,
                                   mlp_cl_error *error) {
  if (dataset->targets == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s has no targets: a network for %s needs %zu for each row", what,
                mlp_cl_task_name(network->task), network_outputs(network));
  if (dataset->outputs != network_outputs(network))
    return fail(error, MLP_CL_BAD_SHAPE, "%s has %zu targets a row and the network has %zu outputs", what,
                dataset->outputs, network_outputs(network));
  for (size_t i = 0; network->task == MLP_CL_MULTI_LABEL && i < dataset->rows * dataset->outputs; i++)
    if (!(dataset->targets[i] >= 0.0f && dataset->targets[i] <= 1.0f))
      return fail(error, MLP_CL_BAD_ARGUMENT,
                  "%s: target %zu of row %zu is %g: a label's target lies in 0 … 1; other numbers are for regression",
                  what, i % dataset->outputs, i / dataset->outputs, (double)dataset->targets[i]);
  return MLP_CL_OK;
}

mlp_cl_status network_check_answers(const mlp_cl_network *network, const mlp_cl_dataset *dataset, const char *what,
                                    mlp_cl_error *error) {
  TRY(network->task == MLP_CL_CLASSIFICATION ? check_labels(network, dataset, what, error)
                                             : check_targets(network, dataset, what, error));
  return network_check_dataset(network, dataset, what, error);
}
