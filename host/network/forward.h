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

/* Rows on the host, and how the device comes to them: it has all of them, or gets those of a pass when it begins, in
 * one tensor while the other is still read. */
typedef struct forward_rows {
  const void *features; /* (rows, width) row-major */
  size_t width;
  tensor_element element;
  float scale;      /* times the features */
  float zeros;      /* zeros_together, as forward_rows_ask found */
  tensor *all;      /* PLAIN (rows, width), or NULL */
  tensor *turns[2]; /* PLAIN (chunk, width); the second NULL where there is but one pass */
  size_t turn;      /* the next one, modulo 2 */
} forward_rows;

/* Asks some of the `rows` rows for zeros, if the backend wants to be told. */
void forward_rows_ask(forward_rows *r, const backend *on, size_t rows);
/* Adds to the set what `rows` rows in passes of `chunk` want: a tensor that reads them in place where the device can;
 * else one that has all of them, if `resident`; else those of `turns` that are NULL. */
void forward_rows_add(forward_rows *r, tensor_set *set, size_t rows, size_t chunk, bool resident);

/* Rows [first, first + rows) through all layers, to `logits` (rows, outputs): forward_logits() or an answer. Only
 * enqueues, and keeps pace; the features must stay until what is enqueued has been waited for. rows <= the chunk of
 * forward_reserve. */
mlp_cl_status forward_run(mlp_cl_network *network, forward_rows *from, size_t first, size_t rows, tensor *logits,
                          mlp_cl_error *error);

/* Makes what so many passes at once want beside forward_reserve: places for their answers, *places of them, as bounded
 * memory allows but at least 1; and a second source. */
mlp_cl_status forward_reserve_passes(mlp_cl_network *network, size_t passes, size_t *places, mlp_cl_error *error);
/* As forward_run, to answers[i]: what the logits mean, probabilities of classes or labels, or the numbers themselves.
 */
mlp_cl_status forward_answer(mlp_cl_network *network, forward_rows *from, size_t first, size_t rows, size_t i,
                             mlp_cl_error *error);

static inline tensor *forward_logits(const mlp_cl_network *network) {
  return network->forward.y[network->layers_count - 1];
}

#endif
