/* See open.h. */
#include "input/open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "input/source.h"
#include "terminal/report.h"
#include "terminal/watchdog.h"

mlp_cl_status open_device(const options *o, mlp_cl_context **context, mlp_cl_error *error) {
  return open_device_for(o, 0, context, error);
}

mlp_cl_status open_device_for(const options *o, uint64_t data_bytes, mlp_cl_context **context, mlp_cl_error *error) {
  const mlp_cl_context_options how = {.allow_inexact = options_has(o, OPTION_ALLOW_INEXACT),
                                      .kernels = options_text(o, OPTION_KERNELS, NULL),
                                      .profile = options_has(o, OPTION_PROFILE),
                                      .data_bytes = data_bytes};
  watchdog_begin("opening a device and building its kernels");
  mlp_cl_status status = mlp_cl_context_create(options_text(o, OPTION_DEVICE, NULL), &how, context, error);
  watchdog_end();
  if (status != MLP_CL_OK) return status;
  const mlp_cl_device *device = mlp_cl_context_device(*context);
  if (device->index < 0 && how.profile) {
    mlp_cl_context_destroy(*context);
    *context = NULL;
    *error = (mlp_cl_error){MLP_CL_BAD_ARGUMENT, "--profile: the reference launches no kernels; take an OpenCL device"};
    return error->status;
  }
  if (device->index < 0)
    report_note("device: the CPU reference");
  else
    report_note("device %d: %s (%s)", device->index, device->name, device->platform);
  const char *rule = NULL, *reason = mlp_cl_context_fallback(*context);
  if (reason != NULL) report_note("warning: the plain kernels are used, which are slower: %s", reason);
  if (!mlp_cl_context_exact(*context, &rule))
    report_note("warning: this device does not keep the numerics contract (%s): its bits are its own", rule);
  return status;
}

void warn_of_refused_steps(const mlp_cl_context *context) {
  const char *reason = mlp_cl_context_steps_refusal(context);
  if (reason != NULL) report_note("warning: no whole training steps in one launch, which are faster: %s", reason);
}

mlp_cl_status write_profile(const options *o, mlp_cl_context *context, mlp_cl_error *error) {
  const char *path = options_text(o, OPTION_PROFILE, NULL);
  if (!path) return MLP_CL_OK;
  mlp_cl_status status = mlp_cl_profile_write(context, path, error);
  if (status == MLP_CL_OK) report_note("wrote %s: open it in ui.perfetto.dev or chrome://tracing", path);
  return status;
}

int open_model(const options *o, opened_model *m) {
  *m = (opened_model){0};
  if (!o->operand) return report_usage("which model? name a file that 'mlp_cl train --out FILE.safetensors' wrote");
  mlp_cl_error error;
  if (open_device(o, &m->context, &error) != MLP_CL_OK) return report_failure(&error);
  if (mlp_cl_network_load(m->context, o->operand, &m->network, &m->info, &error) != MLP_CL_OK)
    return report_failure(&error);
  return STATUS_OK;
}

void close_model(opened_model *m) {
  mlp_cl_model_info_destroy(m->info);
  mlp_cl_network_destroy(m->network);
  mlp_cl_context_destroy(m->context);
}

static int check_width(const options *o, const opened_model *m, const char *source, size_t width) {
  size_t inputs = mlp_cl_network_width(m->network, 0);
  if (inputs == width) return STATUS_OK;
  return report_failed(MLP_CL_BAD_SHAPE,
                       "%s takes %zu values a row, but %s has %zu; give the data that it was trained for with --data",
                       o->operand, inputs, source, width);
}

static int check_data(const options *o, const opened_model *m, const char *source, const mlp_cl_dataset *data) {
  float trained = mlp_cl_model_info_scale(m->info), given = mlp_cl_dataset_scale(data);
  int status = check_width(o, m, source, mlp_cl_dataset_width(data));
  if (status == STATUS_OK && trained != 0.0f && trained != given)
    report_note("warning: the model was trained on values times %g, these are times %g", (double)trained,
                (double)given);
  return status;
}

static const char *const part_names[] = {
    [MLP_CL_TRAIN_PART] = "train", [MLP_CL_TEST_PART] = "test", [MLP_CL_VALIDATION_PART] = "validation", NULL};

/* A source for a model, and which rows of it are meant: those of a part that was drawn for the training, by the marks
 * of all rows to train; of a part that the source has by itself; or all. */
typedef struct meant_rows {
  mlp_cl_parts parts;
  bool all;
  size_t part;
  unsigned char *marks; /* or NULL */
  bool trained_on;      /* all: they are the rows of the training */
} meant_rows;

