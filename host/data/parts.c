/* A source in parts: divided and scaled for a training, or as a training had them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/array_scale.h"
#include "data/open.h"
#include "data/rows.h"
#include "data/table.h"

/* Takes `part` out of parts->train; what parts->train had before is gone. */
static mlp_cl_status take_part(mlp_cl_parts *parts, double fraction, uint64_t seed, unsigned char part,
                               mlp_cl_dataset **taken, mlp_cl_error *error) {
  mlp_cl_dataset *all = parts->train, *kept, *drawn;
  TRY(dataset_draw(all, fraction, seed, part, &kept, &drawn, error));
  mlp_cl_dataset_destroy(all);
  parts->train = kept;
  mlp_cl_dataset_destroy(*taken);
  *taken = drawn;
  return MLP_CL_OK;
}

static mlp_cl_status take_parts(const mlp_cl_division *division, mlp_cl_parts *parts, mlp_cl_error *error) {
  if (division->holdout > 0.0)
    TRY(take_part(parts, division->holdout, division->seed, SPLIT_TEST, &parts->test, error));
  if (division->validation > 0.0)
    TRY(take_part(parts, division->validation, division->seed, SPLIT_VALIDATION, &parts->validation, error));
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

static mlp_cl_status divide_arrays(const char *source, const mlp_cl_data_options *options,
                                   const mlp_cl_division *division, mlp_cl_parts *parts, mlp_cl_error *error) {
  if (parts->train->labels == NULL && parts->train->targets == NULL) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "%s has no labels to learn from; name their file with --labels (IDX, NPY), or put them in as y (NPZ)",
                source);
  }
  if (has_one_class(parts->train))
    return fail(error, MLP_CL_BAD_FILE, "%s: every row has the label %d: one class alone teaches nothing", source,
                (int)parts->train->labels[0]);
  TRY(take_parts(division, parts, error));
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
  TRY(source_open(source, options, parts, &is_table, error));
  mlp_cl_division division = {options->holdout, options->validation, options->seed, ""};
  if (division.holdout == 0.0 && parts->test == NULL && options->test_path == NULL && !options->keep_all)
    division.holdout = usual_holdout;
  mlp_cl_status status = is_table ? table_open(source, options, &division, parts, error)
                                  : divide_arrays(source, options, &division, parts, error);
  if (status == MLP_CL_OK && options->test_path != NULL) status = open_test(options, parts, error);
  if (status == MLP_CL_OK)
    parts->train->division = division;
  else
    mlp_cl_parts_destroy(parts);
  return status;
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

/* Fails where there are too few rows to draw any. */
static mlp_cl_status mark_parts(const mlp_cl_dataset *d, const mlp_cl_division *division, unsigned char *marks,
                                mlp_cl_error *error) {
  if (division->holdout > 0.0)
    TRY(split_mark(d->labels, d->rows, d->classes, division->holdout, division->seed, SPLIT_TEST, marks, error));
  if (division->validation > 0.0)
    TRY(split_mark(d->labels, d->rows, d->classes, division->validation, division->seed, SPLIT_VALIDATION, marks,
                   error));
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_dataset_was_divided(const mlp_cl_dataset *dataset, const mlp_cl_division *division, bool *was,
                                         mlp_cl_error *error) {
  char train_sha256[65];
  *was = false;
  unsigned char *marks = calloc(dataset->rows, 1);
  if (marks == NULL) return fail_memory(error, dataset->rows, "a split");
  mlp_cl_status status = mark_parts(dataset, division, marks, error);
  if (status == MLP_CL_OK) {
    dataset_sha256(dataset, marks, train_sha256);
    *was = strcmp(train_sha256, division->train_sha256) == 0;
  }
  free(marks);
  return status == MLP_CL_BAD_ARGUMENT ? MLP_CL_OK : status;
}

static mlp_cl_status divide_again(const char *source, const mlp_cl_division *division, mlp_cl_parts *parts,
                                  mlp_cl_error *error) {
  bool was;
  TRY(mlp_cl_dataset_was_divided(parts->train, division, &was, error));
  if (was) return take_parts(division, parts, error);
  return fail(error, MLP_CL_BAD_FILE,
              "%s: these are not the rows of the training, so none of them were held out then: leave --part away",
              source);
}

mlp_cl_status mlp_cl_dataset_open_parts_as(const char *source, const char *labels_path, const mlp_cl_encoding *encoding,
                                           mlp_cl_header header, bool targets, const mlp_cl_division *division,
                                           mlp_cl_parts *parts, mlp_cl_error *error) {
  const mlp_cl_data_options options = {.labels_path = labels_path, .targets = targets};
  *parts = (mlp_cl_parts){0};
  bool is_table;
  TRY(source_open(source, &options, parts, &is_table, error));
  mlp_cl_status status = MLP_CL_OK;
  if (is_table)
    status = gather_table(source, encoding, header, &parts->train, error);
  else if (encoding != NULL)
    status = encode_parts(source, encoding, parts, error);
  if (status == MLP_CL_OK && division != NULL) status = divide_again(source, division, parts, error);
  if (status != MLP_CL_OK) mlp_cl_parts_destroy(parts);
  return status;
}

mlp_cl_status mlp_cl_dataset_open_as(const char *source, const char *labels_path, const mlp_cl_encoding *encoding,
                                     mlp_cl_header header, bool targets, mlp_cl_dataset **dataset,
                                     mlp_cl_error *error) {
  mlp_cl_parts parts;
  *dataset = NULL;
  TRY(mlp_cl_dataset_open_parts_as(source, labels_path, encoding, header, targets, NULL, &parts, error));
  mlp_cl_dataset **chosen = parts.test != NULL ? &parts.test : &parts.train;
  *dataset = *chosen;
  *chosen = NULL;
  mlp_cl_parts_destroy(&parts);
  return MLP_CL_OK;
}
