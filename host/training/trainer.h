/* One run of a recipe: what stays on the device, and how far the run has come. */
#ifndef TRAINING_TRAINER_H
#define TRAINING_TRAINER_H

#include "backend/backend.h"
#include "network/evaluate.h"
#include "training/recipe.h"

/* The order of one epoch, on both sides. */
typedef struct epoch_order {
  uint32_t *rows;
  tensor *uploaded;
} epoch_order;

struct mlp_cl_trainer {
  mlp_cl_network *network;
  const mlp_cl_dataset *train;
  mlp_cl_recipe recipe;
  recipe_parts parts;
  tensor_set tensors;
  step_plan plan;
  epoch_order
      orders[2];  /* of even and odd epochs, so that the next one is ready before its first step; none if unshuffled */
  evaluator test; /* with a test set */
  bool has_test;
  float *losses;                  /* (rows), read at the end of an epoch */
  int32_t *predictions;           /* (rows) */
  uint64_t step;                  /* steps enqueued in the run */
  struct step_verifier *verifier; /* owned; NULL: no step is verified */
};

static inline size_t trainer_epoch(const mlp_cl_trainer *trainer) {
  return (size_t)(trainer->step / trainer->parts.epoch_steps);
}

/* Enqueues `steps` steps that lie within one epoch; those that are to be verified are, and waited for. */
mlp_cl_status trainer_advance(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error);
/* The same without verification. */
mlp_cl_status trainer_enqueue(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error);
/* Draws the order of an epoch and sends it to the device, behind the work that is enqueued. */
mlp_cl_status trainer_prepare_order(mlp_cl_trainer *trainer, size_t epoch, mlp_cl_error *error);
/* Waits, and tells whether a value was not finite. Errors: DIVERGED (names epoch and step). */
mlp_cl_status trainer_check_flag(mlp_cl_trainer *trainer, mlp_cl_error *error);

#endif
