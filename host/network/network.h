/* Layers and their parameters on a device. */
#ifndef NETWORK_NETWORK_H
#define NETWORK_NETWORK_H

#include "context/context.h"
#include "context/tensor_set.h"

typedef struct network_layer {
  size_t in, out;
  tensor *weight; /* (in, out) */
  tensor *bias;   /* (1, out), or NULL */
} network_layer;

/* Passes whose answers may wait to be read while others run. */
enum { FORWARD_ANSWERS = 8 };

/* Buffers of forward passes without dropout, kept between calls and grown on demand. */
typedef struct forward_buffers {
  size_t rows; /* that fit; 0: none yet */
  tensor_set tensors;
  tensor *sources[2]; /* PLAIN (rows, inputs) float32: rows that come from the host; the second NULL: not yet */
  tensor *x;          /* (rows, inputs) */
  tensor **y;         /* of each layer, the last with the logits; owned */
  tensor *answers[FORWARD_ANSWERS]; /* (rows, outputs) each: what the logits mean, as probabilities; NULL: not yet */
} forward_buffers;

/* See host_copy.h. */
typedef struct host_copy {
  mlp_cl_context *context; /* on the reference; NULL: no copy yet */
  mlp_cl_network *network;
  uint64_t changes; /* the network's when it was copied */
} host_copy;

struct mlp_cl_network {
  mlp_cl_context *context;
  backend *backend; /* the context's */
  uint64_t changes; /* of the parameters: whoever changes some adds 1 */
  mlp_cl_activation activation;
  mlp_cl_task task;
  size_t layers_count;
  network_layer *layers;
  tensor_set parameters;
  forward_buffers forward;
  host_copy copy;
};

static inline size_t network_inputs(const mlp_cl_network *network) {
  return network->layers[0].in;
}
static inline size_t network_outputs(const mlp_cl_network *network) {
  return network->layers[network->layers_count - 1].out;
}

/* A network of the same shape with parameters of 0. */
mlp_cl_status network_create_like(mlp_cl_context *context, const mlp_cl_network *model, mlp_cl_network **network,
                                  mlp_cl_error *error);

/* Rows [first, first + rows) of features (any, inputs). Errors: BAD_ARGUMENT, naming one that is not finite. */
mlp_cl_status network_check_features(const mlp_cl_network *network, const float *features, size_t first, size_t rows,
                                     mlp_cl_error *error);
/* Errors: BAD_SHAPE unless the dataset's width is the network's. */
mlp_cl_status network_check_dataset(const mlp_cl_network *network, const mlp_cl_dataset *dataset, const char *what,
                                    mlp_cl_error *error);
/* The same, and that there are labels or targets, as the network's task wants, that it can learn or be measured by.
 * Errors: BAD_SHAPE, BAD_ARGUMENT. */
mlp_cl_status network_check_answers(const mlp_cl_network *network, const mlp_cl_dataset *dataset, const char *what,
                                    mlp_cl_error *error);

#endif
