/* Forward passes without dropout, in chunks of rows: what predictions and evaluations are made of. No bit depends on
 * the chunk, since a row's results do not depend on the other rows. */
#ifndef NETWORK_FORWARD_H
#define NETWORK_FORWARD_H

#include "network/network.h"

/* The rows that one pass takes, when `rows` are to be done: as many as bounded memory allows. Makes the buffers for
 * it. */
mlp_cl_status forward_reserve(mlp_cl_network *network, size_t rows, size_t *chunk, mlp_cl_error *error);
/* Frees the buffers. */
void forward_release(mlp_cl_network *network);

/* Rows [first, first + rows) of a PLAIN tensor, times scale, through all layers: the logits are in the last y. Only
 * enqueues, and keeps pace. rows <= the chunk of forward_reserve. */
mlp_cl_status forward_run(mlp_cl_network *network, const tensor *source, size_t first, size_t rows, float scale,
                          mlp_cl_error *error);

/* What the logits of the last run mean (rows, outputs): probabilities of classes or labels, or the numbers themselves.
 * Only enqueues. */
mlp_cl_status forward_finish(mlp_cl_network *network, size_t rows, const tensor **outputs, mlp_cl_error *error);

static inline tensor *forward_logits(const mlp_cl_network *network) {
  return network->forward.y[network->layers_count - 1];
}

#endif
