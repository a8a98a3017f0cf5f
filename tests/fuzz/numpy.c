/* A NumPy file: as an array of features, as labels and as targets of three rows, and as an archive. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "data/npy.h"
#include "fuzz.h"

static void check(mlp_cl_status status, const mlp_cl_error *error, dataset_parts *parts) {
  fuzz_check_error(status, error);
  if (status != MLP_CL_OK) return;
  MUST(parts->rows > 0 && parts->width > 0 && parts->features != NULL);
  const float *features = parts->features;
  for (size_t i = 0; parts->element == MLP_CL_FLOAT32 && i < parts->rows * parts->width; i++)
    MUST(isfinite(features[i]));
  for (size_t i = 0; parts->labels != NULL && i < parts->rows; i++)
    MUST(parts->labels[i] >= 0 && (size_t)parts->labels[i] < parts->classes);
  for (size_t i = 0; parts->targets != NULL && i < parts->rows * parts->outputs; i++) MUST(isfinite(parts->targets[i]));
  dataset_parts_free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char three_rows[] = "\x93NUMPY\1\0\x3a\0{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1)} \n123";
  mlp_cl_error error;
  dataset_parts train = {0}, test = {0};
  const char *path = fuzz_file(0, data, size);
  if (size > 1 && memcmp(data, "PK", 2) == 0) {
    mlp_cl_status status = npz_read(path, (data_answers)(size % 3), &train, &test, &error);
    check(status, &error, &train);
    if (status == MLP_CL_OK && test.features != NULL) check(status, &error, &test);
    return 0;
  }
  const char *features = fuzz_file(1, three_rows, sizeof three_rows - 1);
  check(npy_read(path, NULL, DATA_LABELS, &train, &error), &error, &train);
  check(npy_read(features, path, DATA_LABELS, &train, &error), &error, &train);
  check(npy_read(features, path, DATA_TARGETS, &train, &error), &error, &train);
  return 0;
}
