/* Data sets in memory: made from arrays, asked, divided, destroyed. */
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bulk.h"
#include "base/finite.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/encoding.h"

size_t dataset_element_bytes(mlp_cl_element element) {
  switch (element) {
    case MLP_CL_UINT8:
    case MLP_CL_INT8: return 1;
    case MLP_CL_INT16: return 2;
    case MLP_CL_FLOAT32: return 4;
  }
  return 0;
}

float dataset_default_scale(mlp_cl_element element) {
  switch (element) {
    case MLP_CL_UINT8: return 1.0f / 255.0f;
    case MLP_CL_INT8: return 1.0f / 127.0f;
    case MLP_CL_INT16: return 1.0f / 32767.0f;
    case MLP_CL_FLOAT32: return 1.0f;
  }
  return 1.0f;
}

/* One block: the pointers, then the names, each in a slot that holds any 32-bit number. */
static char **number_classes(size_t classes) {
  enum { SLOT = 12 };
  char **names = malloc(classes * (sizeof *names + SLOT));
  if (names == NULL) return NULL;
  char *text = (char *)(names + classes);
  for (size_t i = 0; i < classes; i++, text += SLOT) {
    snprintf(text, SLOT, "%u", (unsigned)i);
    names[i] = text;
  }
  return names;
}

mlp_cl_status dataset_parts_allocate(dataset_parts *parts, const char *what, mlp_cl_error *error) {
  size_t features = parts->rows * parts->width * dataset_element_bytes(parts->element);
  size_t labels = parts->rows * sizeof *parts->labels, targets = parts->rows * parts->outputs * sizeof *parts->targets;
  parts->features = bulk_allocate(features);
  if (parts->classes > 0) parts->labels = bulk_allocate(labels);
  if (parts->outputs > 0) parts->targets = bulk_allocate(targets);
  if (parts->features != NULL && (parts->classes == 0 || parts->labels != NULL) &&
      (parts->outputs == 0 || parts->targets != NULL))
    return MLP_CL_OK;
  dataset_parts_free(parts);
  return bulk_fail(error, features + labels + targets, what);
}

void dataset_parts_free(dataset_parts *parts) {
  bulk_free(parts->features);
  bulk_free(parts->labels);
  bulk_free(parts->targets);
  *parts = (dataset_parts){0};
}

mlp_cl_status dataset_adopt(dataset_parts *parts, mlp_cl_dataset **dataset, mlp_cl_error *error) {
  mlp_cl_dataset *made = calloc(1, sizeof *made);
  bool numbered = parts->labels != NULL && parts->encoding == NULL;
  char **names = numbered ? number_classes(parts->classes) : NULL;
  if (made == NULL || (numbered && names == NULL)) {
    free(made);
    free(names);
    dataset_parts_free(parts);
    return fail_memory(error, sizeof *made, "a data set's description");
  }
  *made = (mlp_cl_dataset){.rows = parts->rows,
                           .width = parts->width,
                           .element = parts->element,
                           .features = parts->features,
                           .scale = parts->scale,
                           .labels = parts->labels,
                           .classes = parts->labels == NULL ? 0 : parts->classes,
                           .targets = parts->targets,
                           .outputs = parts->targets == NULL ? 0 : parts->outputs,
                           .class_names = names,
                           .encoding = encoding_share(parts->encoding)};
  *dataset = made;
  return MLP_CL_OK;
}

static mlp_cl_status check_shape(const dataset_parts *parts, mlp_cl_error *error) {
  if (parts->rows == 0 || parts->width == 0) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "a data set of %zu rows × %zu features: both must be at least 1",
                parts->rows, parts->width);
  }
  if (parts->rows > DATASET_ROWS_MAX) {
    return fail(error, MLP_CL_BAD_SHAPE, "a data set of %zu rows: at most %zu are possible", parts->rows,
                DATASET_ROWS_MAX);
  }
  if (dataset_element_bytes(parts->element) == 0) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "element type %d is none of mlp_cl_element", (int)parts->element);
  }
  if (!(fabsf(parts->scale) >= 0x1p-90f && fabsf(parts->scale) <= 0x1p90f)) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "scale %g: its magnitude must lie in 2^-90 … 2^90", (double)parts->scale);
  }
  return MLP_CL_OK;
}

static mlp_cl_status check_features(const float *features, size_t rows, size_t width, mlp_cl_error *error) {
  size_t i = finite_count(features, rows * width);
  if (i == rows * width) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "feature %zu of row %zu is %g: features must be finite", i % width, i / width,
              (double)features[i]);
}

static mlp_cl_status check_labels(const int32_t *labels, size_t rows, size_t classes, mlp_cl_error *error) {
  if (classes == 0 || classes > DATASET_CLASSES_MAX) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "%zu classes: a labelled data set has 1 to %zu", classes,
                DATASET_CLASSES_MAX);
  }
  for (size_t row = 0; row < rows; row++) {
    if (labels[row] >= 0 && (size_t)labels[row] < classes) continue;
    return fail(error, MLP_CL_BAD_ARGUMENT, "label %d of row %zu: labels must be in 0 … %zu", (int)labels[row], row,
                classes - 1);
  }
  return MLP_CL_OK;
}

