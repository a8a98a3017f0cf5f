/* How far a run has come, and by which names a checkpoint keeps it: for those who write it and those who read it. */
#ifndef TRAINING_POSITION_H
#define TRAINING_POSITION_H

#include "training/trainer.h"

enum { POSITION_VERSION = 1 };
#define POSITION_STATE "run.state.%zu"
#define POSITION_LOSSES "run.losses"
#define POSITION_PREDICTIONS "run.predictions"

/* Rows of the running epoch that are trained on; 0 between epochs. */
size_t position_rows(const mlp_cl_trainer *trainer);
/* SHA-256 of the training data, or of the test data; found once. */
const char *position_fingerprint(mlp_cl_trainer *trainer, bool test);
/* The optimiser's tensors, one after the other: those with the role STATE, in the order of their creation. NULL after
 * the last; *at begins as 0. */
const tensor *position_next_state(const mlp_cl_trainer *trainer, size_t *at);

#endif
