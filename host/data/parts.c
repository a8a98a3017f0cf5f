/* A source in parts: divided and scaled for a training, or as a training had them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/array_scale.h"
#include "data/open.h"
#include "data/rows.h"
#include "data/table.h"

static void replace(mlp_cl_dataset **part, mlp_cl_dataset *by) {
  if (by == NULL) return;
  mlp_cl_dataset_destroy(*part);
  *part = by;
}

mlp_cl_status mlp_cl_parts_split(mlp_cl_parts *parts, const unsigned char *part_of_row, mlp_cl_error *error) {
  mlp_cl_parts made = {0};
  marked_rows rows = {parts->train, part_of_row, MLP_CL_PART_TRAIN};
  size_t left = 0;
  for (size_t i = 0; i < parts->train->rows; i++) {
    if (part_of_row[i] > MLP_CL_PART_VALIDATION)
      return fail(error, MLP_CL_BAD_ARGUMENT, "row %zu is in part %d, which is none of mlp_cl_part", i, part_of_row[i]);
    left += part_of_row[i] == MLP_CL_PART_TRAIN;
  }
  if (left == 0) return fail(error, MLP_CL_BAD_ARGUMENT, "a split leaves no row to train");
  mlp_cl_status status = dataset_copy_rows(&rows, &made.train, error);
  rows.wanted = MLP_CL_PART_TEST;
  if (status == MLP_CL_OK) status = dataset_copy_rows(&rows, &made.test, error);
  rows.wanted = MLP_CL_PART_VALIDATION;
  if (status == MLP_CL_OK) status = dataset_copy_rows(&rows, &made.validation, error);
  if (status != MLP_CL_OK) {
    mlp_cl_parts_destroy(&made);
    return status;
  }
  replace(&parts->train, made.train);
  replace(&parts->test, made.test);
  replace(&parts->validation, made.validation);
  return MLP_CL_OK;
}

/* All parts under an encoding. */
static mlp_cl_status encode_parts(const char *source, const mlp_cl_encoding *encoding, mlp_cl_parts *parts,
                                  mlp_cl_error *error) {
  mlp_cl_dataset **all[] = {&parts->train, &parts->validation, &parts->test};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (*all[i] != NULL) TRY(array_scale_apply(all[i], (mlp_cl_encoding *)(uintptr_t)encoding, source, error));
  return MLP_CL_OK;
}

/* ---- For a training ---------------------------------------------------------------------------------------------- */

static bool has_one_class(const mlp_cl_dataset *dataset) {
  size_t row = 1;
  while (dataset->labels != NULL && row < dataset->rows && dataset->labels[row] == dataset->labels[0]) row++;
  return dataset->labels != NULL && row == dataset->rows;
}

/* All parts by what the training part has. */
static mlp_cl_status scale_parts(const char *source, const mlp_cl_data_options *options, mlp_cl_parts *parts,
                                 mlp_cl_error *error) {
  if (options->scaling == MLP_CL_SCALE_USUAL || options->scaling == MLP_CL_SCALE_NONE) return MLP_CL_OK;
  mlp_cl_encoding *encoding;
  TRY(array_scale_fit(parts->train, options->scaling, options->scale_targets, &encoding, error));
  mlp_cl_status status = encode_parts(source, encoding, parts, error);
  encoding_release(encoding);
  return status;
}

/* What nothing is drawn from is not copied. */
static mlp_cl_status split_arrays(const mlp_cl_split *split, mlp_cl_parts *parts, mlp_cl_error *error) {
  const mlp_cl_dataset *all = parts->train;
  if (split->holdout == 0.0 && split->validation == 0.0) return MLP_CL_OK;
  unsigned char *marks = calloc(all->rows, 1);
  if (marks == NULL) return fail_memory(error, all->rows, "a split");
  mlp_cl_status status = split_parts(all->labels, all->rows, all->classes, split, marks, error);
  if (status == MLP_CL_OK) status = mlp_cl_parts_split(parts, marks, error);
  free(marks);
  return status;
}

static mlp_cl_status open_array_parts(const char *source, const mlp_cl_data_options *options, const mlp_cl_split *split,
                                      mlp_cl_parts *parts, mlp_cl_error *error) {
  if (parts->train->labels == NULL && parts->train->targets == NULL) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "%s has no labels to learn from; name their file with --labels (IDX, NPY), or put them in as y (NPZ)",
                source);
  }
  if (has_one_class(parts->train))
    return fail(error, MLP_CL_BAD_FILE, "%s: every row has the label %d: one class alone teaches nothing", source,
                (int)parts->train->labels[0]);
  TRY(split_arrays(split, parts, error));
  return scale_parts(source, options, parts, error);
}