static mlp_cl_status check_targets(const float *targets, size_t rows, size_t outputs, mlp_cl_error *error) {
  if (outputs == 0 || outputs > DATASET_CLASSES_MAX) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "%zu targets a row: give 1 to %zu", outputs, DATASET_CLASSES_MAX);
  }
  size_t i = finite_count(targets, rows * outputs);
  if (i == rows * outputs) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "target %zu of row %zu is %g: targets must be finite", i % outputs,
              i / outputs, (double)targets[i]);
}

/* rows × cols elements of `bytes` each, or fails where they cannot be addressed or held. */
static mlp_cl_status array_bytes(size_t rows, size_t cols, size_t bytes, const char *what, size_t *total,
                                 mlp_cl_error *error) {
  if (!size_multiply(rows, cols, total) || !size_multiply(*total, bytes, total)) {
    return fail(error, MLP_CL_BAD_SHAPE, "a data set of %zu rows × %zu %s is too large to address", rows, cols, what);
  }
  return *total > memory_total_bytes() ? fail_memory(error, *total, "a data set") : MLP_CL_OK;
}

/* A copy of what `given` points to. */
static mlp_cl_status copy_arrays(const dataset_parts *given, mlp_cl_dataset **dataset, mlp_cl_error *error) {
  size_t bytes = 0, target_bytes = 0, label_bytes = given->rows * sizeof *given->labels;
  *dataset = NULL;
  TRY(check_shape(given, error));
  if (given->features == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "features are NULL");
  TRY(array_bytes(given->rows, given->width, dataset_element_bytes(given->element), "features", &bytes, error));
  if (given->targets != NULL)
    TRY(array_bytes(given->rows, given->outputs, sizeof(float), "targets", &target_bytes, error));
  if (given->element == MLP_CL_FLOAT32) TRY(check_features(given->features, given->rows, given->width, error));
  if (given->labels != NULL) TRY(check_labels(given->labels, given->rows, given->classes, error));
  if (given->targets != NULL) TRY(check_targets(given->targets, given->rows, given->outputs, error));

  dataset_parts parts = *given;
  if (given->labels == NULL) parts.classes = 0;
  TRY(dataset_parts_allocate(&parts, "a data set", error));
  memcpy(parts.features, given->features, bytes);
  if (given->labels != NULL) memcpy(parts.labels, given->labels, label_bytes);
  if (given->targets != NULL) memcpy(parts.targets, given->targets, target_bytes);
  return dataset_adopt(&parts, dataset, error);
}

mlp_cl_status mlp_cl_dataset_from_arrays(const void *features, mlp_cl_element element, size_t rows, size_t width,
                                         float scale, const int32_t *labels, size_t classes, mlp_cl_dataset **dataset,
                                         mlp_cl_error *error) {
  const dataset_parts given = {.rows = rows,
                               .width = width,
                               .element = element,
                               .features = (void *)features,
                               .scale = scale,
                               .labels = (int32_t *)labels,
                               .classes = classes};
  return copy_arrays(&given, dataset, error);
}

mlp_cl_status mlp_cl_dataset_from_targets(const void *features, mlp_cl_element element, size_t rows, size_t width,
                                          float scale, const float *targets, size_t outputs, mlp_cl_dataset **dataset,
                                          mlp_cl_error *error) {
  *dataset = NULL;
  if (targets == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "targets are NULL");
  const dataset_parts given = {.rows = rows,
                               .width = width,
                               .element = element,
                               .features = (void *)features,
                               .scale = scale,
                               .targets = (float *)targets,
                               .outputs = outputs};
  return copy_arrays(&given, dataset, error);
}

mlp_cl_status dataset_copy_rows(const marked_rows *rows, mlp_cl_dataset **part, mlp_cl_error *error) {
  const mlp_cl_dataset *dataset = rows->dataset;
  size_t row_bytes = dataset->width * dataset_element_bytes(dataset->element);
  size_t target_bytes = dataset->outputs * sizeof(float);
  dataset_parts parts = {.rows = marked_count(rows),
                         .width = dataset->width,
                         .element = dataset->element,
                         .scale = dataset->scale,
                         .classes = dataset->classes,
                         .outputs = dataset->outputs,
                         .encoding = dataset->encoding};
  *part = NULL;
  if (parts.rows == 0) return MLP_CL_OK;
  TRY(dataset_parts_allocate(&parts, "a part of a data set", error));
  size_t next = 0;
  for (size_t row = 0; row < dataset->rows; row++) {
    if (!is_marked(rows, row)) continue;
    memcpy((char *)parts.features + next * row_bytes, (const char *)dataset->features + row * row_bytes, row_bytes);
    if (parts.labels != NULL) parts.labels[next] = dataset->labels[row];
    if (parts.targets != NULL)
      memcpy(parts.targets + next * dataset->outputs, dataset->targets + row * dataset->outputs, target_bytes);
    next++;
  }
  return dataset_adopt(&parts, part, error);
}

