/* A run in a file: parameters, optimiser state, position, recipe, the data's fingerprint and the metrics so far. The
 * file is safetensors: what belongs to the model is as in a model file, and the rest beside it (model_file/model.h). */
#ifndef TRAINING_CHECKPOINT_H
#define TRAINING_CHECKPOINT_H

#include "model_file/safetensors.h"
#include "training/trainer.h"

/* Reads all that a checkpoint holds from the device, so that the run can go on while it is written. *content is
 * {0} on failure. Waits. Errors: DIVERGED (what is not finite is never saved), NO_MEMORY, OPENCL. */
mlp_cl_status checkpoint_collect(mlp_cl_trainer *trainer, safetensors *content, mlp_cl_error *error);
/* Seals, writes and releases the content; touches no device. Errors: IO, NO_MEMORY. */
mlp_cl_status checkpoint_write(const char *path, safetensors *content, mlp_cl_error *error);

/* Writes a checkpoint while the run goes on: at most one at a time, on a thread of its own. */
typedef struct checkpoint_writer checkpoint_writer;

/* Error: NO_MEMORY. */
mlp_cl_status checkpoint_writer_create(const char *path, bool keep_existing, checkpoint_writer **writer,
                                       mlp_cl_error *error);
/* Whether the writer was made for that path; and where it writes, which is beside it when that has become another's. */
bool checkpoint_writer_is_for(const checkpoint_writer *writer, const char *path);
const char *checkpoint_writer_path(const checkpoint_writer *writer);
/* checkpoint_write to the writer's path; the writer must be idle. Errors: as checkpoint_write. */
mlp_cl_status checkpoint_writer_write(checkpoint_writer *writer, safetensors *content, mlp_cl_error *error);
/* Takes over the content, which holds the run's first `step` steps; the writer must be idle. */
void checkpoint_writer_start(checkpoint_writer *writer, safetensors *content, uint64_t step);
typedef struct checkpoint_outcome {
  uint64_t step;
  mlp_cl_error error; /* of status OK when it was written */
} checkpoint_outcome;
/* True, once, when a checkpoint that was started is done; `wait` waits for it. False when there is none. */
bool checkpoint_writer_end(checkpoint_writer *writer, bool wait, checkpoint_outcome *outcome);
/* True until checkpoint_writer_end has told of the last start. */
bool checkpoint_writer_busy(const checkpoint_writer *writer);
/* Waits. NULL is allowed. */
void checkpoint_writer_destroy(checkpoint_writer *writer);

#endif
