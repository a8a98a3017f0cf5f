/* From the name of a source to its reader, and from a source to its parts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/array_scale.h"
#include "data/format.h"
#include "data/idx.h"
#include "data/mnist.h"
#include "data/rows.h"
#include "data/table.h"

mlp_cl_status mlp_cl_dataset_open_idx(const char *features_path, const char *labels_path, mlp_cl_dataset **dataset,
                                      mlp_cl_error *error) {
  *dataset = NULL;
  if (features_path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the path of the features is NULL; name a file");
  dataset_parts parts;
  TRY(idx_read(features_path, labels_path, &parts, error));
  return dataset_adopt(&parts, dataset, error);
}

static mlp_cl_status fail_source(const char *source, mlp_cl_error *error) {
  return fail(
      error, MLP_CL_IO,
      "%s: %s; a data set is \"digits\", a table (CSV, TSV), an IDX, NPY or NPZ file, or a folder in the MNIST layout",
      source, strerror(errno));
}

/* Arrays with their labels: those named, or those that lie beside under the matching name. */
static mlp_cl_status open_arrays(const char *path, data_format format, const char *labels_path, bool targets,
                                 mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error) {
  char *beside = NULL;
  if (labels_path == NULL) TRY(mnist_find_labels(path, &beside, error));
  mlp_cl_status status =
      format_open(path, format, labels_path == NULL ? beside : labels_path, targets, train, test, error);
  free(beside);
  return status;
}

bool mlp_cl_source_is_table(const char *source) {
  struct stat status;
  data_format format;
  return strcmp(source, "digits") != 0 && stat(source, &status) == 0 && S_ISREG(status.st_mode) &&
         format_find(source, &format, NULL) == MLP_CL_OK && format == DATA_TEXT;
}

/* A file of labels goes with a file that has none, and is one that can be read at any time. */
static mlp_cl_status check_labels_path(const char *labels_path, const char *source, data_format format,
                                       mlp_cl_error *error) {
  data_format of_labels;
  if (labels_path == NULL) return MLP_CL_OK;
  if (format == DATA_IDX || format == DATA_NPY) return format_find(labels_path, &of_labels, error);
  return fail(error, MLP_CL_BAD_ARGUMENT, "%s has its labels within, in %s: leave --labels away", source,
              format == DATA_TEXT ? "a column, which --label names" : "an array of its own");
}

/* A source and whatever parts it has by itself; of a table it says only that it is one. */
static mlp_cl_status open_plain(const char *source, const mlp_cl_data_options *options, mlp_cl_parts *parts,
                                bool *is_table, mlp_cl_error *error) {
  *is_table = false;
  if (source == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the data set's name is NULL; \"digits\" is built in");
  struct stat status;
  bool digits = strcmp(source, "digits") == 0;
  if (!digits && stat(source, &status) != 0) return fail_source(source, error);
  bool pictures = digits || S_ISDIR(status.st_mode);
  if (pictures && options->labels_path != NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s brings its own labels: leave --labels away", source);
  if (pictures && options->scaling != MLP_CL_SCALE_USUAL && options->scaling != MLP_CL_SCALE_NONE)
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s is scaled as it is: leave --scale away", source);
  if (pictures && options->targets) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s tells classes; numbers to learn come from a table or NumPy's files",
                source);
  }
  if (pictures) {
    return digits ? digits_open(&parts->train, &parts->test, error)
                  : mnist_open(source, &parts->train, &parts->test, error);
  }
  data_format format;
  TRY(format_find(source, &format, error));
  *is_table = format == DATA_TEXT;
  TRY(check_labels_path(options->labels_path, source, format, error));
  if (*is_table) return MLP_CL_OK;
  return open_arrays(source, format, options->labels_path, options->targets, &parts->train, &parts->test, error);
}

mlp_cl_status mlp_cl_dataset_open(const char *source, mlp_cl_dataset **train, mlp_cl_dataset **test,
                                  mlp_cl_error *error) {
  const mlp_cl_data_options options = {0};
  mlp_cl_parts parts = {0};
  bool is_table;
  if (train == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "train is NULL: pass where to put it");
  *train = NULL;
  if (test != NULL) *test = NULL;
  TRY(open_plain(source, &options, &parts, &is_table, error));
  if (is_table) TRY(table_open(source, &options, &parts, error));
  *train = parts.train;
  if (test != NULL) {
    *test = parts.test;
  } else {
    mlp_cl_dataset_destroy(parts.test);
  }
  return MLP_CL_OK;
}

