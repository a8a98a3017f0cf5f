/* From the name of a source to its reader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/format.h"
#include "data/idx.h"
#include "data/mnist.h"
#include "data/open.h"
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
  if (strcmp(source, "-") == 0)
    return fail(error, MLP_CL_BAD_ARGUMENT, "-: data are read more than once; write them to a file and name that");
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
  mlp_cl_status status = format_open(path, format, labels_path == NULL ? beside : labels_path,
                                     targets ? DATA_TARGETS : DATA_LABELS, train, test, error);
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

mlp_cl_status source_open(const char *source, const mlp_cl_data_options *options, mlp_cl_parts *parts, bool *is_table,
                          mlp_cl_error *error) {
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
  TRY(source_open(source, &options, &parts, &is_table, error));
  if (is_table) TRY(table_open(source, &options, &(mlp_cl_split){0}, &parts, error));
  *train = parts.train;
  if (test != NULL) {
    *test = parts.test;
  } else {
    mlp_cl_dataset_destroy(parts.test);
  }
  return MLP_CL_OK;
}
