/* See format.h. */
#include "data/format.h"

#include <string.h>
#include <sys/stat.h>

#include "data/idx.h"
#include "data/npy.h"
#include "data/stream.h"

/* Text has no NUL. What is empty is called text, since the reader of tables says it best. */
static data_format format_of(const unsigned char *bytes, size_t count) {
  if (count > 0 && bytes[0] == 0) return DATA_IDX;
  if (count > 0 && bytes[0] == 0x93) return DATA_NPY;
  return count >= 4 && memcmp(bytes, "PK\003\004", 4) == 0 ? DATA_NPZ : DATA_TEXT;
}

/* What is no data, but lies beside them. */
static const char *other_file(const unsigned char *bytes, size_t count) {
  if (count > 8 && bytes[7] == 0 && bytes[8] == '{') return "a safetensors file, a model or a checkpoint";
  return count > 2 && bytes[0] == 8 && bytes[1] < 32 && bytes[2] == 0x12 ? "an ONNX model" : NULL;
}

mlp_cl_status format_find(const char *path, data_format *format, mlp_cl_error *error) {
  stream s;
  const unsigned char *bytes;
  size_t count;
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    return fail(error, MLP_CL_IO,
                "%s: is not a regular file, and data are read more than once: write them to a file and name that "
                "(predict reads rows of a table from standard input as -)",
                path);
  }
  TRY(stream_open(&s, path, error));
  mlp_cl_status status = stream_peek(&s, &bytes, &count, error);
  if (status == MLP_CL_OK) *format = format_of(bytes, count);
  const char *other = status == MLP_CL_OK && *format == DATA_TEXT ? other_file(bytes, count) : NULL;
  if (other != NULL) status = fail(error, MLP_CL_BAD_FILE, "%s: is %s, and data are wanted", path, other);
  stream_close(&s);
  return status;
}

static mlp_cl_status open_archive(const char *path, data_answers answers, mlp_cl_dataset **train, mlp_cl_dataset **test,
                                  mlp_cl_error *error) {
  dataset_parts train_parts, test_parts;
  TRY(npz_read(path, answers, &train_parts, &test_parts, error));
  mlp_cl_status status = dataset_adopt(&train_parts, train, error);
  if (test_parts.rows == 0) return status;
  if (status != MLP_CL_OK) {
    dataset_parts_free(&test_parts);
    return status;
  }
  status = dataset_adopt(&test_parts, test, error);
  if (status != MLP_CL_OK) {
    mlp_cl_dataset_destroy(*train);
    *train = NULL;
  }
  return status;
}

mlp_cl_status format_open(const char *path, data_format format, const char *labels_path, data_answers answers,
                          mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error) {
  dataset_parts parts = {0};
  *train = *test = NULL;
  if (format == DATA_NPZ) return open_archive(path, answers, train, test, error);
  if (format == DATA_NPY) {
    TRY(npy_read(path, labels_path, answers, &parts, error));
    return dataset_adopt(&parts, train, error);
  }
  if (answers == DATA_TARGETS) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "%s: IDX files tell classes; numbers to learn come from a table or NumPy's files", path);
  }
  TRY(idx_read(path, labels_path, &parts, error));
  return dataset_adopt(&parts, train, error);
}