/* ---- Parts ------------------------------------------------------------------------------------------------------- */

static const double usual_holdout = 0.2;

void mlp_cl_parts_destroy(mlp_cl_parts *parts) {
  if (parts == NULL) return;
  mlp_cl_dataset_destroy(parts->train);
  mlp_cl_dataset_destroy(parts->validation);
  mlp_cl_dataset_destroy(parts->test);
  *parts = (mlp_cl_parts){0};
}

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
  mlp_cl_dataset **all[] = {&parts->train, &parts->validation, &parts->test};
  mlp_cl_status status = MLP_CL_OK;
  for (size_t i = 0; status == MLP_CL_OK && i < sizeof all / sizeof *all; i++)
    if (*all[i] != NULL) status = array_scale_apply(all[i], encoding, source, error);
  encoding_release(encoding);
  return status;
}

static mlp_cl_status open_array_parts(const char *source, const mlp_cl_data_options *options, mlp_cl_parts *parts,
                                      mlp_cl_error *error) {
  if (parts->train->labels == NULL && parts->train->targets == NULL) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "%s has no labels to learn from; name their file with --labels (IDX, NPY), or put them in as y (NPZ)",
                source);
  }
  if (has_one_class(parts->train))
    return fail(error, MLP_CL_BAD_FILE, "%s: every row has the label %d: one class alone teaches nothing", source,
                (int)parts->train->labels[0]);
  double holdout = options->holdout;
  if (holdout == 0.0 && parts->test == NULL && options->test_path == NULL && !options->keep_all)
    holdout = usual_holdout;
  if (holdout > 0.0) TRY(take_part(parts, holdout, options->seed, SPLIT_TEST, &parts->test, error));
  if (options->validation > 0.0)
    TRY(take_part(parts, options->validation, options->seed, SPLIT_VALIDATION, &parts->validation, error));
  return scale_parts(source, options, parts, error);
}

static mlp_cl_status open_table_parts(const char *source, const mlp_cl_data_options *options, mlp_cl_parts *parts,
                                      mlp_cl_error *error) {
  mlp_cl_data_options with = *options;
  if (with.holdout == 0.0 && with.test_path == NULL && !with.keep_all) with.holdout = usual_holdout;
  return table_open(source, &with, parts, error);
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
  *parts = (mlp_cl_parts){0};
  bool is_table;
  if (options == NULL) options = &usual;
  if (!(options->holdout >= 0 && options->holdout < 1 && options->validation >= 0 && options->validation < 1))
    return fail(error, MLP_CL_BAD_ARGUMENT, "holdout is %g and validation is %g: give numbers from 0 to below 1",
                options->holdout, options->validation);
  TRY(open_plain(source, options, parts, &is_table, error));
  mlp_cl_status status =
      is_table ? open_table_parts(source, options, parts, error) : open_array_parts(source, options, parts, error);
  if (status == MLP_CL_OK && options->test_path != NULL) status = open_test(options, parts, error);
  if (status != MLP_CL_OK) mlp_cl_parts_destroy(parts);
  return status;
}

/* The test part where there is one. */
static mlp_cl_status open_as_arrays(const char *path, data_format format, const char *labels_path,
                                    const mlp_cl_encoding *encoding, bool targets, mlp_cl_dataset **dataset,
                                    mlp_cl_error *error) {
  mlp_cl_dataset *train, *test;
  TRY(open_arrays(path, format, labels_path, targets, &train, &test, error));
  if (test != NULL) mlp_cl_dataset_destroy(train);
  *dataset = test != NULL ? test : train;
  if (encoding == NULL) return MLP_CL_OK;
  mlp_cl_status status = array_scale_apply(dataset, (mlp_cl_encoding *)(uintptr_t)encoding, path, error);
  if (status != MLP_CL_OK) mlp_cl_dataset_destroy(*dataset);
  if (status != MLP_CL_OK) *dataset = NULL;
  return status;
}

mlp_cl_status mlp_cl_dataset_open_as(const char *path, const char *labels_path, const mlp_cl_encoding *encoding,
                                     mlp_cl_header header, bool targets, mlp_cl_dataset **dataset,
                                     mlp_cl_error *error) {
  *dataset = NULL;
  data_format format;
  if (path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the path of the data is NULL; name a file");
  TRY(format_find(path, &format, error));
  TRY(check_labels_path(labels_path, path, format, error));
  if (format != DATA_TEXT) return open_as_arrays(path, format, labels_path, encoding, targets, dataset, error);
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
