/* An IDX file, plain or gzip, as features and as the labels of a file with three rows. */
#include <math.h>

#include <zlib.h>

#include "fuzz.h"

int __wrap_gzbuffer(gzFile stream, unsigned size);
int __real_gzbuffer(gzFile stream, unsigned size);

/* Small buffers are fast to make under a sanitizer, and small inputs cross their ends. */
int __wrap_gzbuffer(gzFile stream, unsigned size) {
  return __real_gzbuffer(stream, size < 256 ? size : 256);
}

static void check(const mlp_cl_dataset *data) {
  size_t rows = mlp_cl_dataset_rows(data), classes = mlp_cl_dataset_classes(data);
  const int32_t *labels = mlp_cl_dataset_labels(data);
  MUST(rows > 0 && mlp_cl_dataset_width(data) > 0 && isfinite(mlp_cl_dataset_scale(data)));
  MUST((labels != NULL) == (classes > 0));
  for (size_t row = 0; labels != NULL && row < rows; row++) MUST(labels[row] >= 0 && (size_t)labels[row] < classes);
}

static void try_to_open(const char *features, const char *labels) {
  mlp_cl_error error;
  mlp_cl_dataset *data = NULL;
  mlp_cl_status status = mlp_cl_dataset_open_idx(features, labels, &data, &error);
  fuzz_check_error(status, &error);
  MUST((status == MLP_CL_OK) == (data != NULL));
  if (data != NULL) check(data);
  mlp_cl_dataset_destroy(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const unsigned char three_rows[] = {0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 1, 1, 2, 3};
  const char *path = fuzz_file(0, data, size);
  try_to_open(path, NULL);
  try_to_open(fuzz_file(1, three_rows, sizeof three_rows), path);
  return 0;
}
