/* The safetensors format: named float32 tensors and a map of strings. A file is the header's length (uint64,
 * little-endian), a JSON header, and the tensors' bytes without gaps. Reading trusts nothing; writing gives the same
 * bytes for the same content. (https://github.com/huggingface/safetensors#format) */
#ifndef MODEL_FILE_SAFETENSORS_H
#define MODEL_FILE_SAFETENSORS_H

#include "base/error.h"

#define SAFETENSORS_RANK_MAX 8
#define SAFETENSORS_HEADER_MAX 100000000 /* bytes, as everywhere */
#define SAFETENSORS_SEAL "mlp_cl.content_sha256"

typedef struct safetensors_tensor {
  char *name;
  size_t rank;
  size_t sizes[SAFETENSORS_RANK_MAX];
  size_t count;  /* product of the sizes */
  float *values; /* NULL when count is 0 */
} safetensors_tensor;

typedef struct safetensors_entry {
  char *key, *value;
} safetensors_entry;

/* Owns all that it points to. Begins as {0}. */
typedef struct safetensors {
  safetensors_tensor *tensors;
  size_t tensors_count;
  safetensors_entry *metadata;
  size_t metadata_count;
} safetensors;

void safetensors_destroy(safetensors *content);

/* Appends a copy of the strings; the key must be new. Error: NO_MEMORY. */
mlp_cl_status safetensors_add_metadata(safetensors *content, const char *key, const char *value, mlp_cl_error *error);
/* Appends a tensor whose values (product of the sizes) the caller fills in; the name must be new.
 * Errors: BAD_SHAPE (overflow), NO_MEMORY. */
mlp_cl_status safetensors_add(safetensors *content, const char *name, const size_t *sizes, size_t rank,
                              safetensors_tensor **tensor, mlp_cl_error *error);

/* Adds the SHA-256 of all that the content holds so far as metadata; safetensors_read compares it. Error: NO_MEMORY. */
mlp_cl_status safetensors_seal(safetensors *content, mlp_cl_error *error);
/* Errors: BAD_FILE when there is a seal and it does not match; `path` is for the text. */
mlp_cl_status safetensors_check_seal(const char *path, const safetensors *content, mlp_cl_error *error);

/* NULL when there is none. */
const safetensors_tensor *safetensors_find(const safetensors *content, const char *name);
/* NULL when there is none. */
const char *safetensors_find_metadata(const safetensors *content, const char *key);

/* Tensors in the order of their data. F64, F16 and BF16 become float32. *content is {0} on failure.
 * Errors: IO; BAD_FILE with place and reason, also for values that are not finite; NO_MEMORY. */
mlp_cl_status safetensors_read(const char *path, safetensors *content, mlp_cl_error *error);
/* Whole or not at all; in the order of `content`. Errors: IO, BAD_ARGUMENT (path), NO_MEMORY. */
mlp_cl_status safetensors_write(const char *path, const safetensors *content, mlp_cl_error *error);

#endif
