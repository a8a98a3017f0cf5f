/* A checkpoint back into a trainer. All of it is compared and checked before anything on the device changes. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "data/dataset.h"
#include "model_file/model.h"
#include "training/checkpoint.h"
#include "training/position.h"

/* An opened checkpoint. */
typedef struct stored_run {
  const char *path;
  safetensors content;
  json_t *run; /* the object of MODEL_RUN */
  uint64_t step;
} stored_run;

enum { SHOWN = 80 };

/* Long values are shown from the member on in which they differ. */
static mlp_cl_status fail_different(const stored_run *s, const char *what, const char *here, const char *there,
                                    mlp_cl_error *error) {
  size_t same = 0;
  if (strlen(here) > SHOWN || strlen(there) > SHOWN) {
    while (here[same] != '\0' && here[same] == there[same]) same++;
    while (same > 0 && strchr(",{[", here[same - 1]) == NULL) same--;
  }
  return fail(error, MLP_CL_BAD_ARGUMENT,
              "%s: the run cannot be resumed: %s is %.*s here and %.*s in the checkpoint; give what it was begun with",
              s->path, what, SHOWN, here + same, SHOWN, there + same);
}

static mlp_cl_status fail_damaged(const stored_run *s, const char *what, mlp_cl_error *error) {
  return fail(error, MLP_CL_BAD_FILE, "%s: the checkpoint's %s is missing or not valid; take another one", s->path,
              what);
}

/* ---- Comparing ------------------------------------------------------------------------------------------------- */

static mlp_cl_status compare_member(const stored_run *s, const char *name, const json_t *here, const json_t *there,
                                    mlp_cl_error *error) {
  if (json_equal(here, there)) return MLP_CL_OK;
  char *ours = here != NULL ? json_dumps(here, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7)) : NULL;
  char *theirs = there != NULL ? json_dumps(there, JSON_ENCODE_ANY | JSON_REAL_PRECISION(7)) : NULL;
  mlp_cl_status status =
      fail_different(s, name, ours != NULL ? ours : "absent", theirs != NULL ? theirs : "absent", error);
  free(ours);
  free(theirs);
  return status;
}

/* How many epochs there are changes no step, unless the learning rate falls towards the last, or the best parameters
 * take the last ones' place at the end. */
static bool epochs_may_differ(const mlp_cl_trainer *t) {
  return t->recipe.schedule != MLP_CL_COSINE && t->recipe.patience == 0;
}

/* Names the first member of two recipes that differs, and may not. */
static mlp_cl_status compare_recipes(const mlp_cl_trainer *t, const stored_run *s, const char *here, const char *there,
                                     mlp_cl_error *error) {
  json_t *ours = json_loads(here, 0, NULL), *theirs = json_loads(there, 0, NULL);
  mlp_cl_status status = ours == NULL ? fail_memory(error, strlen(here), "a recipe") : MLP_CL_OK;
  if (status == MLP_CL_OK && !json_is_object(theirs)) status = fail_damaged(s, "recipe", error);
  const char *name;
  json_t *value;
  if (status == MLP_CL_OK && epochs_may_differ(t)) {
    (void)json_object_del(ours, "epochs");
    (void)json_object_del(theirs, "epochs");
  }
  if (status == MLP_CL_OK) {
    json_object_foreach(ours, name, value) {
      if (status == MLP_CL_OK) status = compare_member(s, name, value, json_object_get(theirs, name), error);
    }
    json_object_foreach(theirs, name, value) {
      if (status == MLP_CL_OK) status = compare_member(s, name, json_object_get(ours, name), value, error);
    }
  }
  json_decref(ours);
  json_decref(theirs);
  return status;
}

/* All that a model file of this network would say must be said by the checkpoint, but for the program's version. */
static mlp_cl_status compare_metadata(const mlp_cl_trainer *t, const stored_run *s, mlp_cl_error *error) {
  char numerics[16];
  snprintf(numerics, sizeof numerics, "%d", mlp_cl_numerics_version());
  const char *there = safetensors_find_metadata(&s->content, MODEL_NUMERICS);
  if (there == NULL || strcmp(there, numerics) != 0)
    return fail_different(s, "the version of the numerics contract", numerics, there != NULL ? there : "absent", error);
  safetensors here = {0};
  mlp_cl_status status = model_info_add(&here, t->network, &t->recipe, t->train, error);
  for (size_t i = 0; status == MLP_CL_OK && i < here.metadata_count; i++) {
    const safetensors_entry *entry = &here.metadata[i];
    there = safetensors_find_metadata(&s->content, entry->key);
    if (there == NULL) {
      status = fail_different(s, entry->key, entry->value, "absent", error);
    } else if (strcmp(entry->key, MODEL_RECIPE) == 0) {
      status = compare_recipes(t, s, entry->value, there, error);
    } else if (strcmp(entry->value, there) != 0) {
      status = fail_different(s, entry->key, entry->value, there, error);
    }
  }
  safetensors_destroy(&here);
  return status;
}

