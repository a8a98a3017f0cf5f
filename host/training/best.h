/* Early stopping: the parameters of the epoch with the lowest held-out loss, kept on the device. Which epoch that is
 * follows from the history of metrics alone, and the copies are optimiser state to a checkpoint: so a resumed run needs
 * nothing more. */
#ifndef TRAINING_BEST_H
#define TRAINING_BEST_H

#include "training/trainer.h"

/* Adds the copies to the trainer's tensors, where its recipe has patience. Errors: NO_MEMORY. */
mlp_cl_status best_create(mlp_cl_trainer *trainer, mlp_cl_error *error);
/* The epoch, from 1, with the lowest held-out loss, the first of equals; 0 without patience or epochs. */
uint32_t best_epoch(const mlp_cl_trainer *trainer);
/* After an epoch: copies the parameters if it is the best. Enqueues only. */
mlp_cl_status best_keep(mlp_cl_trainer *trainer, mlp_cl_error *error);
/* Whether the patience is at its end. */
bool best_is_long_ago(const mlp_cl_trainer *trainer);
/* Gives the network the best epoch's parameters. Enqueues only. */
mlp_cl_status best_restore(mlp_cl_trainer *trainer, mlp_cl_error *error);

#endif