static void close_meant(meant_rows *r) {
  mlp_cl_parts_destroy(&r->parts);
  free(r->marks);
}

static bool is_drawn(const mlp_cl_division *division, size_t part) {
  return division && (part == MLP_CL_TRAIN_PART || (part == MLP_CL_TEST_PART && division->holdout > 0) ||
                      (part == MLP_CL_VALIDATION_PART && division->validation > 0));
}

/* Marks the rows, if they are those of the training. */
static int find_marks(const opened_model *m, meant_rows *r) {
  mlp_cl_error error;
  bool found = false;
  r->marks = malloc(mlp_cl_dataset_rows(r->parts.train));
  if (!r->marks) report_no_memory();
  mlp_cl_status status =
      mlp_cl_dataset_find_parts(r->parts.train, mlp_cl_model_info_division(m->info), r->marks, &found, &error);
  r->trained_on = r->all && found;
  if (found && !r->all) return STATUS_OK;
  free(r->marks);
  r->marks = NULL;
  return status == MLP_CL_OK ? STATUS_OK : report_failure(&error);
}

static int refuse_part(const options *o, const char *source, const meant_rows *r) {
  return report_failed(MLP_CL_BAD_ARGUMENT,
                       "%s has no %s part, and %s knows of none that was drawn for its training: leave --part away",
                       source, part_names[r->part], o->operand);
}

static int refuse_rows(const char *source, const meant_rows *r) {
  bool labelled = mlp_cl_dataset_labels(r->parts.train) || mlp_cl_dataset_targets(r->parts.train);
  if (!labelled)
    return report_failed(MLP_CL_BAD_FILE, "%s has no labels, by which its parts were drawn: name them with --labels",
                         source);
  return report_failed(
      MLP_CL_BAD_FILE,
      "%s: these are not the rows of the training in their order: some were added, removed, changed or "
      "moved; leave --part away to take all",
      source);
}

static int find_rows(const options *o, const opened_model *m, const char *source, mlp_cl_header header, meant_rows *r) {
  mlp_cl_error error;
  bool named = options_has(o, OPTION_PART);
  const mlp_cl_division *division = mlp_cl_model_info_division(m->info);
  *r = (meant_rows){.part = MLP_CL_TEST_PART};
  if (!options_word(o, OPTION_PART, part_names, &r->part)) return STATUS_USAGE;
  if (strcmp(source, "-") == 0)
    return report_usage("name a file: what comes through standard input can be read but once");
  if (mlp_cl_dataset_open_parts_as(source, options_text(o, OPTION_LABELS, NULL), mlp_cl_model_info_encoding(m->info),
                                   header, !open_has_classes(m->info), &r->parts, &error) != MLP_CL_OK)
    return report_failure(&error);
  r->all = !named && !r->parts.test;
  int status = r->all                        ? is_drawn(division, MLP_CL_TRAIN_PART) ? find_marks(m, r) : STATUS_OK
               : is_drawn(division, r->part) ? find_marks(m, r)
                                             : STATUS_OK;
  if (status != STATUS_OK || r->all || r->marks) return status;
  if (named && is_drawn(division, r->part)) return refuse_rows(source, r);
  bool has = r->part != MLP_CL_VALIDATION_PART && r->parts.test;
  return has ? STATUS_OK : refuse_part(o, source, r);
}

/* The place of the dataset that is meant, when the parts are what they should be. */
static mlp_cl_dataset **chosen_of(meant_rows *r) {
  mlp_cl_dataset **all[] = {[MLP_CL_TRAIN_PART] = &r->parts.train,
                            [MLP_CL_TEST_PART] = &r->parts.test,
                            [MLP_CL_VALIDATION_PART] = &r->parts.validation};
  return r->all ? &r->parts.train : all[r->part];
}

static mlp_cl_dataset *take(mlp_cl_dataset **place) {
  mlp_cl_dataset *taken = *place;
  *place = NULL;
  return taken;
}

static bool has_parts(const char *source) {
  struct stat info;
  return strcmp(source, "digits") == 0 || (stat(source, &info) == 0 && S_ISDIR(info.st_mode));
}

/* Rows that a model was trained on say little of others. */
static void warn_of_training_rows(const opened_model *m, const char *source, const meant_rows *r) {
  if (r->trained_on)
    report_note("warning: the model was trained on most of the %zu rows of %s: --part %s takes those held out",
                mlp_cl_dataset_rows(r->parts.train), source,
                part_names[is_drawn(mlp_cl_model_info_division(m->info), MLP_CL_TEST_PART) ? MLP_CL_TEST_PART
                                                                                           : MLP_CL_VALIDATION_PART]);
}