static mlp_cl_status compare_rows(const stored_run *s, const char *what, const char *here, const char *there,
                                  mlp_cl_error *error) {
  if (strcmp(here, there) == 0) return MLP_CL_OK;
  return fail(
      error, MLP_CL_BAD_ARGUMENT,
      "%s: the run cannot be resumed: the %s data are not those it was begun with: their SHA-256 is %s here and "
      "%.64s in the checkpoint; give the same rows, read in the same way",
      s->path, what, here, there);
}

static mlp_cl_status compare_data(mlp_cl_trainer *t, const stored_run *s, mlp_cl_error *error) {
  const char *train = json_string_value(json_object_get(s->run, "train_sha256"));
  const char *test = json_string_value(json_object_get(s->run, "test_sha256"));
  if (train == NULL) return fail_damaged(s, "fingerprint of the training data", error);
  TRY(compare_rows(s, "training", position_fingerprint(t, false), train, error));
  if (test == NULL && !t->has_test) return MLP_CL_OK;
  return compare_rows(s, "test", t->has_test ? position_fingerprint(t, true) : "absent", test != NULL ? test : "absent",
                      error);
}

static mlp_cl_status compare_shape(const stored_run *s, const char *name, const size_t *sizes, size_t rank,
                                   mlp_cl_error *error) {
  const safetensors_tensor *stored = safetensors_find(&s->content, name);
  char here[64] = "", there[64] = "absent";
  if (stored != NULL && stored->rank == rank && memcmp(stored->sizes, sizes, rank * sizeof *sizes) == 0)
    return MLP_CL_OK;
  snprintf(here, sizeof here, rank == 2 ? "%zu×%zu" : "%zu", sizes[0], sizes[rank - 1]);
  if (stored != NULL && stored->rank > 0)
    snprintf(there, sizeof there, stored->rank == 2 ? "%zu×%zu" : "%zu", stored->sizes[0], stored->sizes[1]);
  char what[80];
  snprintf(what, sizeof what, "the size of \"%s\"", name);
  return fail_different(s, what, here, there, error);
}

/* The names of a layer's tensors, whether it has a bias or not. */
typedef struct layer_names {
  char weight[40], bias[40];
} layer_names;

static layer_names names_of(const mlp_cl_trainer *t, size_t layer) {
  layer_names names;
  size_t number = model_layer_number(&t->recipe, layer);
  snprintf(names.weight, sizeof names.weight, "%zu.weight", number);
  snprintf(names.bias, sizeof names.bias, "%zu.bias", number);
  return names;
}

/* That exactly the tensors are there that are wanted, each in its size. */
static mlp_cl_status compare_tensors(const mlp_cl_trainer *t, const stored_run *s, mlp_cl_error *error) {
  size_t wanted = 0, number = 0;
  for (size_t i = 0; i < t->network->layers_count; i++) {
    const network_layer *layer = &t->network->layers[i];
    layer_names names = names_of(t, i);
    TRY(compare_shape(s, names.weight, (size_t[]){layer->out, layer->in}, 2, error));
    if (layer->bias != NULL) TRY(compare_shape(s, names.bias, &layer->out, 1, error));
    if (layer->bias == NULL && safetensors_find(&s->content, names.bias) != NULL)
      return fail_different(s, "the layers' bias", "absent", "there", error);
    wanted += layer->bias != NULL ? 2 : 1;
  }
  const tensor *state;
  for (size_t at = 0; (state = position_next_state(t, &at)) != NULL; number++) {
    char name[40];
    snprintf(name, sizeof name, POSITION_STATE, number);
    TRY(compare_shape(s, name, (size_t[]){state->rows, state->cols}, 2, error));
  }
  size_t rows = (size_t)(s->step % t->parts.epoch_steps) * t->parts.batch;
  if (rows > 0) TRY(compare_shape(s, POSITION_LOSSES, &rows, 1, error));
  if (rows > 0) TRY(compare_shape(s, POSITION_PREDICTIONS, &rows, 1, error));
  wanted += number + (rows > 0 ? 2 : 0);
  if (s->content.tensors_count == wanted) return MLP_CL_OK;
  char here[24], there[24];
  snprintf(here, sizeof here, "%zu", wanted);
  snprintf(there, sizeof there, "%zu", s->content.tensors_count);
  return fail_different(s, "the number of tensors", here, there, error);
}