static mlp_cl_status open_test(const mlp_cl_data_options *options, mlp_cl_parts *parts, mlp_cl_error *error) {
  mlp_cl_dataset *test;
  TRY(mlp_cl_dataset_open_as(options->test_path, NULL, parts->train->encoding, options->header, options->targets, &test,
                             error));
  if (test->width != parts->train->width || test->classes > parts->train->classes ||
      test->outputs != parts->train->outputs || (test->labels == NULL && test->targets == NULL)) {
    const mlp_cl_dataset *train = parts->train;
    bool targets = train->targets != NULL, answers = test->labels != NULL || test->targets != NULL;
    mlp_cl_status status =
        answers
            ? fail(error, MLP_CL_BAD_SHAPE, "%s: %zu features and %zu %s, but the training part has %zu and %zu",
                   options->test_path, test->width, targets ? test->outputs : test->classes,
                   targets ? "targets" : "classes", train->width, targets ? train->outputs : train->classes)
            : fail(error, MLP_CL_BAD_FILE,
                   "%s has no labels to measure on: give an archive (NPZ) that has them, or leave --test away and hold "
                   "rows out",
                   options->test_path);
    mlp_cl_dataset_destroy(test);
    return status;
  }
  mlp_cl_dataset_destroy(parts->test);
  parts->test = test;
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_dataset_open_parts(const char *source, const mlp_cl_data_options *options, mlp_cl_parts *parts,
                                        mlp_cl_error *error) {
  static const mlp_cl_data_options usual = {0};
  static const double usual_holdout = 0.2;
  *parts = (mlp_cl_parts){0};
  bool is_table;
  if (options == NULL) options = &usual;
  if (!(options->holdout >= 0 && options->holdout < 1 && options->validation >= 0 && options->validation < 1))
    return fail(error, MLP_CL_BAD_ARGUMENT, "holdout is %g and validation is %g: give numbers from 0 to below 1",
                options->holdout, options->validation);
  if (options->holdout > 0 && options->test_path != NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "--holdout and --test both name the test part; give one of them");
  TRY(source_open(source, options, parts, &is_table, error));
  mlp_cl_split split = {.holdout = options->holdout, .validation = options->validation, .seed = options->seed};
  if (split.holdout == 0.0 && parts->test == NULL && options->test_path == NULL && !options->keep_all)
    split.holdout = usual_holdout;
  mlp_cl_status status = is_table ? table_open(source, options, &split, parts, error)
                                  : open_array_parts(source, options, &split, parts, error);
  if (status == MLP_CL_OK && options->test_path != NULL) status = open_test(options, parts, error);
  if (status != MLP_CL_OK) {
    mlp_cl_parts_destroy(parts);
    return status;
  }
  if (split.holdout > 0.0) dataset_sha256(parts->test, split.test_sha256);
  if (split.validation > 0.0) dataset_sha256(parts->validation, split.validation_sha256);
  parts->train->split = split;
  return MLP_CL_OK;
}

/* ---- As a training had them -------------------------------------------------------------------------------------- */

static mlp_cl_status gather_table(const char *path, const mlp_cl_encoding *encoding, mlp_cl_header header,
                                  mlp_cl_dataset **dataset, mlp_cl_error *error) {
  if (encoding == NULL) {
    return fail(error, MLP_CL_BAD_FILE, "%s: is a table, but the training was on arrays: it has no names of columns",
                path);
  }
  mlp_cl_rows *rows;
  TRY(mlp_cl_rows_open(path, encoding, header, 1.0f, &rows, error));
  mlp_cl_status status = rows_gather(rows, dataset, error);
  mlp_cl_rows_close(rows);
  return status;
}

static bool is_part(const mlp_cl_dataset *dataset, const unsigned char *marks, mlp_cl_part part, const char *wanted) {
  char sha256[65];
  if (wanted[0] == '\0') return true;
  rows_sha256(&(marked_rows){dataset, marks, (unsigned char)part}, sha256);
  return strcmp(sha256, wanted) == 0;
}

mlp_cl_status mlp_cl_dataset_find_parts(const mlp_cl_dataset *dataset, const mlp_cl_split *split,
                                        unsigned char *part_of_row, bool *found, mlp_cl_error *error) {
  *found = false;
  memset(part_of_row, MLP_CL_PART_TRAIN, dataset->rows);
  mlp_cl_status status = split_parts(dataset->labels, dataset->rows, dataset->classes, split, part_of_row, error);
  if (status == MLP_CL_BAD_ARGUMENT) return MLP_CL_OK; /* too few rows to draw any */
  *found = status == MLP_CL_OK && is_part(dataset, part_of_row, MLP_CL_PART_TRAIN, split->train_sha256) &&
           is_part(dataset, part_of_row, MLP_CL_PART_TEST, split->test_sha256) &&
           is_part(dataset, part_of_row, MLP_CL_PART_VALIDATION, split->validation_sha256);
  return status;
}

mlp_cl_status mlp_cl_dataset_open_parts_as(const char *source, const char *labels_path, const mlp_cl_encoding *encoding,
                                           mlp_cl_header header, bool targets, mlp_cl_parts *parts,
                                           mlp_cl_error *error) {
  const mlp_cl_data_options options = {.labels_path = labels_path, .targets = targets};
  *parts = (mlp_cl_parts){0};
  bool is_table;
  TRY(source_open(source, &options, parts, &is_table, error));
  mlp_cl_status status = MLP_CL_OK;
  if (is_table)
    status = gather_table(source, encoding, header, &parts->train, error);
  else if (encoding != NULL)
    status = encode_parts(source, encoding, parts, error);
  if (status != MLP_CL_OK) mlp_cl_parts_destroy(parts);
  return status;
}

mlp_cl_status mlp_cl_dataset_open_as(const char *source, const char *labels_path, const mlp_cl_encoding *encoding,
                                     mlp_cl_header header, bool targets, mlp_cl_dataset **dataset,
                                     mlp_cl_error *error) {
  mlp_cl_parts parts;
  *dataset = NULL;
  TRY(mlp_cl_dataset_open_parts_as(source, labels_path, encoding, header, targets, &parts, error));
  mlp_cl_dataset **chosen = parts.test != NULL ? &parts.test : &parts.train;
  *dataset = *chosen;
  *chosen = NULL;
  mlp_cl_parts_destroy(&parts);
  return MLP_CL_OK;
}
