/* See open.h. */
#include "input/open.h"

#include <stdio.h>
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

/* Rows that a model was trained on say little of others. */
static void warn_of_training_rows(const opened_model *m, const char *source, const mlp_cl_dataset *data) {
  const mlp_cl_division *division = mlp_cl_model_info_division(m->info);
  mlp_cl_error error;
  bool was = false;
  if (division && mlp_cl_dataset_was_divided(data, division, &was, &error) == MLP_CL_OK && was)
    report_note("warning: the model was trained on most of the %zu rows of %s: --part %s takes those held out",
                mlp_cl_dataset_rows(data), source, division->holdout > 0 ? "test" : "validation");
}

enum { TEST, TRAIN, VALIDATION };
static const char *const part_names[] = {[TEST] = "test", [TRAIN] = "train", [VALIDATION] = "validation", NULL};

/* The part that --part names, as the training had it; else the source's test part, or all that it has. */
static int open_part(const options *o, const opened_model *m, const char *source, mlp_cl_header header,
                     mlp_cl_dataset **data) {
  bool named = options_has(o, OPTION_PART);
  size_t part = TEST;
  if (!options_word(o, OPTION_PART, part_names, &part)) return STATUS_USAGE;
  mlp_cl_parts parts;
  mlp_cl_error error;
  if (mlp_cl_dataset_open_parts_as(source, options_text(o, OPTION_LABELS, NULL), mlp_cl_model_info_encoding(m->info),
                                   header, !open_has_classes(m->info),
                                   named ? mlp_cl_model_info_division(m->info) : NULL, &parts, &error) != MLP_CL_OK)
    return report_failure(&error);
  mlp_cl_dataset **all[] = {[TEST] = &parts.test, [TRAIN] = &parts.train, [VALIDATION] = &parts.validation};
  mlp_cl_dataset **chosen = !named && parts.test == NULL ? &parts.train : all[part];
  *data = *chosen;
  *chosen = NULL;
  mlp_cl_parts_destroy(&parts);
  if (*data) return STATUS_OK;
  return report_failed(MLP_CL_BAD_ARGUMENT,
                       "%s has no %s part, and none was held out when %s was trained: leave --part away", source,
                       part_names[part], o->operand);
}

static bool has_parts(const char *source) {
  struct stat info;
  return strcmp(source, "digits") == 0 || (stat(source, &info) == 0 && S_ISDIR(info.st_mode));
}

int open_labelled(const options *o, const opened_model *m, mlp_cl_dataset **data) {
  mlp_cl_header header;
  const char *source = source_name(o);
  *data = NULL;
  if (!source_header(o, &header)) return STATUS_USAGE;
  if (!options_has(o, OPTION_DATA) && mlp_cl_model_info_encoding(m->info))
    return report_usage("which rows? %s was trained on columns of its own: name such data with --data FILE",
                        o->operand);
  int status = open_part(o, m, source, header, data);
  if (status == STATUS_OK && !options_has(o, OPTION_PART)) warn_of_training_rows(m, source, *data);
  return status == STATUS_OK ? check_data(o, m, source, *data) : status;
}

/* What a value of a table without an encoding is multiplied with: as the values were that the model was trained on. */
static float scale_of(const opened_model *m) {
  float scale = mlp_cl_model_info_scale(m->info);
  return scale == 0.0f ? 1.0f : scale;
}

int open_rows(const options *o, const opened_model *m, const char *source, mlp_cl_rows **rows) {
  mlp_cl_error error;
  mlp_cl_header header;
  mlp_cl_dataset *data = NULL;
  *rows = NULL;
  if (!source_header(o, &header)) return STATUS_USAGE;
  if (has_parts(source) || options_has(o, OPTION_PART)) {
    int status = open_part(o, m, source, header, &data);
    if (status == STATUS_OK) status = check_data(o, m, source, data);
    if (status != STATUS_OK) {
      mlp_cl_dataset_destroy(data);
      return status;
    }
  }
  mlp_cl_status opened =
      data ? mlp_cl_rows_from_dataset(data, rows, &error)
           : mlp_cl_rows_open(source, mlp_cl_model_info_encoding(m->info), header, scale_of(m), rows, &error);
  return opened == MLP_CL_OK ? check_width(o, m, source, mlp_cl_rows_width(*rows)) : report_failure(&error);
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