/* ---- Reading --------------------------------------------------------------------------------------------------- */

static mlp_cl_status read_run(stored_run *s, mlp_cl_error *error) {
  const char *text = safetensors_find_metadata(&s->content, MODEL_RUN);
  if (text == NULL)
    return fail(error, MLP_CL_BAD_FILE,
                "%s: is not a checkpoint: it lacks metadata \"" MODEL_RUN "\"; a model alone cannot be resumed",
                s->path);
  if (safetensors_find_metadata(&s->content, SAFETENSORS_SEAL) == NULL) return fail_damaged(s, "seal", error);
  s->run = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  json_int_t version = json_integer_value(json_object_get(s->run, "version"));
  if (version != POSITION_VERSION)
    return fail(error, MLP_CL_BAD_FILE, "%s: a checkpoint of version %lld; this program reads version %d", s->path,
                (long long)version, POSITION_VERSION);
  const char *step = json_string_value(json_object_get(s->run, "step"));
  if (step == NULL || strspn(step, "0123456789") != strlen(step) || strlen(step) == 0 || strlen(step) > 18)
    return fail_damaged(s, "step", error);
  s->step = strtoull(step, NULL, 10);
  return MLP_CL_OK;
}

static bool read_metric(const json_t *value, double *metric) {
  *metric = json_is_null(value) ? NAN : json_number_value(value);
  return json_is_null(value) || json_is_number(value);
}

static mlp_cl_status read_epoch(const mlp_cl_trainer *t, const stored_run *s, const json_t *row, mlp_cl_event *event,
                                mlp_cl_error *error) {
  json_int_t epoch = json_integer_value(json_array_get(row, 0));
  *event = (mlp_cl_event){.kind = MLP_CL_EVENT_EPOCH, .epochs = t->recipe.epochs, .steps = t->parts.steps};
  if (epoch < 1 || (uint64_t)epoch > s->step / t->parts.epoch_steps ||
      !read_metric(json_array_get(row, 1), &event->train_loss) ||
      !read_metric(json_array_get(row, 2), &event->train_accuracy) ||
      !read_metric(json_array_get(row, 3), &event->test_loss) ||
      !read_metric(json_array_get(row, 4), &event->test_accuracy) ||
      !read_metric(json_array_get(row, 5), &event->seconds))
    return fail_damaged(s, "list of metrics", error);
  event->epoch = (uint32_t)epoch;
  event->step = (uint64_t)epoch * t->parts.epoch_steps;
  event->has_test = t->has_test;
  return MLP_CL_OK;
}

static mlp_cl_status read_metrics(const mlp_cl_trainer *t, const stored_run *s, epoch_history *history,
                                  mlp_cl_error *error) {
  const json_t *rows = json_object_get(s->run, "metrics");
  if (!json_is_array(rows)) return fail_damaged(s, "list of metrics", error);
  for (size_t i = 0; i < json_array_size(rows); i++) {
    mlp_cl_event event;
    TRY(read_epoch(t, s, json_array_get(rows, i), &event, error));
    TRY(history_add(history, &event, error));
    if (t->best != NULL) history->epochs[history->count - 1].best_epoch = history->epochs[history_best(history)].epoch;
  }
  return MLP_CL_OK;
}

/* ---- Taking over ----------------------------------------------------------------------------------------------- */

static mlp_cl_status set_layer(const mlp_cl_trainer *t, const stored_run *s, size_t i, mlp_cl_error *error) {
  layer_names names = names_of(t, i);
  const safetensors_tensor *weight = safetensors_find(&s->content, names.weight);
  const safetensors_tensor *bias = safetensors_find(&s->content, names.bias); /* there as the network has it */
  float *values = malloc(weight->count * sizeof *values);
  if (values == NULL) return fail_memory(error, weight->count * sizeof *values, "a layer's weights");
  model_transpose(weight->values, weight->sizes[0], weight->sizes[1], values);
  mlp_cl_status status = mlp_cl_network_set(t->network, i, values, bias != NULL ? bias->values : NULL, error);
  free(values);
  return status;
}

