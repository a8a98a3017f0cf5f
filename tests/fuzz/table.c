/* A table for training, how it is read told by the first byte; then the same file as rows and as data for a model. */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"

static mlp_cl_data_options options_of(uint8_t byte) {
  return (mlp_cl_data_options){.header = (mlp_cl_header)(byte % 3),
                               .missing_mean = (byte & 4) != 0,
                               .one_hot = (byte & 8) != 0 ? "all" : NULL,
                               .scaling = (mlp_cl_scaling)((byte >> 4) % 3),
                               .targets = (byte & 64) != 0,
                               .scale_targets = (byte & 128) != 0,
                               .seed = 1};
}

static void check_rows(const mlp_cl_dataset *data, size_t width) {
  size_t rows = mlp_cl_dataset_rows(data), classes = mlp_cl_dataset_classes(data);
  const int32_t *labels = mlp_cl_dataset_labels(data);
  const float *targets = mlp_cl_dataset_targets(data);
  MUST(rows > 0 && mlp_cl_dataset_width(data) == width && (labels != NULL) != (targets != NULL));
  for (size_t i = 0; labels != NULL && i < rows; i++) MUST(labels[i] >= 0 && (size_t)labels[i] < classes);
  for (size_t i = 0; targets != NULL && i < rows * mlp_cl_dataset_outputs(data); i++) MUST(isfinite(targets[i]));
  for (size_t i = 0; i < classes; i++) MUST(mlp_cl_dataset_class_name(data, i) != NULL);
}

/* A file that was read once is read again under its encoding, to the same number of rows at least as finite values. */
static void read_again(const char *path, const mlp_cl_encoding *encoding, mlp_cl_header header) {
  enum { MOST = 3 };
  mlp_cl_error error;
  mlp_cl_rows *rows = NULL;
  mlp_cl_status status = mlp_cl_rows_open(path, encoding, header, 1, &rows, &error);
  fuzz_check_error(status, &error);
  if (rows == NULL) return;
  size_t width = mlp_cl_rows_width(rows), got = 1;
  float *features = calloc(MOST, width * sizeof *features);
  while (status == MLP_CL_OK ? got > 0 : mlp_cl_rows_may_go_on(rows)) {
    got = 0;
    status = mlp_cl_rows_next(rows, MOST, features, &got, &error);
    fuzz_check_error(status, &error);
    MUST(got <= MOST);
    for (size_t i = 0; i < got * width; i++) MUST(isfinite(features[i]));
  }
  free(features);
  mlp_cl_rows_close(rows);
}

static void read_for_model(const char *path, const mlp_cl_encoding *encoding, mlp_cl_header header) {
  mlp_cl_error error;
  mlp_cl_dataset *data = NULL;
  fuzz_check_error(mlp_cl_dataset_open_as(path, NULL, encoding, header, false, &data, &error), &error);
  mlp_cl_dataset_destroy(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  mlp_cl_error error;
  mlp_cl_parts parts = {0};
  const mlp_cl_data_options options = options_of(data[0]);
  const char *path = fuzz_file(0, data + 1, size - 1);
  mlp_cl_status status = mlp_cl_dataset_open_parts(path, &options, &parts, &error);
  fuzz_check_error(status, &error);
  MUST((status == MLP_CL_OK) == (parts.train != NULL));
  const mlp_cl_encoding *encoding = parts.train == NULL ? NULL : mlp_cl_dataset_encoding(parts.train);
  if (parts.train != NULL) {
    size_t width = mlp_cl_dataset_width(parts.train);
    MUST(width > 0);
    if (encoding != NULL) check_rows(parts.train, width);
    if (encoding != NULL && parts.test != NULL) check_rows(parts.test, width);
  }
  read_again(path, encoding, options.header);
  if (encoding != NULL) read_for_model(path, encoding, options.header);
  mlp_cl_parts_destroy(&parts);
  return 0;
}
