/* What a checkpoint holds, read from the device and written; checkpoint_resume.c is the way back. */
#include "training/checkpoint.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "data/dataset.h"
#include "model_file/model.h"
#include "training/position.h"

size_t position_rows(const mlp_cl_trainer *t) {
  size_t in_epoch = (size_t)(t->step % t->parts.epoch_steps);
  return in_epoch * t->parts.batch;
}

const char *position_fingerprint(mlp_cl_trainer *t, bool test) {
  const mlp_cl_dataset *data = test ? t->test.dataset : t->train;
  char *hex = test ? t->test_sha256 : t->train_sha256;
  if (hex[0] == '\0') dataset_sha256(data, hex);
  return hex;
}

static json_t *number_or_null(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

/* [epoch, train loss, accuracy, test loss, accuracy, seconds] */
static json_t *describe_metrics(const mlp_cl_trainer *t) {
  json_t *list = json_array();
  int failed = 0;
  for (size_t i = 0; i < t->history.count; i++) {
    const mlp_cl_event *e = &t->history.epochs[i];
    failed |=
        json_array_append_new(list, json_pack("[I, o, o, o, o, o]", (json_int_t)e->epoch, number_or_null(e->train_loss),
                                              number_or_null(e->train_accuracy), number_or_null(e->test_loss),
                                              number_or_null(e->test_accuracy), number_or_null(e->seconds)));
  }
  if (!failed) return list;
  json_decref(list);
  return NULL;
}

static mlp_cl_status add_position(mlp_cl_trainer *t, safetensors *content, mlp_cl_error *error) {
  char step[24];
  snprintf(step, sizeof step, "%" PRIu64, t->step);
  json_t *run = json_pack("{s:i, s:s, s:s, s:o}", "version", POSITION_VERSION, "step", step, "train_sha256",
                          position_fingerprint(t, false), "metrics", describe_metrics(t));
  bool complete = run != NULL && (!t->has_test || json_object_set_new(run, "test_sha256",
                                                                      json_string(position_fingerprint(t, true))) == 0);
  char *text = complete ? json_text(run, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(run);
  if (text == NULL) return fail_memory(error, 4096, "a checkpoint's position");
  mlp_cl_status status = safetensors_add_metadata(content, MODEL_RUN, text, error);
  free(text);
  return status;
}

const tensor *position_next_state(const mlp_cl_trainer *t, size_t *at) {
  while (*at < t->tensors.count) {
    const tensor *found = t->tensors.tensors[(*at)++];
    if (found->role == TENSOR_STATE) return found;
  }
  return NULL;
}

static mlp_cl_status add_states(mlp_cl_trainer *t, safetensors *content, mlp_cl_error *error) {
  backend *on = t->network->backend;
  const tensor *state;
  size_t number = 0;
  for (size_t at = 0; (state = position_next_state(t, &at)) != NULL; number++) {
    char name[40];
    safetensors_tensor *stored;
    snprintf(name, sizeof name, POSITION_STATE, number);
    TRY(safetensors_add(content, name, (size_t[]){state->rows, state->cols}, 2, &stored, error));
    TRY(on->op->tensor_read(on, state, 0, state->rows, stored->values, error));
  }
  return MLP_CL_OK;
}

/* Losses and predictions, or scores, of the epoch's rows so far. A prediction is below 2^24, which a float holds
 * exactly.
 */
static mlp_cl_status add_partial_epoch(mlp_cl_trainer *t, safetensors *content, mlp_cl_error *error) {
  size_t rows = position_rows(t);
  if (rows == 0) return MLP_CL_OK;
  const row_metrics *m = &t->metrics;
  safetensors_tensor *losses, *predictions;
  TRY(trainer_read_metrics(t, error));
  TRY(safetensors_add(content, POSITION_LOSSES, &rows, 1, &losses, error));
  for (size_t i = 0; i < rows; i++) losses->values[i] = m->losses[i];
  TRY(safetensors_add(content, POSITION_PREDICTIONS, &rows, 1, &predictions, error));
  for (size_t i = 0; i < rows; i++)
    predictions->values[i] = m->scores != NULL ? m->scores[i] : (float)m->predictions[i];
  return MLP_CL_OK;
}

static mlp_cl_status collect(mlp_cl_trainer *t, safetensors *content, mlp_cl_error *error) {
  TRY(trainer_check_flag(t, error));
  TRY(model_add(content, t->network, &t->recipe, t->train, error));
  TRY(model_split_add(content, t->train, position_fingerprint(t, false), error));
  TRY(add_states(t, content, error));
  TRY(add_partial_epoch(t, content, error));
  if (t->checkpoints.note != NULL) TRY(safetensors_add_metadata(content, MODEL_NOTE, t->checkpoints.note, error));
  return add_position(t, content, error);
}

mlp_cl_status checkpoint_collect(mlp_cl_trainer *trainer, safetensors *content, mlp_cl_error *error) {
  *content = (safetensors){0};
  mlp_cl_status status = collect(trainer, content, error);
  if (status != MLP_CL_OK) safetensors_destroy(content);
  return status;
}

mlp_cl_status checkpoint_write(const char *path, safetensors *content, mlp_cl_error *error) {
  mlp_cl_status status = safetensors_seal(content, error);
  if (status == MLP_CL_OK) status = safetensors_write(path, content, error);
  safetensors_destroy(content);
  return status;
}

/* ---- When and where -----------------------------------------------------------------------------------------------
 */

void checkpoint_schedule_end(checkpoint_schedule *schedule) {
  checkpoint_writer_destroy(schedule->writer);
  free(schedule->note);
}

mlp_cl_status mlp_cl_trainer_checkpoints(mlp_cl_trainer *trainer, const mlp_cl_checkpoints *when, mlp_cl_error *error) {
  if (trainer == NULL || when == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the trainer or the schedule of its checkpoints is NULL");
  if (!(when->every_s >= 0))
    return fail(error, MLP_CL_BAD_ARGUMENT, "a checkpoint every %g s: give 0 or more", when->every_s);
  TRY(mlp_cl_check_output(when->path, error));
  if (when->note != NULL && !utf8_is_valid(when->note))
    return fail(error, MLP_CL_BAD_ARGUMENT, "the note of the checkpoints is not UTF-8");
  char *note = when->note != NULL ? strdup(when->note) : NULL;
  if (when->note != NULL && note == NULL) return fail_memory(error, strlen(when->note) + 1, "a checkpoint's note");
  checkpoint_writer *writer;
  mlp_cl_status status = checkpoint_writer_create(when->path, when->keep_existing, &writer, error);
  if (status != MLP_CL_OK) {
    free(note);
    return status;
  }
  checkpoint_schedule_end(&trainer->checkpoints);
  trainer->checkpoints = (checkpoint_schedule){
      .writer = writer, .when = *when, .note = note, .last_step = UINT64_MAX, .last_s = clock_now_s()};
  trainer->checkpoints.when.path = NULL;
  trainer->checkpoints.when.note = NULL;
  return MLP_CL_OK;
}

const char *mlp_cl_trainer_checkpoint_path(const mlp_cl_trainer *trainer) {
  const checkpoint_writer *writer = trainer->checkpoints.writer;
  return writer != NULL ? checkpoint_writer_path(writer) : NULL;
}

mlp_cl_status mlp_cl_trainer_save(mlp_cl_trainer *trainer, const char *path, mlp_cl_error *error) {
  if (trainer == NULL || path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the trainer or the path is NULL");
  checkpoint_outcome ignored; /* the file that it may concern is replaced now */
  checkpoint_writer *writer = trainer->checkpoints.writer;
  if (writer != NULL) (void)checkpoint_writer_end(writer, true, &ignored);
  safetensors content;
  TRY(checkpoint_collect(trainer, &content, error));
  bool own = writer != NULL && checkpoint_writer_is_for(writer, path);
  return own ? checkpoint_writer_write(writer, &content, error) : checkpoint_write(path, &content, error);
}