static mlp_cl_status set_states(const mlp_cl_trainer *t, const stored_run *s, mlp_cl_error *error) {
  backend *on = t->network->backend;
  const tensor *state;
  size_t number = 0;
  for (size_t at = 0; (state = position_next_state(t, &at)) != NULL; number++) {
    char name[40];
    snprintf(name, sizeof name, POSITION_STATE, number);
    const float *values = safetensors_find(&s->content, name)->values;
    TRY(on->op->tensor_write(on, (tensor *)state, 0, state->rows, values, error));
  }
  return MLP_CL_OK;
}

static mlp_cl_status set_partial_epoch(const mlp_cl_trainer *t, const stored_run *s, mlp_cl_error *error) {
  const safetensors_tensor *losses = safetensors_find(&s->content, POSITION_LOSSES);
  const safetensors_tensor *predictions = safetensors_find(&s->content, POSITION_PREDICTIONS);
  if (losses == NULL) return MLP_CL_OK;
  const row_metrics *m = &t->metrics;
  row_metrics_zero(m, t->train->rows);
  for (size_t i = 0; i < losses->count; i++) m->losses[i] = losses->values[i];
  for (size_t i = 0; i < predictions->count; i++) {
    float value = predictions->values[i];
    if (!(value >= 0.0f && (m->scores != NULL || value < 0x1p24f)))
      return fail_damaged(s, "list of predictions", error);
    if (m->scores != NULL)
      m->scores[i] = value;
    else
      m->predictions[i] = (int32_t)value;
  }
  return row_metrics_write(t->network->backend, m, &t->answers, error);
}

static mlp_cl_status take_over(mlp_cl_trainer *t, const stored_run *s, mlp_cl_error *error) {
  static const int32_t no_step = -1;
  backend *on = t->network->backend;
  TRY(set_partial_epoch(t, s, error));
  for (size_t i = 0; i < t->network->layers_count; i++) TRY(set_layer(t, s, i, error));
  TRY(set_states(t, s, error));
  TRY(on->op->tensor_write(on, t->plan.flag, 0, 1, &no_step, error)); /* waits, also for the first epoch's order */
  t->step = s->step;
  return trainer_prepare_order(t, trainer_epoch(t), error);
}

static mlp_cl_status resume(mlp_cl_trainer *t, stored_run *s, mlp_cl_error *error) {
  TRY(read_run(s, error));
  TRY(compare_data(t, s, error)); /* first: all else that a file says of other rows differs, too */
  TRY(compare_metadata(t, s, error));
  if (s->step > t->parts.steps)
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "%s: the run cannot be resumed: the checkpoint is at step %" PRIu64 ", behind the %" PRIu64
                " of %lu epochs; give more epochs",
                s->path, s->step, t->parts.steps, (unsigned long)t->recipe.epochs);
  TRY(compare_tensors(t, s, error));
  epoch_history history = {0};
  mlp_cl_status status = read_metrics(t, s, &history, error);
  if (status == MLP_CL_OK) status = take_over(t, s, error);
  if (status != MLP_CL_OK) {
    history_release(&history);
    return status;
  }
  history_release(&t->history);
  t->history = history;
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_trainer_resume(mlp_cl_trainer *trainer, const char *path, mlp_cl_on_event *on_event, void *user,
                                    mlp_cl_error *error) {
  if (trainer == NULL || path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the trainer or the path is NULL");
  stored_run s = {.path = path};
  TRY(safetensors_read(path, &s.content, error));
  mlp_cl_status status = resume(trainer, &s, error);
  json_decref(s.run);
  safetensors_destroy(&s.content);
  TRY(status);
  for (size_t i = 0; on_event != NULL && i < trainer->history.count; i++)
    if (!on_event(&trainer->history.epochs[i], user))
      return fail(error, MLP_CL_CANCELLED, "resuming was cancelled at epoch %lu",
                  (unsigned long)trainer->history.epochs[i].epoch);
  mlp_cl_event reached = {.kind = MLP_CL_EVENT_CHECKPOINT,
                          .epoch = (uint32_t)size_min(trainer_epoch(trainer) + 1, trainer->recipe.epochs),
                          .epochs = trainer->recipe.epochs,
                          .step = trainer->step,
                          .steps = trainer->parts.steps,
                          .train_loss = NAN,
                          .train_accuracy = NAN,
                          .test_loss = NAN,
                          .test_accuracy = NAN};
  if (on_event != NULL) (void)on_event(&reached, user);
  return MLP_CL_OK;
}
