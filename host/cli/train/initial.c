/* See initial.h. Every complaint names both sides. */
#include "train/initial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/report.h"

static int check_ends(const plan *p, const mlp_cl_model_info *info, const run_data *data) {
  const char *path = p->init_from;
  size_t layers = mlp_cl_model_info_layers(info);
  size_t inputs = mlp_cl_model_info_width(info, 0), outputs = mlp_cl_model_info_width(info, layers);
  size_t width = mlp_cl_dataset_width(data->train), targets = mlp_cl_dataset_outputs(data->train);
  size_t classes = targets ? targets : mlp_cl_dataset_classes(data->train);
  if (mlp_cl_model_info_task(info) != p->task)
    return report_failed(MLP_CL_BAD_SHAPE, "%s was trained for %s; give --task %s", path,
                         mlp_cl_task_name(mlp_cl_model_info_task(info)),
                         mlp_cl_task_name(mlp_cl_model_info_task(info)));
  if (inputs != width)
    return report_failed(MLP_CL_BAD_SHAPE, "%s takes %zu values a row, but the data has %zu", path, inputs, width);
  if (outputs != classes)
    return report_failed(MLP_CL_BAD_SHAPE, "%s gives %zu outputs, but the data has %zu", path, outputs, classes);
  return STATUS_OK;
}

/* "64,32", as --hidden wants it */
static const char *list_widths(const size_t *widths, size_t count, char *text, size_t room) {
  size_t used = (size_t)snprintf(text, room, count ? "" : "none");
  for (size_t i = 0; i < count && used < room; i++)
    used += (size_t)snprintf(text + used, room - used, "%s%zu", i ? "," : "", widths[i]);
  return text;
}

static int take_hidden(const options *o, plan *p, const mlp_cl_model_info *info) {
  size_t count = mlp_cl_model_info_layers(info) - 1;
  size_t *hidden = malloc((count + 1) * sizeof *hidden);
  if (!hidden) return report_failed(MLP_CL_NO_MEMORY, "out of memory for the list of layers");
  for (size_t i = 0; i < count; i++) hidden[i] = mlp_cl_model_info_width(info, i + 1);
  bool same = count == p->hidden_count && memcmp(hidden, p->hidden, count * sizeof *hidden) == 0;
  if (options_has(o, OPTION_HIDDEN) && !same) {
    char has[100];
    int status = report_usage("--hidden %s: %s has %s; leave --hidden away to take that", o->text[OPTION_HIDDEN],
                              p->init_from, list_widths(hidden, count, has, sizeof has));
    free(hidden);
    return status;
  }
  free(p->hidden);
  p->hidden = hidden;
  p->hidden_count = count;
  return STATUS_OK;
}

static int take_bias(const options *o, plan *p, const mlp_cl_model_info *info) {
  p->bias = mlp_cl_model_info_has_bias(info);
  if (p->bias && options_has(o, OPTION_NO_BIAS))
    return report_usage("--no-bias: %s has biases; leave --no-bias away to take them", p->init_from);
  return STATUS_OK;
}

static int take_activation(const options *o, plan *p, const mlp_cl_model_info *info) {
  mlp_cl_activation stored = mlp_cl_model_info_activation(info);
  if (options_has(o, OPTION_ACTIVATION) && p->activation != stored)
    return report_usage("--activation %s: %s has %s; leave --activation away to take that", o->text[OPTION_ACTIVATION],
                        p->init_from, mlp_cl_activation_name(stored));
  p->activation = stored;
  return STATUS_OK;
}

static bool same_values(const mlp_cl_column *a, const mlp_cl_column *b) {
  if (a->kind != MLP_CL_COLUMN_ONE_HOT) return true; /* of classes only a warning is given */
  bool same = a->values_count == b->values_count;
  for (size_t i = 0; same && i < a->values_count; i++) same = strcmp(a->values[i], b->values[i]) == 0;
  return same;
}

/* Features by another name, in another place or of another kind would meet the wrong weights. */
static int check_columns(const plan *p, const mlp_cl_encoding *before, const mlp_cl_encoding *now) {
  mlp_cl_column was, is;
  if (!before != !now)
    report_note("warning: %s was trained on columns that were scaled one by one, or this data is, but not both",
                p->init_from);
  if (!before || !now) return STATUS_OK;
  bool scaled = true;
  for (size_t i = 0; mlp_cl_encoding_column(before, i, &was); i++) {
    if (!mlp_cl_encoding_column(now, i, &is) || is.kind != was.kind || strcmp(is.name, was.name) != 0 ||
        !same_values(&was, &is))
      return report_failed(MLP_CL_BAD_SHAPE, "column %zu of the table is not the '%.60s' that %s was trained on", i + 1,
                           was.name, p->init_from);
    scaled = scaled && is.offset == was.offset && is.divisor == was.divisor;
  }
  if (!scaled)
    report_note("warning: the columns are scaled anew, by this table's numbers: %s was trained on others",
                p->init_from);
  return STATUS_OK;
}

static void warn(const plan *p, const mlp_cl_model_info *info, const run_data *data) {
  float before = mlp_cl_model_info_scale(info), now = mlp_cl_dataset_scale(data->train);
  if (before != 0.0f && before != now)
    report_note("warning: %s was trained on values times %g, these are times %g", p->init_from, (double)before,
                (double)now);
  for (size_t i = 0; i < mlp_cl_model_info_classes(info); i++) {
    const char *was = mlp_cl_model_info_class_name(info, i), *is = mlp_cl_dataset_class_name(data->train, i);
    if (!is || strcmp(was, is) == 0) continue;
    report_note("warning: class %zu was '%.60s' in %s and is '%.60s' in the data", i, was, p->init_from, is);
    return;
  }
}

int initial_read(const options *o, plan *p, const run_data *data) {
  mlp_cl_error error;
  mlp_cl_model_info *info = NULL;
  if (!p->init_from) return STATUS_OK;
  if (options_has(o, OPTION_INIT)) return report_usage("--init and --init-from: give one of them");
  if (mlp_cl_model_info_open(p->init_from, &info, &error) != MLP_CL_OK) return report_failure(&error);
  int status = check_ends(p, info, data);
  if (status == STATUS_OK)
    status = check_columns(p, mlp_cl_model_info_encoding(info), mlp_cl_dataset_encoding(data->train));
  if (status == STATUS_OK) status = take_hidden(o, p, info);
  if (status == STATUS_OK) status = take_bias(o, p, info);
  if (status == STATUS_OK) status = take_activation(o, p, info);
  if (status == STATUS_OK) warn(p, info, data);
  mlp_cl_model_info_destroy(info);
  return status;
}