float dataset_element(const mlp_cl_dataset *dataset, size_t i) {
  float element = 0.0f;
  switch (dataset->element) {
    case MLP_CL_UINT8: element = (float)((const uint8_t *)dataset->features)[i]; break;
    case MLP_CL_INT8: element = (float)((const int8_t *)dataset->features)[i]; break;
    case MLP_CL_INT16: element = (float)((const int16_t *)dataset->features)[i]; break;
    case MLP_CL_FLOAT32: element = ((const float *)dataset->features)[i]; break;
  }
  return element;
}

void dataset_features(const mlp_cl_dataset *dataset, size_t first, size_t count, float *features) {
  size_t begin = first * dataset->width, end = begin + count * dataset->width;
  for (size_t i = begin; i < end; i++) features[i - begin] = dataset_element(dataset, i) * dataset->scale;
}

mlp_cl_status dataset_divide(const mlp_cl_dataset *dataset, const unsigned char *marks, mlp_cl_dataset **train,
                             mlp_cl_dataset **test, mlp_cl_error *error) {
  TRY(dataset_copy_rows(&(marked_rows){dataset, marks, MLP_CL_PART_TRAIN}, train, error));
  mlp_cl_status status = dataset_copy_rows(&(marked_rows){dataset, marks, MLP_CL_PART_TEST}, test, error);
  if (status != MLP_CL_OK) {
    mlp_cl_dataset_destroy(*train);
    *train = NULL;
  }
  return status;
}

void mlp_cl_dataset_destroy(mlp_cl_dataset *dataset) {
  if (dataset == NULL) return;
  encoding_release(dataset->encoding);
  free(dataset->class_names);
  bulk_free(dataset->labels);
  bulk_free(dataset->targets);
  bulk_free(dataset->features);
  free(dataset);
}

void mlp_cl_parts_destroy(mlp_cl_parts *parts) {
  if (parts == NULL) return;
  mlp_cl_dataset_destroy(parts->train);
  mlp_cl_dataset_destroy(parts->validation);
  mlp_cl_dataset_destroy(parts->test);
  *parts = (mlp_cl_parts){0};
}

size_t mlp_cl_dataset_rows(const mlp_cl_dataset *dataset) {
  return dataset->rows;
}

size_t mlp_cl_dataset_width(const mlp_cl_dataset *dataset) {
  return dataset->width;
}

size_t mlp_cl_dataset_classes(const mlp_cl_dataset *dataset) {
  return dataset->classes;
}

float mlp_cl_dataset_scale(const mlp_cl_dataset *dataset) {
  return dataset->scale;
}

const int32_t *mlp_cl_dataset_labels(const mlp_cl_dataset *dataset) {
  return dataset->labels;
}

bool mlp_cl_dataset_targets_vary(const mlp_cl_dataset *dataset) {
  for (size_t i = dataset->outputs; i < dataset->rows * dataset->outputs; i++)
    if (dataset->targets[i] != dataset->targets[i - dataset->outputs]) return true;
  return dataset->targets == NULL;
}

void mlp_cl_dataset_sizes(const mlp_cl_dataset *dataset, double *features, double *targets) {
  enum { ROWS_MAX = 1000 };
  size_t step = size_divide_up(dataset->rows, ROWS_MAX), rows = 0;
  double sum = 0, sum_of_targets = 0;
  for (size_t row = 0; row < dataset->rows; row += step, rows++) {
    for (size_t i = 0; i < dataset->width; i++) {
      float value = dataset_element(dataset, row * dataset->width + i) * dataset->scale;
      sum += (double)value * (double)value;
    }
    for (size_t i = 0; i < dataset->outputs; i++) {
      double value = (double)dataset->targets[row * dataset->outputs + i];
      sum_of_targets += value * value;
    }
  }
  *features = sqrt(sum / (double)(rows * dataset->width));
  *targets = dataset->outputs > 0 ? sqrt(sum_of_targets / (double)(rows * dataset->outputs)) : 0.0;
}

const mlp_cl_encoding *mlp_cl_dataset_encoding(const mlp_cl_dataset *dataset) {
  return dataset->encoding;
}

size_t mlp_cl_dataset_outputs(const mlp_cl_dataset *dataset) {
  return dataset->outputs;
}

const float *mlp_cl_dataset_targets(const mlp_cl_dataset *dataset) {
  return dataset->targets;
}

const char *mlp_cl_dataset_class_name(const mlp_cl_dataset *dataset, size_t class_index) {
  if (class_index >= dataset->classes) return NULL;
  return dataset->encoding != NULL ? dataset->encoding->labels[0].values.texts[class_index]
                                   : dataset->class_names[class_index];
}
