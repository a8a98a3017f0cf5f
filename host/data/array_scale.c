/* See array_scale.h. */
#include "data/array_scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Fitting ----------------------------------------------------------------------------------------------------- */

/* The elements of a row as a file has them, then its targets. */
static double value_at(const void *from, size_t row, size_t column) {
  const mlp_cl_dataset *data = from;
  if (column < data->width) return (double)dataset_element(data, row * data->width + column);
  return (double)data->targets[row * data->outputs + column - data->width];
}

static mlp_cl_status name_column(encoding_column *column, size_t position, mlp_cl_column_kind kind,
                                 mlp_cl_error *error) {
  column->position = position;
  column->kind = kind;
  column->divisor = 1.0;
  if (asprintf(&column->name, "%zu", position + 1) >= 0) return MLP_CL_OK;
  column->name = NULL;
  return fail_memory(error, 24, "the name of a column");
}

static mlp_cl_status name_columns(const mlp_cl_dataset *train, mlp_cl_encoding *made, mlp_cl_error *error) {
  bool classes = train->targets == NULL;
  for (size_t i = 0; i < made->columns_count; i++) TRY(name_column(&made->columns[i], i, MLP_CL_COLUMN_NUMBER, error));
  for (size_t i = 0; i < made->labels_count; i++)
    TRY(name_column(&made->labels[i], train->width + i, classes ? MLP_CL_COLUMN_CLASSES : MLP_CL_COLUMN_TARGET, error));
  for (size_t c = 0; classes && c < train->classes; c++) {
    uint32_t number;
    TRY(name_set_add(&made->labels[0].values, train->class_names[c], &number, error));
  }
  return MLP_CL_OK;
}

static mlp_cl_status fit_columns(const mlp_cl_dataset *train, mlp_cl_scaling scaling, bool scale_targets,
                                 mlp_cl_encoding *made, mlp_cl_error *error) {
  size_t count = train->width + train->outputs;
  column_fit *fits = calloc(count, sizeof *fits);
  if (fits == NULL) return fail_memory(error, count * sizeof *fits, "the columns of an array");
  for (size_t i = 0; i < count; i++) /* labels follow columns */
    fits[i] = (column_fit){.column = &made->columns[i],
                           .scaling = i < train->width || scale_targets ? scaling : MLP_CL_SCALE_NONE};
  mlp_cl_status status = encoding_fit(fits, count, value_at, train, train->rows, NULL, error);
  free(fits);
  return status;
}

mlp_cl_status array_scale_fit(const mlp_cl_dataset *train, mlp_cl_scaling scaling, bool scale_targets,
                              mlp_cl_encoding **encoding, mlp_cl_error *error) {
  mlp_cl_encoding *made;
  TRY(encoding_create(train->width, train->targets != NULL ? train->outputs : 1, &made, error));
  made->file_columns = made->columns_count + made->labels_count;
  mlp_cl_status status = name_columns(train, made, error);
  if (status == MLP_CL_OK) status = encoding_check(made, error);
  if (status == MLP_CL_OK) status = fit_columns(train, scaling, scale_targets, made, error);
  if (status != MLP_CL_OK) {
    encoding_release(made);
    return status;
  }
  *encoding = made;
  return MLP_CL_OK;
}

/* ---- Applying ---------------------------------------------------------------------------------------------------- */

static mlp_cl_status check(const mlp_cl_dataset *data, const mlp_cl_encoding *encoding, const char *path,
                           mlp_cl_error *error) {
  bool numbers = !encoding->named, targets = encoding->labels[0].kind == MLP_CL_COLUMN_TARGET;
  for (size_t i = 0; numbers && i < encoding->columns_count; i++)
    numbers = encoding->columns[i].kind == MLP_CL_COLUMN_NUMBER;
  if (!numbers)
    return fail(error, MLP_CL_BAD_FILE,
                "%s: is an array, but the training was on a table, whose columns have names or texts: give a table",
                path);
  if (data->width != encoding->columns_count)
    return fail(error, MLP_CL_BAD_FILE, "%s: has %zu values a row, but the training had %zu", path, data->width,
                encoding->columns_count);
  size_t classes = targets ? SIZE_MAX : encoding->labels[0].values.count;
  if (data->classes > classes)
    return fail(error, MLP_CL_BAD_FILE, "%s: has labels up to %zu, but the training had 0 to %zu", path,
                data->classes - 1, classes - 1);
  if (data->targets != NULL && (!targets || data->outputs != encoding->labels_count))
    return fail(error, MLP_CL_BAD_FILE, "%s: has %zu targets a row, but the training had %zu", path, data->outputs,
                targets ? encoding->labels_count : 0);
  return MLP_CL_OK;
}

static mlp_cl_status encode(const mlp_cl_dataset *data, const mlp_cl_encoding *encoding, const char *path,
                            dataset_parts *made, mlp_cl_error *error) {
  float *features = made->features;
  for (size_t row = 0; row < data->rows; row++)
    for (size_t i = 0; i < data->width + data->outputs; i++) {
      float *to =
          i < data->width ? &features[row * data->width + i] : &made->targets[row * data->outputs + i - data->width];
      double value = value_at(data, row, i);
      if (!encode_number(&encoding->columns[i], value, to))
        return fail(error, MLP_CL_BAD_FILE, "%s: row %zu, column %zu: %g scales to more than float32 holds", path,
                    row + 1, i + 1, value);
    }
  return MLP_CL_OK;
}

mlp_cl_status array_scale_apply(mlp_cl_dataset **dataset, mlp_cl_encoding *encoding, const char *path,
                                mlp_cl_error *error) {
  const mlp_cl_dataset *data = *dataset;
  TRY(check(data, encoding, path, error));
  bool labels = data->labels != NULL && encoding->labels[0].kind == MLP_CL_COLUMN_CLASSES;
  dataset_parts made = {.rows = data->rows,
                        .width = data->width,
                        .element = MLP_CL_FLOAT32,
                        .scale = 1.0f,
                        .classes = labels ? encoding->labels[0].values.count : 0,
                        .outputs = data->outputs,
                        .encoding = encoding};
  TRY(dataset_parts_allocate(&made, path, error));
  if (labels) memcpy(made.labels, data->labels, data->rows * sizeof *made.labels);
  mlp_cl_status status = encode(data, encoding, path, &made, error);
  if (status != MLP_CL_OK) {
    dataset_parts_free(&made);
    return status;
  }
  mlp_cl_dataset *scaled;
  TRY(dataset_adopt(&made, &scaled, error));
  mlp_cl_dataset_destroy(*dataset);
  *dataset = scaled;
  return MLP_CL_OK;
}
