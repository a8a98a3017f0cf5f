/* Loss and accuracy of a network on a labelled data set. */
#ifndef NETWORK_EVALUATE_H
#define NETWORK_EVALUATE_H

#include "network/network.h"

/* An evaluation that can be repeated, as after each epoch. */
typedef struct evaluator {
  mlp_cl_network *network;
  const mlp_cl_dataset *dataset;
  bool resident; /* all features stay on the device; otherwise a chunk at a time passes through */
  tensor_set tensors;
  tensor *source, *labels, *losses, *predictions;
  float *host_losses; /* (rows) as are the predictions */
  int32_t *host_predictions;
} evaluator;

/* Errors: BAD_SHAPE, BAD_ARGUMENT (no labels), NO_MEMORY, DEVICE_MEMORY, OPENCL. */
mlp_cl_status evaluator_begin(evaluator *e, mlp_cl_network *network, const mlp_cl_dataset *dataset, bool resident,
                              mlp_cl_error *error);
/* Waits. `confusion` may be NULL. Errors: DIVERGED, OPENCL. */
mlp_cl_status evaluator_run(evaluator *e, mlp_cl_evaluation *result, uint64_t *confusion, mlp_cl_error *error);
/* May be called on a zeroed evaluator. */
void evaluator_end(evaluator *e);

/* Mean loss, as a double sum in row order, and share of right predictions. Prediction i is of row order[i], or i when
 * order is NULL. */
mlp_cl_evaluation evaluation_of(const float *losses, const int32_t *predictions, const int32_t *labels,
                                const uint32_t *order, size_t rows);

#endif
