/* See npy.h. */
#include "data/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bulk.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/stream.h"

enum { RANK_MAX = 16 };

typedef struct npy_array {
  const char *name;
  char type[16]; /* as the header has it: "<f4" */
  char kind;     /* 'f', 'i', 'u', 'b' */
  size_t bytes;
  bool swapped; /* the other order of bytes than this machine's */
  bool fortran;
  size_t rank, sizes[RANK_MAX];
  size_t rows, width;
  const unsigned char *data;
  size_t offset; /* of data in the file */
} npy_array;

/* ---- Header ------------------------------------------------------------------------------------------------------ */

static mlp_cl_status fail_header(const npy_array *a, const char *what, mlp_cl_error *error) {
  return fail(error, MLP_CL_BAD_FILE, "%s: the NPY header %s; write it anew with numpy.save", a->name, what);
}

static const char *skip_blanks(const char *text) {
  return text + strspn(text, " \t\n");
}

/* '<f4' */
static const char *read_type(npy_array *a, const char *text) {
  const unsigned one = 1;
  bool little = *(const unsigned char *)&one == 1;
  if (strnlen(text, 5) < 5) return NULL;
  if (*text == '\'' || *text == '"') snprintf(a->type, sizeof a->type, "%.*s", (int)strcspn(text + 1, "'\""), text + 1);
  char quote = *text++, order = *text++;
  a->kind = *text++;
  size_t digits = strspn(text, "0123456789");
  if ((quote != '\'' && quote != '"') || strchr("<>|=", order) == NULL || order == '\0' || digits != 1) return NULL;
  a->bytes = (size_t)(*text++ - '0');
  a->swapped = (order == '>' && little) || (order == '<' && !little);
  return *text == quote ? text + 1 : NULL;
}

/* (3, 4) */
static const char *read_shape(npy_array *a, const char *text) {
  if (*text++ != '(') return NULL;
  for (text = skip_blanks(text); *text != ')'; text = skip_blanks(text)) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || a->rank == RANK_MAX) return NULL;
    a->sizes[a->rank++] = (size_t)strtoull(text, NULL, 10);
    text = skip_blanks(text + digits);
    if (*text == ',') text++;
  }
  return text + 1;
}

static const char *read_value(npy_array *a, const char *key, size_t length, const char *text) {
  if (length == 5 && memcmp(key, "descr", 5) == 0) return read_type(a, text);
  if (length == 5 && memcmp(key, "shape", 5) == 0) return read_shape(a, text);
  if (length != 13 || memcmp(key, "fortran_order", 13) != 0) return NULL;
  a->fortran = strncmp(text, "True", 4) == 0;
  return a->fortran ? text + 4 : strncmp(text, "False", 5) == 0 ? text + 5 : NULL;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }; true when it is that. */
static bool read_dictionary(npy_array *a, const char *text) {
  text = skip_blanks(text);
  if (*text++ != '{') return false;
  for (text = skip_blanks(text); *text != '}'; text = skip_blanks(text)) {
    char quote = *text;
    const char *key = text + 1, *end = quote == '\'' || quote == '"' ? strchr(key, quote) : NULL;
    if (end == NULL) return false;
    text = skip_blanks(end + 1);
    if (*text++ != ':') return false;
    text = read_value(a, key, (size_t)(end - key), skip_blanks(text));
    if (text == NULL) return false;
    text = skip_blanks(text);
    if (*text == ',') text++;
  }
  return true;
}

static bool is_known(const npy_array *a) {
  return (a->kind == 'f' && (a->bytes == 4 || a->bytes == 8)) ||
         ((a->kind == 'i' || a->kind == 'u') && (a->bytes == 1 || a->bytes == 2 || a->bytes == 4 || a->bytes == 8)) ||
         (a->kind == 'b' && a->bytes == 1);
}

static mlp_cl_status check_sizes(npy_array *a, size_t there, mlp_cl_error *error) {
  if (a->rank == 0) return fail_header(a, "tells a single number, not rows", error);
  a->rows = a->sizes[0];
  a->width = 1;
  size_t elements, bytes;
  bool good = true;
  for (size_t i = 1; i < a->rank; i++) good = good && size_multiply(a->width, a->sizes[i], &a->width);
  if (a->rows == 0 || a->width == 0 || a->rows > DATASET_ROWS_MAX) {
    return fail(error, MLP_CL_BAD_FILE, "%s: %zu rows × %zu elements; wanted 1 to %zu rows of at least 1", a->name,
                a->rows, a->width, DATASET_ROWS_MAX);
  }
  if (!good || !size_multiply(a->rows, a->width, &elements) || !size_multiply(elements, 8, &bytes)) {
    return fail_header(a, "tells sizes that multiply to more than fits in memory", error);
  }
  if (elements * a->bytes == there) return MLP_CL_OK;
  return fail(
      error, MLP_CL_BAD_FILE,
      "%s: byte %zu: the header promises %zu rows × %zu elements of %zu bytes = %zu, but %zu bytes follow; fetch "
      "it again",
      a->name, a->offset, a->rows, a->width, a->bytes, elements * a->bytes, there);
}

