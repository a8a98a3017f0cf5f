/* One run of a recipe: what stays on the device, and how far the run has come. */
#ifndef TRAINING_TRAINER_H
#define TRAINING_TRAINER_H

#include "backend/backend.h"
#include "network/evaluate.h"
#include "training/recipe.h"
#include "training/row_feed.h"

/* The order of one epoch, on both sides. */
typedef struct epoch_order {
  uint32_t *rows;
  tensor *uploaded;
} epoch_order;

/* The metrics of complete epochs, for checkpoints: of the last ones, where they are very many. */
typedef struct epoch_history {
  mlp_cl_event *epochs; /* owned */
  size_t count, room;
} epoch_history;

/* Error: NO_MEMORY. */
mlp_cl_status history_add(epoch_history *history, const mlp_cl_event *epoch, mlp_cl_error *error);
void history_release(epoch_history *history);
/* The place of the epoch with the lowest held-out loss, the first of equals; 0 where nothing is held out. */
size_t history_best(const epoch_history *history);

/* When mlp_cl_trainer_run writes checkpoints. */
typedef struct checkpoint_schedule {
  struct checkpoint_writer *writer; /* owned; NULL: never */
  mlp_cl_checkpoints when;          /* without the path, which the writer has, and the note */
  char *note;                       /* owned; NULL: none */
  bool due;                         /* since a step or epoch ago; it waits for the writer to be idle */
  uint64_t last_step;               /* of the last checkpoint begun */
  double last_s;                    /* when it began */
} checkpoint_schedule;

/* Waits for what is being written. {0} is allowed. */
void checkpoint_schedule_end(checkpoint_schedule *schedule);

/* A layer's parameters in the best epoch. */
typedef struct best_layer {
  tensor *weight, *bias;
} best_layer;

struct mlp_cl_trainer {
  mlp_cl_network *network;
  const mlp_cl_dataset *train;
  mlp_cl_recipe recipe;
  recipe_parts parts;
  tensor_set tensors;
  step_plan plan;
  row_feed feed; /* of features that are not resident */
  /* Of even and odd epochs, so that the next one is ready before its first step; none if unshuffled. */
  epoch_order orders[2];
  evaluator test; /* with a test set */
  bool has_test;
  float *class_weights;           /* owned copy of the recipe's; NULL without */
  best_layer *best;               /* one a layer, with patience; else NULL */
  row_tensors answers;            /* the plan's */
  row_metrics metrics;            /* (rows), read at the end of an epoch */
  double spread;                  /* of the training targets */
  uint64_t step;                  /* steps enqueued in the run */
  uint64_t losses_every;          /* steps; 0: losses are told at the ends of epochs alone */
  struct step_verifier *verifier; /* owned; NULL: no step is verified */
  epoch_history history;
  checkpoint_schedule checkpoints;
  char train_sha256[65], test_sha256[65]; /* "" until a checkpoint wants them */
};

static inline size_t trainer_epoch(const mlp_cl_trainer *trainer) {
  return (size_t)(trainer->step / trainer->parts.epoch_steps);
}

/* Enqueues `steps` steps that lie within one epoch; those that are to be verified are, and waited for. */
mlp_cl_status trainer_advance(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error);
/* The same without verification. */
mlp_cl_status trainer_enqueue(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error);
/* Draws the order of an epoch, all steps before which are enqueued, and sends it to the device beside them; the order
 * of the epoch two before, whose place it takes, must have arrived. Rows that are streamed come anew. */
mlp_cl_status trainer_prepare_order(mlp_cl_trainer *trainer, size_t epoch, mlp_cl_error *error);
/* Brings the epoch's metrics up to date. Waits. */
mlp_cl_status trainer_read_metrics(mlp_cl_trainer *trainer, mlp_cl_error *error);
/* Waits, and tells whether a value was not finite. Errors: DIVERGED (names epoch and step). */
mlp_cl_status trainer_check_flag(mlp_cl_trainer *trainer, mlp_cl_error *error);

#endif
