/* See model.h. */
#include "input/model.h"

#include <stdio.h>
#include <string.h>

#include "input/device.h"
#include "terminal/report.h"

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

size_t model_outputs(const mlp_cl_model_info *info) {
  return mlp_cl_model_info_width(info, mlp_cl_model_info_layers(info));
}

bool model_has_classes(const mlp_cl_model_info *info) {
  return mlp_cl_model_info_task(info) == MLP_CL_CLASSIFICATION;
}

bool model_target(const mlp_cl_model_info *info, size_t output, mlp_cl_column *column) {
  const mlp_cl_encoding *encoding = mlp_cl_model_info_encoding(info);
  if (!encoding || model_has_classes(info)) return false;
  return mlp_cl_encoding_column(encoding, mlp_cl_encoding_columns(encoding) - model_outputs(info) + output, column);
}

const char *model_metadata(const mlp_cl_model_info *info, const char *wanted) {
  const char *key, *value;
  for (size_t i = 0; (value = mlp_cl_model_info_metadata(info, i, &key)); i++) {
    if (strcmp(key, wanted) == 0) return value;
  }
  return NULL;
}

const char *model_class_name(const mlp_cl_model_info *info, size_t class_index, char buffer[24]) {
  mlp_cl_column column;
  if (model_target(info, class_index, &column)) return column.name;
  const char *name = mlp_cl_model_info_class_name(info, class_index);
  if (name) return name;
  snprintf(buffer, 24, "%zu", class_index);
  return buffer;
}