static mlp_cl_status read_header(npy_array *a, const char *name, const unsigned char *bytes, size_t count,
                                 mlp_cl_error *error) {
  *a = (npy_array){.name = name};
  if (count < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0) return fail_header(a, "is not there", error);
  if (bytes[6] < 1 || bytes[6] > 3) return fail_header(a, "has an unknown version", error);
  size_t begin = bytes[6] == 1 ? 10 : 12, length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
  if (bytes[6] > 1 && count >= 12) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
  if (count < begin || count - begin < length) return fail_header(a, "ends early", error);
  char *text = strndup((const char *)bytes + begin, length);
  if (text == NULL) return fail_memory(error, length, "an NPY header");
  bool good = read_dictionary(a, text);
  free(text);
  if (a->type[0] != '\0' && !is_known(a))
    return fail(error, MLP_CL_BAD_FILE,
                "%s: is an array of %s, and float32, float64, integers or bool are wanted: save x.astype(\"float32\")",
                a->name, a->type);
  if (!good || !is_known(a)) return fail_header(a, "is none of an array of float32, float64, integers or bool", error);
  a->offset = begin + length;
  a->data = bytes + a->offset;
  return check_sizes(a, count - a->offset, error);
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

static uint64_t bits_at(const npy_array *a, size_t index) {
  const unsigned char *from = a->data + index * a->bytes;
  uint64_t bits = 0;
  const unsigned one = 1;
  bool little = (*(const unsigned char *)&one == 1) != a->swapped;
  for (size_t i = 0; i < a->bytes; i++) bits = bits << 8 | from[little ? a->bytes - 1 - i : i];
  return bits;
}

static double value_at(const npy_array *a, size_t index) {
  uint64_t bits = bits_at(a, index);
  if (a->kind == 'f' && a->bytes == 4) {
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return (double)value;
  }
  if (a->kind == 'f') {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (a->kind != 'i') return (double)bits;
  unsigned unused = (unsigned)(64 - 8 * a->bytes);
  return (double)((int64_t)(bits << unused) >> unused);
}

/* Where column `plane` of an array in Fortran's order belongs in C's: its digits in the sizes, the other way round. */
static size_t column_of(const npy_array *a, size_t plane) {
  size_t column = 0;
  for (size_t i = 1; i < a->rank; i++) {
    column = column * a->sizes[i] + plane % a->sizes[i];
    plane /= a->sizes[i];
  }
  return column;
}

/* The index in the file of element (row, column), for one column after the other. */
typedef struct column_place {
  size_t start, stride, column;
} column_place;

static column_place place_of(const npy_array *a, size_t plane) {
  return a->fortran ? (column_place){plane * a->rows, 1, column_of(a, plane)} : (column_place){plane, a->width, plane};
}

static mlp_cl_status fill_floats(const npy_array *a, float *values, mlp_cl_error *error) {
  for (size_t plane = 0; plane < a->width; plane++) {
    column_place place = place_of(a, plane);
    for (size_t row = 0; row < a->rows; row++) {
      double value = value_at(a, place.start + row * place.stride);
      float kept = (float)value;
      if (!isfinite(kept)) {
        return fail(error, MLP_CL_BAD_FILE, "%s: byte %zu: element %zu of row %zu is %g; float32 must hold it, finite",
                    a->name, a->offset + (place.start + row * place.stride) * a->bytes, place.column, row, value);
      }
      values[row * a->width + place.column] = kept;
    }
  }
  return MLP_CL_OK;
}

static void fill_integers(const npy_array *a, mlp_cl_element element, void *values) {
  if (a->bytes == 1 && !a->fortran) {
    memcpy(values, a->data, a->rows * a->width);
    return;
  }
  for (size_t plane = 0; plane < a->width; plane++) {
    column_place place = place_of(a, plane);
    for (size_t row = 0; row < a->rows; row++) {
      uint64_t bits = bits_at(a, place.start + row * place.stride);
      size_t to = row * a->width + place.column;
      if (element == MLP_CL_INT16) {
        ((uint16_t *)values)[to] = (uint16_t)bits;
      } else {
        ((uint8_t *)values)[to] = (uint8_t)bits;
      }
    }
  }
}

static mlp_cl_element element_of(const npy_array *a) {
  if (a->kind == 'u' && a->bytes == 1) return MLP_CL_UINT8;
  if (a->kind == 'i' && a->bytes == 1) return MLP_CL_INT8;
  return a->kind == 'i' && a->bytes == 2 ? MLP_CL_INT16 : MLP_CL_FLOAT32;
}

mlp_cl_status npy_features(const char *name, const unsigned char *bytes, size_t count, dataset_parts *parts,
                           mlp_cl_error *error) {
  npy_array a;
  TRY(read_header(&a, name, bytes, count, error));
  mlp_cl_element element = element_of(&a);
  size_t kept = a.rows * a.width * dataset_element_bytes(element);
  bool words = a.kind == 'u' && a.bytes == 2; /* which no device takes as they are */
  *parts = (dataset_parts){.rows = a.rows,
                           .width = a.width,
                           .element = element,
                           .scale = words ? 1.0f / 65535.0f : dataset_default_scale(element)};
  parts->features = bulk_allocate(kept);
  if (parts->features == NULL) return bulk_fail(error, kept, name);
  if (element == MLP_CL_FLOAT32) return fill_floats(&a, parts->features, error);
  fill_integers(&a, element, parts->features);
  return MLP_CL_OK;
}

static mlp_cl_status fill_labels(const npy_array *a, dataset_parts *parts, mlp_cl_error *error) {
  parts->labels = bulk_allocate(a->rows * sizeof *parts->labels);
  if (parts->labels == NULL) return bulk_fail(error, a->rows * sizeof *parts->labels, a->name);
  for (size_t row = 0; row < a->rows; row++) {
    double value = value_at(a, row);
    if (!(value >= 0 && value < (double)DATASET_CLASSES_MAX && value == floor(value))) {
      return fail(error, MLP_CL_BAD_FILE,
                  "%s: byte %zu: label %g of row %zu; labels are whole numbers in 0 … %zu, "
                  "other numbers are for regression",
                  a->name, a->offset + row * a->bytes, value, row, DATASET_CLASSES_MAX - 1);
    }
    parts->labels[row] = (int32_t)value;
    parts->classes = size_max(parts->classes, (size_t)value + 1);
  }
  return MLP_CL_OK;
}

mlp_cl_status npy_labels(const char *name, const unsigned char *bytes, size_t count, data_answers answers,
                         dataset_parts *parts, mlp_cl_error *error) {
  npy_array a;
  TRY(read_header(&a, name, bytes, count, error));
  if (a.rows != parts->rows || (answers == DATA_LABELS && a.width != 1)) {
    return fail(error, MLP_CL_BAD_FILE, "%s: %zu rows × %zu labels, but the features have %zu rows; %s", name, a.rows,
                a.width, parts->rows,
                a.rows == parts->rows ? "a class is one label a row" : "the two must belong together");
  }
  if (answers == DATA_LABELS) return fill_labels(&a, parts, error);
  parts->outputs = a.width;
  parts->targets = bulk_allocate(a.rows * a.width * sizeof *parts->targets);
  if (parts->targets == NULL) return bulk_fail(error, a.rows * a.width * sizeof *parts->targets, name);
  return fill_floats(&a, parts->targets, error);
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

/* The whole content, for bulk_free by the caller; memory follows the bytes that really come, and what gzip unpacks to
 * must fit in it. */
static mlp_cl_status read_file(const char *path, unsigned char **bytes, size_t *count, mlp_cl_error *error) {
  stream s;
  size_t room = 0, got = 1;
  *bytes = NULL;
  *count = 0;
  TRY(stream_open(&s, path, error));
  mlp_cl_status status = MLP_CL_OK;
  while (status == MLP_CL_OK && got > 0) {
    if (*count == room) {
      room = size_max(2 * room, STREAM_BUFFER);
      unsigned char *grown = s.gzip && room > memory_total_bytes() ? NULL : bulk_resize(*bytes, room);
      if (grown == NULL) {
        status = bulk_fail(error, room, path);
        break;
      }
      *bytes = grown;
    }
    status = stream_read(&s, *bytes + *count, room - *count, &got, error);
    *count += status == MLP_CL_OK ? got : 0;
  }
  stream_close(&s);
  if (status != MLP_CL_OK) bulk_free(*bytes);
  return status;
}

mlp_cl_status npy_read(const char *path, const char *labels_path, data_answers answers, dataset_parts *parts,
                       mlp_cl_error *error) {
  unsigned char *bytes;
  size_t count;
  *parts = (dataset_parts){0};
  TRY(read_file(path, &bytes, &count, error));
  mlp_cl_status status = npy_features(path, bytes, count, parts, error);
  bulk_free(bytes);
  if (status == MLP_CL_OK && labels_path != NULL) {
    status = read_file(labels_path, &bytes, &count, error);
    if (status == MLP_CL_OK) {
      status = npy_labels(labels_path, bytes, count, answers, parts, error);
      bulk_free(bytes);
    }
  }
  if (status != MLP_CL_OK) dataset_parts_free(parts);
  return status;
}
