/* Content of a safetensors file in memory, and how it is written. */
#include "model_file/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/json_text.h"
#include "base/size.h"

void safetensors_destroy(safetensors *content) {
  for (size_t i = 0; i < content->tensors_count; i++) {
    free(content->tensors[i].name);
    free(content->tensors[i].values);
  }
  for (size_t i = 0; i < content->metadata_count; i++) {
    free(content->metadata[i].key);
    free(content->metadata[i].value);
  }
  free(content->tensors);
  free(content->metadata);
  *content = (safetensors){0};
}

/* Room for one more item, doubling at powers of two; NULL, with the items as they were, without memory. */
static void *grow(void *items, size_t count, size_t item_bytes) {
  if (count != 0 && (count & (count - 1)) != 0) return items;
  return realloc(items, (count == 0 ? 1 : 2 * count) * item_bytes);
}

mlp_cl_status safetensors_add_metadata(safetensors *content, const char *key, const char *value, mlp_cl_error *error) {
  safetensors_entry *entries = grow(content->metadata, content->metadata_count, sizeof *entries);
  if (entries == NULL) return fail_memory(error, sizeof *entries, "a model's metadata");
  content->metadata = entries;
  safetensors_entry entry = {strdup(key), strdup(value)};
  if (entry.key == NULL || entry.value == NULL) {
    free(entry.key);
    free(entry.value);
    return fail_memory(error, strlen(key) + strlen(value) + 2, "a model's metadata");
  }
  entries[content->metadata_count++] = entry;
  return MLP_CL_OK;
}

mlp_cl_status safetensors_add(safetensors *content, const char *name, const size_t *sizes, size_t rank,
                              safetensors_tensor **tensor, mlp_cl_error *error) {
  safetensors_tensor *tensors = grow(content->tensors, content->tensors_count, sizeof *tensors);
  if (tensors == NULL) return fail_memory(error, sizeof *tensors, "a model's tensors");
  content->tensors = tensors;
  safetensors_tensor made = {.rank = rank, .count = 1};
  size_t bytes = 0;
  for (size_t i = 0; i < rank; i++) {
    made.sizes[i] = sizes[i];
    if (!size_multiply(made.count, sizes[i], &made.count)) return fail(error, MLP_CL_BAD_SHAPE, "%s: too large", name);
  }
  if (!size_multiply(made.count, sizeof(float), &bytes)) return fail(error, MLP_CL_BAD_SHAPE, "%s: too large", name);
  made.name = strdup(name);
  made.values = bytes == 0 ? NULL : malloc(bytes);
  if (made.name == NULL || (bytes != 0 && made.values == NULL)) {
    free(made.name);
    free(made.values);
    return fail_memory(error, bytes, name);
  }
  *tensor = &content->tensors[content->tensors_count++];
  **tensor = made;
  return MLP_CL_OK;
}

const char *safetensors_find_metadata(const safetensors *content, const char *key) {
  for (size_t i = 0; i < content->metadata_count; i++) {
    if (strcmp(content->metadata[i].key, key) == 0) return content->metadata[i].value;
  }
  return NULL;
}

const safetensors_tensor *safetensors_find(const safetensors *content, const char *name) {
  for (size_t i = 0; i < content->tensors_count; i++) {
    if (strcmp(content->tensors[i].name, name) == 0) return &content->tensors[i];
  }
  return NULL;
}

static json_t *describe_tensor(const safetensors_tensor *tensor, size_t begin) {
  json_t *shape = json_array();
  int failed = 0;
  for (size_t i = 0; i < tensor->rank; i++)
    failed |= json_array_append_new(shape, json_integer((json_int_t)tensor->sizes[i]));
  if (failed) {
    json_decref(shape);
    return NULL;
  }
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape, "data_offsets", (json_int_t)begin,
                   (json_int_t)begin + (json_int_t)(tensor->count * sizeof(float)));
}

/* The JSON text, in the order of `content`, freed by the caller; NULL without memory. */
static char *describe(const safetensors *content) {
  json_t *metadata = json_object(), *header = json_object();
  int failed = 0;
  for (size_t i = 0; i < content->metadata_count; i++) {
    failed |= json_object_set_new(metadata, content->metadata[i].key, json_string(content->metadata[i].value));
  }
  if (content->metadata_count > 0) failed |= json_object_set(header, "__metadata__", metadata);
  size_t begin = 0;
  for (size_t i = 0; i < content->tensors_count; i++) {
    failed |= json_object_set_new(header, content->tensors[i].name, describe_tensor(&content->tensors[i], begin));
    begin += content->tensors[i].count * sizeof(float);
  }
  char *text = failed ? NULL : json_text(header, JSON_COMPACT);
  json_decref(header);
  json_decref(metadata);
  return text;
}

static mlp_cl_status write_values(atomic_file *file, const safetensors_tensor *tensor, mlp_cl_error *error) {
  unsigned char bytes[1 << 15];
  for (size_t first = 0; first < tensor->count;) {
    size_t count = size_min(tensor->count - first, sizeof bytes / sizeof(float));
    for (size_t i = 0; i < count; i++) {
      uint32_t bits;
      memcpy(&bits, &tensor->values[first + i], sizeof bits);
      for (size_t b = 0; b < 4; b++) bytes[4 * i + b] = (unsigned char)(bits >> 8 * b);
    }
    TRY(atomic_file_write(file, bytes, 4 * count, error));
    first += count;
  }
  return MLP_CL_OK;
}

/* The header is padded with spaces to a multiple of 8, so that the data is aligned. */
static mlp_cl_status write_content(atomic_file *file, const char *text, const safetensors *content,
                                   mlp_cl_error *error) {
  uint64_t length = strlen(text), padded = (length + 7) / 8 * 8;
  unsigned char prefix[8];
  for (size_t b = 0; b < 8; b++) prefix[b] = (unsigned char)(padded >> 8 * b);
  TRY(atomic_file_write(file, prefix, 8, error));
  TRY(atomic_file_write(file, text, length, error));
  TRY(atomic_file_write(file, "       ", padded - length, error));
  for (size_t i = 0; i < content->tensors_count; i++) TRY(write_values(file, &content->tensors[i], error));
  return MLP_CL_OK;
}

mlp_cl_status safetensors_write(const char *path, const safetensors *content, mlp_cl_error *error) {
  char *text = describe(content);
  if (text == NULL) return fail_memory(error, content->tensors_count * 100, "a model's header");
  if (strlen(text) > SAFETENSORS_HEADER_MAX) {
    mlp_cl_status status = fail(error, MLP_CL_BAD_ARGUMENT, "%s: a header of %zu bytes, and readers take %d at most",
                                path, strlen(text), SAFETENSORS_HEADER_MAX);
    free(text);
    return status;
  }
  atomic_file file;
  mlp_cl_status status = atomic_file_begin(&file, path, error);
  if (status == MLP_CL_OK) {
    status = write_content(&file, text, content, error);
    if (status == MLP_CL_OK) {
      status = atomic_file_commit(&file, error);
    } else {
      atomic_file_abandon(&file);
    }
  }
  free(text);
  return status;
}
