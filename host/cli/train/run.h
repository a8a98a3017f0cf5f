/* One training run on one device: what `train` does on the device, and again on the reference for --verify. */
#ifndef RUN_H
#define RUN_H

#include "train/plan.h"

typedef struct run {
  mlp_cl_context *context; /* owned */
  mlp_cl_network *network; /* owned */
  mlp_cl_event *epochs;    /* one per complete epoch, owned */
  size_t epochs_count, epochs_room;
  mlp_cl_event last;
  uint64_t kept;             /* steps in the checkpoint on disk; UINT64_MAX: there is none */
  char *kept_in;             /* its path, owned; NULL: as planned */
  bool keeps;                /* it is where it was to be, not what the run was resumed from */
  uint64_t verified_every;   /* steps; 0: none was verified */
  mlp_cl_error unkept;       /* why the last one that failed was not written */
  char sha256[65];           /* of the trained parameters */
  bool has_judge, is_judged; /* it is to be measured on a part that no decision has seen; it was */
  double judged;             /* accuracy, or R2, on the judge */
} run;

typedef struct run_data {
  mlp_cl_dataset *train, *test; /* test may be NULL; it is measured on after each epoch, and decides with --patience */
  mlp_cl_dataset *judge;        /* with --validation, which is `test` then: what no decision has seen; else NULL */
} run_data;

/* Makes the network on `context`, which the run takes over, also when it fails. Release with run_free in any case. */
mlp_cl_status run_begin(run *r, mlp_cl_context *context, const plan *p, const run_data *data, mlp_cl_error *error);
/* Trains it, with checkpoints as planned. `hear` (or NULL) gets each event but those of checkpoints; `label` stands
 * before the progress line. */
mlp_cl_status run_train(run *r, const plan *p, const run_data *data, const char *label,
                        void (*hear)(const mlp_cl_event *event, void *user), void *user, mlp_cl_error *error);
/* What that would take. */
mlp_cl_status run_plan_memory(mlp_cl_context *context, const plan *p, const run_data *data, mlp_cl_memory *memory,
                              mlp_cl_error *error);
void run_free(run *r);

#endif
