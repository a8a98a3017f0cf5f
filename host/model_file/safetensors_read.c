/* Reads safetensors from anyone: each length, offset and product is checked before it is used. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/size.h"
#include "model_file/safetensors.h"

enum { NESTING_MAX = 8 };

typedef struct source {
  const char *path;
  FILE *stream;
  uint64_t file_bytes, data_start, data_bytes;
} source;

typedef struct element_type {
  const char *name;
  size_t bytes;
} element_type;

static const element_type element_types[] = {{"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}};

/* What the header says of one tensor. */
typedef struct description {
  const char *name;
  const element_type *type;
  size_t rank, sizes[SAFETENSORS_RANK_MAX], count;
  uint64_t begin, end; /* in the data */
} description;

static mlp_cl_status read_bytes(const source *from, void *bytes, size_t count, mlp_cl_error *error) {
  if (fread(bytes, 1, count, from->stream) == count) return MLP_CL_OK;
  if (ferror(from->stream)) return fail(error, MLP_CL_IO, "%s: cannot read: %s", from->path, strerror(errno));
  return fail(error, MLP_CL_BAD_FILE, "%s: became shorter while it was read", from->path);
}

/* Looks before it opens: opening a pipe would wait for a writer. */
static mlp_cl_status open_source(const char *path, source *from, mlp_cl_error *error) {
  *from = (source){.path = path};
  struct stat status;
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
    return fail(error, MLP_CL_BAD_FILE, "%s: is not a regular file; a .safetensors file is wanted", path);
  }
  from->stream = fopen(path, "rb");
  if (from->stream == NULL) return fail(error, MLP_CL_IO, "%s: cannot open: %s", path, strerror(errno));
  if (fstat(fileno(from->stream), &status) != 0) {
    fclose(from->stream);
    return fail(error, MLP_CL_IO, "%s: cannot tell its size: %s", path, strerror(errno));
  }
  from->file_bytes = (uint64_t)status.st_size;
  return MLP_CL_OK;
}

static mlp_cl_status read_header_length(source *from, size_t *length, mlp_cl_error *error) {
  if (from->file_bytes < 10) {
    return fail(error, MLP_CL_BAD_FILE, "%s: %llu bytes are too few for a safetensors file", from->path,
                (unsigned long long)from->file_bytes);
  }
  unsigned char bytes[8];
  TRY(read_bytes(from, bytes, 8, error));
  uint64_t wanted = 0;
  for (int b = 7; b >= 0; b--) wanted = wanted << 8 | bytes[b];
  if (wanted > SAFETENSORS_HEADER_MAX || wanted > from->file_bytes - 8) {
    return fail(error, MLP_CL_BAD_FILE,
                "%s: byte 0: header length %llu, but the file has %llu bytes: truncated, or no safetensors file, as "
                "'mlp_cl train --out' writes",
                from->path, (unsigned long long)wanted, (unsigned long long)from->file_bytes);
  }
  from->data_start = 8 + wanted;
  from->data_bytes = from->file_bytes - from->data_start;
  *length = (size_t)wanted;
  return MLP_CL_OK;
}

/* True when brackets nest deeper than any true header: the JSON parser recurses, so it never gets to see such text. */
static bool nests_too_deep(const char *text, size_t length) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < length; i++) {
    if (in_string) {
      if (text[i] == '\\') {
        i++;
      } else if (text[i] == '"') {
        in_string = false;
      }
    } else if (text[i] == '"') {
      in_string = true;
    } else if (text[i] == '{' || text[i] == '[') {
      if (++depth > NESTING_MAX) return true;
    } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
      depth--;
    }
  }
  return false;
}

static mlp_cl_status read_header(source *from, json_t **header, mlp_cl_error *error) {
  size_t length = 0;
  TRY(read_header_length(from, &length, error));
  char *text = malloc(length + 1);
  if (text == NULL) return fail_memory(error, length, "a model's header");
  mlp_cl_status status = read_bytes(from, text, length, error);
  if (status == MLP_CL_OK && nests_too_deep(text, length)) {
    status =
        fail(error, MLP_CL_BAD_FILE, "%s: byte 8: the header nests deeper than %d levels", from->path, NESTING_MAX);
  }
  if (status == MLP_CL_OK) {
    json_error_t reason;
    *header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &reason);
    if (*header == NULL) {
      status = fail(error, MLP_CL_BAD_FILE, "%s: byte %lld: the header is not valid JSON: %s", from->path,
                    8 + (long long)reason.position, reason.text);
    } else if (!json_is_object(*header)) {
      json_decref(*header);
      status = fail(error, MLP_CL_BAD_FILE, "%s: byte 8: the header is not a JSON object", from->path);
    }
  }
  free(text);
  return status;
}

