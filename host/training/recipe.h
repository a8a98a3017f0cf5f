/* A recipe, checked and turned into what steps need. */
#ifndef TRAINING_RECIPE_H
#define TRAINING_RECIPE_H

#include "backend/backend.h"

typedef struct recipe_parts {
  sgd update;
  adam_rates adam;
  bool has_terms;     /* the loss has smoothed labels or weighted classes */
  float clip_norm;    /* 0: gradients are not clipped */
  dropout mask;       /* of hidden layers, without step and layer */
  size_t batch;       /* at most the rows */
  size_t epoch_steps; /* in an epoch */
  uint64_t steps;     /* in the run; below 2^32 - 1 */
} recipe_parts;

/* rows: of the training data, below 2^31; outputs: of the network. Errors: BAD_ARGUMENT, naming the field and its
 * range. */
mlp_cl_status recipe_read(const mlp_cl_recipe *recipe, size_t rows, size_t outputs, recipe_parts *parts,
                          mlp_cl_error *error);

#endif
