/* Data sets in memory: made from arrays, asked, divided, destroyed. */
#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

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

mlp_cl_status dataset_adopt(const dataset_parts *parts, mlp_cl_dataset **dataset, mlp_cl_error *error) {
  mlp_cl_dataset *made = calloc(1, sizeof *made);
  char **names = parts->labels == NULL ? NULL : number_classes(parts->classes);
  if (made == NULL || (parts->labels != NULL && names == NULL)) {
    free(made);
    free(names);
    free(parts->features);
    free(parts->labels);
    return fail_memory(error, sizeof *made + parts->classes * 16, "a data set's description");
  }
  *made = (mlp_cl_dataset){.rows = parts->rows,
                           .width = parts->width,
                           .element = parts->element,
                           .features = parts->features,
                           .scale = parts->scale,
                           .labels = parts->labels,
                           .classes = parts->labels == NULL ? 0 : parts->classes,
                           .class_names = names};
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
  for (size_t i = 0; i < rows * width; i++) {
    if (isfinite(features[i])) continue;
    return fail(error, MLP_CL_BAD_ARGUMENT, "feature %zu of row %zu is %g: features must be finite", i % width,
                i / width, (double)features[i]);
  }
  return MLP_CL_OK;
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

mlp_cl_status mlp_cl_dataset_from_arrays(const void *features, mlp_cl_element element, size_t rows, size_t width,
                                         float scale, const int32_t *labels, size_t classes, mlp_cl_dataset **dataset,
                                         mlp_cl_error *error) {
  *dataset = NULL;
  dataset_parts parts = {.rows = rows, .width = width, .element = element, .scale = scale, .classes = classes};
  TRY(check_shape(&parts, error));
  if (features == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "features are NULL");
  size_t bytes, label_bytes = rows * sizeof *labels;
  if (!size_multiply(rows, width, &bytes) || !size_multiply(bytes, dataset_element_bytes(element), &bytes)) {
    return fail(error, MLP_CL_BAD_SHAPE, "a data set of %zu rows × %zu features is too large to address", rows, width);
  }
  if (bytes > memory_total_bytes()) return fail_memory(error, bytes, "a data set");
  if (element == MLP_CL_FLOAT32) TRY(check_features(features, rows, width, error));
  if (labels != NULL) TRY(check_labels(labels, rows, classes, error));

  parts.features = malloc(bytes);
  parts.labels = labels == NULL ? NULL : malloc(label_bytes);
  if (parts.features == NULL || (labels != NULL && parts.labels == NULL)) {
    free(parts.features);
    free(parts.labels);
    return fail_memory(error, bytes + label_bytes, "a data set");
  }
  memcpy(parts.features, features, bytes);
  if (labels != NULL) memcpy(parts.labels, labels, label_bytes);
  return dataset_adopt(&parts, dataset, error);
}

/* The rows whose mark is `wanted`, in order; `count` of them. */
static mlp_cl_status copy_part(const mlp_cl_dataset *dataset, const unsigned char *marks, bool wanted, size_t count,
                               mlp_cl_dataset **part, mlp_cl_error *error) {
  size_t row_bytes = dataset->width * dataset_element_bytes(dataset->element);
  dataset_parts parts = {.rows = count,
                         .width = dataset->width,
                         .element = dataset->element,
                         .features = malloc(count * row_bytes),
                         .scale = dataset->scale,
                         .labels = dataset->labels == NULL ? NULL : malloc(count * sizeof(int32_t)),
                         .classes = dataset->classes};
  if (parts.features == NULL || (dataset->labels != NULL && parts.labels == NULL)) {
    free(parts.features);
    free(parts.labels);
    return fail_memory(error, count * (row_bytes + sizeof(int32_t)), "a part of a data set");
  }
  size_t next = 0;
  for (size_t row = 0; row < dataset->rows; row++) {
    if ((marks[row] != 0) != wanted) continue;
    memcpy((char *)parts.features + next * row_bytes, (const char *)dataset->features + row * row_bytes, row_bytes);
    if (parts.labels != NULL) parts.labels[next] = dataset->labels[row];
    next++;
  }
  return dataset_adopt(&parts, part, error);
}

mlp_cl_status dataset_divide(const mlp_cl_dataset *dataset, const unsigned char *held_out, mlp_cl_dataset **kept,
                             mlp_cl_dataset **held_out_part, mlp_cl_error *error) {
  size_t count = 0;
  for (size_t row = 0; row < dataset->rows; row++) count += held_out[row] != 0;
  mlp_cl_dataset *rest = NULL;
  TRY(copy_part(dataset, held_out, false, dataset->rows - count, &rest, error));
  mlp_cl_status status = copy_part(dataset, held_out, true, count, held_out_part, error);
  if (status != MLP_CL_OK) {
    mlp_cl_dataset_destroy(rest);
    return status;
  }
  *kept = rest;
  return MLP_CL_OK;
}

void mlp_cl_dataset_destroy(mlp_cl_dataset *dataset) {
  if (dataset == NULL) return;
  free(dataset->class_names);
  free(dataset->labels);
  free(dataset->features);
  free(dataset);
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

const char *mlp_cl_dataset_class_name(const mlp_cl_dataset *dataset, size_t class_index) {
  return class_index < dataset->classes ? dataset->class_names[class_index] : NULL;
}