/* A JSON integer >= 0 that fits a size_t. */
static bool read_size(const json_t *value, size_t *size) {
  if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
  unsigned long long number = (unsigned long long)json_integer_value(value);
  *size = (size_t)number;
  return *size == number;
}

static mlp_cl_status fail_tensor(mlp_cl_error *error, const source *from, const char *name, const char *what) {
  return fail(error, MLP_CL_BAD_FILE, "%s: tensor \"%.200s\": %s", from->path, name, what);
}

static mlp_cl_status describe_type(const source *from, const json_t *value, description *described,
                                   mlp_cl_error *error) {
  const char *name = json_string_value(json_object_get(value, "dtype"));
  if (name == NULL) return fail_tensor(error, from, described->name, "has no dtype");
  for (size_t i = 0; i < sizeof element_types / sizeof *element_types; i++) {
    if (strcmp(element_types[i].name, name) == 0) described->type = &element_types[i];
  }
  if (described->type != NULL) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE, "%s: tensor \"%.200s\": dtype %.20s; F32, F64, F16 and BF16 are read", from->path,
              described->name, name);
}

static mlp_cl_status describe_shape(const source *from, const json_t *value, description *described,
                                    mlp_cl_error *error) {
  const json_t *shape = json_object_get(value, "shape");
  described->rank = json_array_size(shape);
  if (!json_is_array(shape) || described->rank > SAFETENSORS_RANK_MAX) {
    return fail_tensor(error, from, described->name, "shape is not a list of at most 8 sizes");
  }
  described->count = 1;
  for (size_t i = 0; i < described->rank; i++) {
    if (!read_size(json_array_get(shape, i), &described->sizes[i])) {
      return fail_tensor(error, from, described->name, "a size in its shape is not an integer >= 0");
    }
    if (!size_multiply(described->count, described->sizes[i], &described->count)) {
      return fail_tensor(error, from, described->name, "its sizes multiply to more than fits in memory");
    }
  }
  return MLP_CL_OK;
}

static mlp_cl_status describe_place(const source *from, const json_t *value, description *described,
                                    mlp_cl_error *error) {
  const json_t *offsets = json_object_get(value, "data_offsets");
  size_t begin, end, bytes;
  if (json_array_size(offsets) != 2 || !read_size(json_array_get(offsets, 0), &begin) ||
      !read_size(json_array_get(offsets, 1), &end)) {
    return fail_tensor(error, from, described->name, "data_offsets are not two integers >= 0");
  }
  if (begin > end || end > from->data_bytes) {
    return fail(
        error, MLP_CL_BAD_FILE,
        "%s: tensor \"%.200s\": data_offsets [%zu, %zu], but the file has %llu bytes of data: truncated or damaged",
        from->path, described->name, begin, end, (unsigned long long)from->data_bytes);
  }
  if (!size_multiply(described->count, described->type->bytes, &bytes) || bytes != end - begin) {
    return fail(error, MLP_CL_BAD_FILE,
                "%s: tensor \"%.200s\": data_offsets [%zu, %zu] hold %zu bytes, its shape wants %zu elements of %zu",
                from->path, described->name, begin, end, end - begin, described->count, described->type->bytes);
  }
  described->begin = begin;
  described->end = end;
  return MLP_CL_OK;
}

static mlp_cl_status read_metadata(const source *from, json_t *metadata, safetensors *content, mlp_cl_error *error) {
  if (!json_is_object(metadata)) return fail_tensor(error, from, "__metadata__", "is not an object");
  const char *key;
  json_t *value;
  json_object_foreach(metadata, key, value) {
    if (!json_is_string(value)) {
      return fail(error, MLP_CL_BAD_FILE, "%s: metadata \"%.200s\" is not a string", from->path, key);
    }
    TRY(safetensors_add_metadata(content, key, json_string_value(value), error));
  }
  return MLP_CL_OK;
}

/* Fills descriptions (one per member at most), *count of them. */
static mlp_cl_status describe_tensors(const source *from, json_t *header, safetensors *content,
                                      description *descriptions, size_t *count, mlp_cl_error *error) {
  const char *name;
  json_t *value;
  *count = 0;
  json_object_foreach(header, name, value) {
    if (strcmp(name, "__metadata__") == 0) {
      TRY(read_metadata(from, value, content, error));
      continue;
    }
    description *described = &descriptions[(*count)++];
    *described = (description){.name = name};
    if (!json_is_object(value)) return fail_tensor(error, from, name, "is not described by an object");
    TRY(describe_type(from, value, described, error));
    TRY(describe_shape(from, value, described, error));
    TRY(describe_place(from, value, described, error));
  }
  return MLP_CL_OK;
}

