/* See open.h. */
#include "open.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"

mlp_cl_status open_device(const options *o, mlp_cl_context **context, mlp_cl_error *error) {
  const mlp_cl_context_options how = {.allow_inexact = options_has(o, OPTION_ALLOW_INEXACT),
                                      .kernels = options_text(o, OPTION_KERNELS, NULL)};
  mlp_cl_status status = mlp_cl_context_create(options_text(o, OPTION_DEVICE, NULL), &how, context, error);
  if (status != MLP_CL_OK) return status;
  const mlp_cl_device *device = mlp_cl_context_device(*context);
  if (device->index < 0)
    report_note("device: the CPU reference");
  else
    report_note("device %d: %s (%s)", device->index, device->name, device->platform);
  const char *rule = NULL;
  if (!mlp_cl_context_exact(*context, &rule))
    report_note("warning: this device does not keep the numerics contract (%s): its bits are its own", rule);
  return status;
}

mlp_cl_status open_data(const options *o, mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error) {
  const char *source = options_text(o, OPTION_DATA, "digits");
  struct stat info;
  bool file = strcmp(source, "digits") != 0 && stat(source, &info) == 0 && !S_ISDIR(info.st_mode);
  *test = NULL;
  if (file) return mlp_cl_dataset_open_idx(source, options_text(o, OPTION_LABELS, NULL), train, error);
  if (options_has(o, OPTION_LABELS)) report_note("--labels is not used: %s brings its own labels", source);
  return mlp_cl_dataset_open(source, train, test, error);
}

/* Keeps the part that --part names in m->data. */
static int open_part(const options *o, opened_model *m) {
  static const char *const parts[] = {"test", "train", NULL};
  size_t part = 0;
  if (!options_word(o, OPTION_PART, parts, "test or train", &part)) return STATUS_USAGE;
  mlp_cl_error error;
  mlp_cl_dataset *train = NULL, *test = NULL;
  if (open_data(o, &train, &test, &error) != MLP_CL_OK) return report_failure(&error);
  if (part == 0 && !test && options_has(o, OPTION_PART)) {
    mlp_cl_dataset_destroy(train);
    return report_failed(MLP_CL_BAD_ARGUMENT, "%s has no test part; leave --part away to take all of it",
                         options_text(o, OPTION_DATA, "digits"));
  }
  bool take_test = part == 0 && test;
  m->data = take_test ? test : train;
  mlp_cl_dataset_destroy(take_test ? train : test);
  return STATUS_OK;
}

static void warn_of_scale(const opened_model *m) {
  float trained = mlp_cl_model_info_scale(m->info), given = mlp_cl_dataset_scale(m->data);
  if (trained != 0.0f && trained != given)
    report_note("warning: the model was trained on values times %g, these are times %g", (double)trained,
                (double)given);
}

int open_model(const options *o, opened_model *m) {
  *m = (opened_model){0};
  if (!o->operand) return report_usage("which model? name a file that 'mlp_cl train --out FILE.safetensors' wrote");
  int status = open_part(o, m);
  if (status != STATUS_OK) return status;
  mlp_cl_error error;
  if (open_device(o, &m->context, &error) != MLP_CL_OK) return report_failure(&error);
  if (mlp_cl_network_load(m->context, o->operand, &m->network, &m->info, &error) != MLP_CL_OK)
    return report_failure(&error);
  size_t inputs = mlp_cl_network_width(m->network, 0), width = mlp_cl_dataset_width(m->data);
  if (inputs != width) {
    return report_failed(MLP_CL_BAD_SHAPE,
                         "%s takes %zu values a row, but %s has %zu; give the data that it was trained for", o->operand,
                         inputs, options_text(o, OPTION_DATA, "digits"), width);
  }
  warn_of_scale(m);
  return STATUS_OK;
}

void close_model(opened_model *m) {
  mlp_cl_dataset_destroy(m->data);
  mlp_cl_model_info_destroy(m->info);
  mlp_cl_network_destroy(m->network);
  mlp_cl_context_destroy(m->context);
}

const char *open_class_name(const opened_model *m, size_t class_index, char buffer[24]) {
  const char *name = m->info ? mlp_cl_model_info_class_name(m->info, class_index) : NULL;
  if (!name) name = mlp_cl_dataset_class_name(m->data, class_index);
  if (name) return name;
  snprintf(buffer, 24, "%zu", class_index);
  return buffer;
}