int open_labelled(const options *o, const opened_model *m, mlp_cl_dataset **data, const char **part) {
  mlp_cl_header header;
  mlp_cl_error error;
  meant_rows rows;
  const char *source = source_name(o);
  *data = NULL;
  *part = NULL;
  if (!source_header(o, &header)) return STATUS_USAGE;
  if (!options_has(o, OPTION_DATA) && mlp_cl_model_info_encoding(m->info))
    return report_usage("which rows? %s was trained on columns of its own: name such data with --data FILE",
                        o->operand);
  int status = find_rows(o, m, source, header, &rows);
  if (status == STATUS_OK && rows.marks &&
      mlp_cl_parts_divide(&rows.parts, mlp_cl_model_info_division(m->info), &error) != MLP_CL_OK)
    status = report_failure(&error);
  if (status == STATUS_OK) {
    warn_of_training_rows(m, source, &rows);
    *data = take(chosen_of(&rows));
    *part = rows.all ? NULL : part_names[rows.part];
    status = check_data(o, m, source, *data);
  }
  close_meant(&rows);
  return status;
}

/* What a value of a table without an encoding is multiplied with: as the values were that the model was trained on. */
static float scale_of(const opened_model *m) {
  float scale = mlp_cl_model_info_scale(m->info);
  return scale == 0.0f ? 1.0f : scale;
}

/* A table is read once more, row by row, so that its texts are there. */
static mlp_cl_status open_found(const opened_model *m, const char *source, mlp_cl_header header, meant_rows *found,
                                opened_rows *rows, mlp_cl_error *error) {
  if (!found->marks) return mlp_cl_rows_from_dataset(take(chosen_of(found)), &rows->rows, error);
  rows->marks = found->marks;
  rows->marks_count = mlp_cl_dataset_rows(found->parts.train);
  rows->part = (mlp_cl_part)found->part;
  found->marks = NULL;
  return mlp_cl_source_is_table(source)
             ? mlp_cl_rows_open(source, mlp_cl_model_info_encoding(m->info), header, scale_of(m), &rows->rows, error)
             : mlp_cl_rows_from_dataset(take(&found->parts.train), &rows->rows, error);
}

int open_rows(const options *o, const opened_model *m, const char *source, opened_rows *rows) {
  mlp_cl_error error;
  mlp_cl_header header;
  bool named = options_has(o, OPTION_PART);
  *rows = (opened_rows){0};
  if (!source_header(o, &header)) return STATUS_USAGE;
  if (!named && options_has(o, OPTION_LABELS))
    return report_usage("--labels goes with --part: by them the parts are found again");
  mlp_cl_status opened;
  if (named || has_parts(source)) {
    meant_rows found;
    int status = find_rows(o, m, source, header, &found);
    if (status == STATUS_OK) status = check_data(o, m, source, found.parts.train);
    opened = status == STATUS_OK ? open_found(m, source, header, &found, rows, &error) : MLP_CL_OK;
    close_meant(&found);
    if (status != STATUS_OK) return status;
  } else {
    opened = mlp_cl_rows_open(source, mlp_cl_model_info_encoding(m->info), header, scale_of(m), &rows->rows, &error);
  }
  return opened == MLP_CL_OK ? check_width(o, m, source, mlp_cl_rows_width(rows->rows)) : report_failure(&error);
}

void close_rows(opened_rows *rows) {
  mlp_cl_rows_close(rows->rows);
  free(rows->marks);
}

size_t open_outputs(const mlp_cl_model_info *info) {
  return mlp_cl_model_info_width(info, mlp_cl_model_info_layers(info));
}

bool open_has_classes(const mlp_cl_model_info *info) {
  return mlp_cl_model_info_task(info) == MLP_CL_CLASSIFICATION;
}

bool open_target(const mlp_cl_model_info *info, size_t output, mlp_cl_column *column) {
  const mlp_cl_encoding *encoding = mlp_cl_model_info_encoding(info);
  if (!encoding || open_has_classes(info)) return false;
  return mlp_cl_encoding_column(encoding, mlp_cl_encoding_columns(encoding) - open_outputs(info) + output, column);
}

const char *open_metadata(const mlp_cl_model_info *info, const char *wanted) {
  const char *key, *value;
  for (size_t i = 0; (value = mlp_cl_model_info_metadata(info, i, &key)); i++) {
    if (strcmp(key, wanted) == 0) return value;
  }
  return NULL;
}

const char *open_class_name(const mlp_cl_model_info *info, size_t class_index, char buffer[24]) {
  mlp_cl_column column;
  if (open_target(info, class_index, &column)) return column.name;
  const char *name = mlp_cl_model_info_class_name(info, class_index);
  if (name) return name;
  snprintf(buffer, 24, "%zu", class_index);
  return buffer;
}