static int compare_places(const void *a, const void *b) {
  const description *left = a, *right = b;
  if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
  if (left->end != right->end) return left->end < right->end ? -1 : 1;
  return strcmp(left->name, right->name);
}

/* The data must be covered exactly: no gap, no overlap, nothing after the last tensor. */
static mlp_cl_status check_cover(const source *from, description *descriptions, size_t count, mlp_cl_error *error) {
  qsort(descriptions, count, sizeof *descriptions, compare_places);
  uint64_t end = 0;
  for (size_t i = 0; i < count; i++) {
    if (descriptions[i].begin != end) {
      return fail(error, MLP_CL_BAD_FILE, "%s: tensor \"%.200s\" begins at %llu of the data, wanted %llu: %s",
                  from->path, descriptions[i].name, (unsigned long long)descriptions[i].begin, (unsigned long long)end,
                  descriptions[i].begin < end ? "tensors overlap" : "there is a gap");
    }
    end = descriptions[i].end;
  }
  if (end == from->data_bytes) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE, "%s: byte %llu: %llu bytes follow the last tensor; the file is damaged",
              from->path, (unsigned long long)(from->data_start + end), (unsigned long long)(from->data_bytes - end));
}

static float float_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Exact: float32 holds every float16. */
static float float_from_half(uint32_t half) {
  uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 0x1f) return float_from_bits(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0) return float_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
  float magnitude = (float)mantissa * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

static float element_at(const element_type *type, const unsigned char *bytes) {
  uint64_t bits = 0;
  for (size_t b = type->bytes; b > 0; b--) bits = bits << 8 | bytes[b - 1];
  if (type->bytes == 8) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
  }
  if (type->bytes == 4) return float_from_bits((uint32_t)bits);
  return type->name[0] == 'B' ? float_from_bits((uint32_t)bits << 16) : float_from_half((uint32_t)bits);
}

static mlp_cl_status read_values(const source *from, const description *described, safetensors_tensor *tensor,
                                 mlp_cl_error *error) {
  unsigned char bytes[1 << 15];
  size_t element_bytes = described->type->bytes;
  for (size_t first = 0; first < tensor->count;) {
    size_t count = size_min(tensor->count - first, sizeof bytes / element_bytes);
    TRY(read_bytes(from, bytes, count * element_bytes, error));
    for (size_t i = 0; i < count; i++) {
      float value = element_at(described->type, bytes + i * element_bytes);
      if (!isfinite(value)) {
        return fail(error, MLP_CL_BAD_FILE,
                    "%s: tensor \"%.200s\": element %zu is %g as float32; values must be finite", from->path,
                    described->name, first + i, (double)value);
      }
      tensor->values[first + i] = value;
    }
    first += count;
  }
  return MLP_CL_OK;
}

static mlp_cl_status read_tensors(const source *from, const description *descriptions, size_t count,
                                  safetensors *content, mlp_cl_error *error) {
  size_t values = 0; /* no more than the file has bytes */
  for (size_t i = 0; i < count; i++) values += descriptions[i].count;
  if (values > memory_total_bytes() / sizeof(float)) return fail_memory(error, values * sizeof(float), from->path);
  for (size_t i = 0; i < count; i++) {
    safetensors_tensor *tensor;
    TRY(safetensors_add(content, descriptions[i].name, descriptions[i].sizes, descriptions[i].rank, &tensor, error));
    TRY(read_values(from, &descriptions[i], tensor, error));
  }
  return MLP_CL_OK;
}

static mlp_cl_status read_content(source *from, safetensors *content, mlp_cl_error *error) {
  json_t *header = NULL;
  TRY(read_header(from, &header, error));
  size_t count = 0;
  description *descriptions = calloc(json_object_size(header) + 1, sizeof *descriptions);
  mlp_cl_status status =
      descriptions == NULL ? fail_memory(error, sizeof *descriptions, "a model's header") : MLP_CL_OK;
  if (status == MLP_CL_OK) status = describe_tensors(from, header, content, descriptions, &count, error);
  if (status == MLP_CL_OK) status = check_cover(from, descriptions, count, error);
  if (status == MLP_CL_OK) status = read_tensors(from, descriptions, count, content, error);
  free(descriptions);
  json_decref(header);
  return status;
}

mlp_cl_status safetensors_read(const char *path, safetensors *content, mlp_cl_error *error) {
  *content = (safetensors){0};
  source from;
  TRY(open_source(path, &from, error));
  mlp_cl_status status = read_content(&from, content, error);
  fclose(from.stream);
  if (status == MLP_CL_OK) status = safetensors_check_seal(path, content, error);
  if (status != MLP_CL_OK) safetensors_destroy(content);
  return status;
}
