/* Reads IDX; see idx.h. */
#include "data/idx.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/bulk.h"
#include "base/memory.h"
#include "base/size.h"

typedef struct idx_type {
  unsigned char code;
  const char *name;
  size_t bytes;
  mlp_cl_element element; /* as which features are kept */
} idx_type;

static const idx_type types[] = {
    {0x08, "uint8", 1, MLP_CL_UINT8},   {0x09, "int8", 1, MLP_CL_INT8},       {0x0b, "int16", 2, MLP_CL_INT16},
    {0x0c, "int32", 4, MLP_CL_FLOAT32}, {0x0d, "float32", 4, MLP_CL_FLOAT32}, {0x0e, "float64", 8, MLP_CL_FLOAT32},
};

typedef struct idx_file {
  const char *path;
  gzFile stream;
  uint64_t offset; /* uncompressed bytes read so far */
  const idx_type *type;
  unsigned dimensions;
  size_t rows, width;
} idx_file;

/* Reads up to `count` bytes; *got is less only at the end of the data. */
static mlp_cl_status read_some(idx_file *file, void *bytes, size_t count, size_t *got, mlp_cl_error *error) {
  int result = gzread(file->stream, bytes, (unsigned)count);
  int reason = Z_OK;
  const char *text = gzerror(file->stream, &reason);
  if (reason == Z_ERRNO) return fail(error, MLP_CL_IO, "%s: cannot read: %s", file->path, strerror(errno));
  if (reason == Z_MEM_ERROR) return fail_memory(error, 1 << 17, "decompression");
  if (result < 0 || (reason != Z_OK && reason != Z_STREAM_END && (size_t)result < count)) {
    return fail(error, MLP_CL_BAD_FILE,
                "%s: corrupt gzip data after byte %llu of the content (%s); fetch the file again", file->path,
                (unsigned long long)file->offset + (unsigned long long)(result > 0 ? result : 0), text);
  }
  file->offset += (uint64_t)result;
  *got = (size_t)result;
  return MLP_CL_OK;
}

static mlp_cl_status read_header_bytes(idx_file *file, unsigned char bytes[4], mlp_cl_error *error) {
  uint64_t start = file->offset;
  size_t got;
  TRY(read_some(file, bytes, 4, &got, error));
  if (got == 4) return MLP_CL_OK;
  if (file->offset == 0) return fail(error, MLP_CL_BAD_FILE, "%s: is empty; an IDX file is wanted", file->path);
  return fail(error, MLP_CL_BAD_FILE, "%s: byte %llu: the IDX header ends early at byte %llu; fetch the file again",
              file->path, (unsigned long long)start, (unsigned long long)file->offset);
}

static const idx_type *find_type(unsigned char code) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (types[i].code == code) return &types[i];
  }
  return NULL;
}

/* Magic 0 0 type rank, then one uint32 per dimension. */
static mlp_cl_status read_header(idx_file *file, mlp_cl_error *error) {
  unsigned char word[4];
  TRY(read_header_bytes(file, word, error));
  if (word[0] != 0 || word[1] != 0) {
    return fail(error, MLP_CL_BAD_FILE,
                "%s: byte 0: not an IDX file: it begins with %02x %02x %02x %02x, wanted 00 00, type, rank", file->path,
                word[0], word[1], word[2], word[3]);
  }
  file->type = find_type(word[2]);
  if (file->type == NULL) {
    return fail(
        error, MLP_CL_BAD_FILE,
        "%s: byte 2: element type 0x%02x is unknown; IDX has 08 uint8, 09 int8, 0b int16, 0c int32, 0d float32, "
        "0e float64",
        file->path, word[2]);
  }
  file->dimensions = word[3];
  if (file->dimensions == 0) {
    return fail(error, MLP_CL_BAD_FILE, "%s: byte 3: 0 dimensions; at least 1 is wanted", file->path);
  }
  file->width = 1;
  for (unsigned i = 0; i < file->dimensions; i++) {
    TRY(read_header_bytes(file, word, error));
    size_t size = (size_t)word[0] << 24 | (size_t)word[1] << 16 | (size_t)word[2] << 8 | word[3];
    unsigned long long place = file->offset - 4;
    if (size == 0 || (i == 0 && size > DATASET_ROWS_MAX)) {
      return fail(error, MLP_CL_BAD_FILE, "%s: byte %llu: dimension %u is %zu; wanted 1 to %zu", file->path, place, i,
                  size, DATASET_ROWS_MAX);
    }
    if (i == 0) {
      file->rows = size;
    } else if (!size_multiply(file->width, size, &file->width)) {
      return fail(error, MLP_CL_BAD_FILE, "%s: byte %llu: the dimensions multiply to more than fits in memory",
                  file->path, place);
    }
  }
  return MLP_CL_OK;
}

/* Refuses a header that promises more than the file can hold: gzip packs at most 1032 : 1. *elements = rows · width. */
static mlp_cl_status check_promise(const idx_file *file, const struct stat *status, size_t *elements,
                                   mlp_cl_error *error) {
  size_t bytes, kept;
  if (!size_multiply(file->rows, file->width, elements) || !size_multiply(*elements, 8, &bytes)) {
    return fail(error, MLP_CL_BAD_FILE, "%s: byte 4: %zu rows × %zu elements are more than fits in memory", file->path,
                file->rows, file->width);
  }
  bytes = *elements * file->type->bytes;
  bool regular = S_ISREG(status->st_mode), plain = gzdirect(file->stream);
  if (regular) {
    uint64_t possible = (uint64_t)status->st_size;
    if (!plain) possible *= 1032;
    if (bytes > possible) {
      return fail(
          error, MLP_CL_BAD_FILE,
          "%s: byte 4: the header promises %zu rows × %zu %s = %zu bytes, but the file has only %llu%s; fetch it "
          "again",
          file->path, file->rows, file->width, file->type->name, bytes, (unsigned long long)status->st_size,
          plain ? "" : " compressed");
    }
  }
  /* What is there as it is may be larger than memory; what only unpacks to so much may not. */
  kept = *elements * dataset_element_bytes(file->type->element);
  if (!(regular && plain) && kept > memory_total_bytes()) return fail_memory(error, kept, file->path);
  return MLP_CL_OK;
}

static uint32_t load16(const unsigned char *b) {
  return (uint32_t)b[0] << 8 | b[1];
}

static uint32_t load32(const unsigned char *b) {
  return load16(b) << 16 | load16(b + 2);
}

static uint64_t load64(const unsigned char *b) {
  return (uint64_t)load32(b) << 32 | load32(b + 4);
}

static int32_t integer_at(const idx_type *type, const unsigned char *bytes) {
  switch (type->code) {
    case 0x08: return bytes[0];
    case 0x09: return (int8_t)bytes[0];
    case 0x0b: return (int16_t)load16(bytes);
    default: return (int32_t)load32(bytes);
  }
}

/* float64 is rounded to the nearest float32. */
static float float_at(const idx_type *type, const unsigned char *bytes) {
  if (type->code == 0x0c) return (float)(int32_t)load32(bytes);
  if (type->code == 0x0d) {
    uint32_t bits = load32(bytes);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  uint64_t bits = load64(bytes);
  double value;
  memcpy(&value, &bits, sizeof value);
  return (float)value;
}

/* Takes `count` elements of the file from `bytes` to `kept`, where `first` came before them. */
typedef mlp_cl_status convert(const idx_file *file, const unsigned char *bytes, size_t count, size_t first, void *kept,
                              mlp_cl_error *error);

static unsigned long long place_of(const idx_file *file, size_t index) {
  return 4ull + 4ull * file->dimensions + (unsigned long long)index * file->type->bytes;
}

static mlp_cl_status convert_features(const idx_file *file, const unsigned char *bytes, size_t count, size_t first,
                                      void *kept, mlp_cl_error *error) {
  if (file->type->bytes == 1) {
    memcpy((unsigned char *)kept + first, bytes, count);
    return MLP_CL_OK;
  }
  if (file->type->element == MLP_CL_INT16) {
    int16_t *values = (int16_t *)kept + first;
    for (size_t i = 0; i < count; i++) values[i] = (int16_t)load16(bytes + 2 * i);
    return MLP_CL_OK;
  }
  float *values = (float *)kept + first;
  for (size_t i = 0; i < count; i++) {
    values[i] = float_at(file->type, bytes + i * file->type->bytes);
    if (isfinite(values[i])) continue;
    return fail(error, MLP_CL_BAD_FILE,
                "%s: byte %llu: element %zu of row %zu is %g as float32; features must be finite", file->path,
                place_of(file, first + i), (first + i) % file->width, (first + i) / file->width, (double)values[i]);
  }
  return MLP_CL_OK;
}

static mlp_cl_status convert_labels(const idx_file *file, const unsigned char *bytes, size_t count, size_t first,
                                    void *kept, mlp_cl_error *error) {
  int32_t *values = (int32_t *)kept + first;
  for (size_t i = 0; i < count; i++) {
    values[i] = integer_at(file->type, bytes + i * file->type->bytes);
    if (values[i] >= 0 && (size_t)values[i] < DATASET_CLASSES_MAX) continue;
    return fail(error, MLP_CL_BAD_FILE, "%s: byte %llu: label %d of row %zu; labels must be in 0 … %zu", file->path,
                place_of(file, first + i), (int)values[i], first + i, DATASET_CLASSES_MAX - 1);
  }
  return MLP_CL_OK;
}

/* Grows *values, so that memory follows the bytes that really came. */
static mlp_cl_status reserve(void **values, size_t *reserved, size_t needed, size_t most, mlp_cl_error *error) {
  if (needed <= *reserved) return MLP_CL_OK;
  size_t wanted = size_min(most, size_max(needed, *reserved > most / 2 ? most : *reserved * 2));
  void *grown = bulk_resize(*values, wanted);
  if (grown == NULL) return bulk_fail(error, wanted, "a data set");
  *values = grown;
  *reserved = wanted;
  return MLP_CL_OK;
}

/* Reads all elements and insists that the file ends there, which also makes zlib compare the checksum. On failure the
 * caller frees *values, which is then partly filled. */
static mlp_cl_status read_values(idx_file *file, size_t elements, size_t kept_bytes, convert *to, void **values,
                                 mlp_cl_error *error) {
  unsigned char chunk[1 << 15]; /* a multiple of every element's size */
  size_t reserved = 0, element_bytes = file->type->bytes, got;
  for (size_t first = 0; first < elements;) {
    size_t count = size_min(elements - first, sizeof chunk / element_bytes);
    TRY(reserve(values, &reserved, (first + count) * kept_bytes, elements * kept_bytes, error));
    TRY(read_some(file, chunk, count * element_bytes, &got, error));
    if (got < count * element_bytes) {
      return fail(error, MLP_CL_BAD_FILE,
                  "%s: ends at byte %llu; its header promises %llu (%zu rows × %zu %s); fetch it again", file->path,
                  (unsigned long long)file->offset, place_of(file, elements), file->rows, file->width,
                  file->type->name);
    }
    TRY(to(file, chunk, count, first, *values, error));
    first += count;
  }
  TRY(read_some(file, chunk, 1, &got, error));
  if (got == 0) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE,
              "%s: byte %llu: goes on after the %zu rows × %zu %s that its header promises; fetch it again", file->path,
              (unsigned long long)file->offset - 1, file->rows, file->width, file->type->name);
}

/* Opens, reads the header and finds the header's promise possible; *elements = rows · width. */
static mlp_cl_status idx_open(const char *path, idx_file *file, size_t *elements, mlp_cl_error *error) {
  *file = (idx_file){.path = path};
  struct stat status;
  if (stat(path, &status) != 0) return fail(error, MLP_CL_IO, "%s: cannot open: %s", path, strerror(errno));
  if (S_ISDIR(status.st_mode)) return fail(error, MLP_CL_IO, "%s: is a folder; name an IDX file", path);
  errno = 0;
  file->stream = gzopen(path, "rbe");
  if (file->stream == NULL) {
    return fail(error, errno == 0 ? MLP_CL_NO_MEMORY : MLP_CL_IO, "%s: cannot open: %s", path,
                errno == 0 ? "no memory" : strerror(errno));
  }
  gzbuffer(file->stream, 1 << 17);
  mlp_cl_status read = read_header(file, error);
  if (read == MLP_CL_OK) read = check_promise(file, &status, elements, error);
  if (read != MLP_CL_OK) gzclose(file->stream);
  return read;
}

static mlp_cl_status read_features(const char *path, dataset_parts *parts, mlp_cl_error *error) {
  idx_file file;
  size_t elements;
  TRY(idx_open(path, &file, &elements, error));
  *parts = (dataset_parts){.rows = file.rows,
                           .width = file.width,
                           .element = file.type->element,
                           .scale = dataset_default_scale(file.type->element)};
  size_t kept_bytes = dataset_element_bytes(parts->element);
  mlp_cl_status status = read_values(&file, elements, kept_bytes, convert_features, &parts->features, error);
  gzclose(file.stream);
  return status;
}

static mlp_cl_status check_labels_header(const idx_file *file, const dataset_parts *parts, const char *features_path,
                                         mlp_cl_error *error) {
  if (file->dimensions != 1) {
    return fail(error, MLP_CL_BAD_FILE,
                "%s: byte 3: %u dimensions; labels have 1 (is this the file of the features, %s of the labels?)",
                file->path, file->dimensions, features_path);
  }
  if (file->type->code > 0x0c) {
    return fail(error, MLP_CL_BAD_FILE, "%s: byte 2: labels of type %s; integers are wanted", file->path,
                file->type->name);
  }
  if (file->rows != parts->rows) {
    return fail(error, MLP_CL_BAD_FILE, "%s: byte 4: %zu labels, but %s has %zu rows; the two must belong together",
                file->path, file->rows, features_path, parts->rows);
  }
  return MLP_CL_OK;
}

static mlp_cl_status read_labels(const char *path, const char *features_path, dataset_parts *parts,
                                 mlp_cl_error *error) {
  idx_file file;
  size_t elements;
  TRY(idx_open(path, &file, &elements, error));
  mlp_cl_status status = check_labels_header(&file, parts, features_path, error);
  void *labels = NULL;
  if (status == MLP_CL_OK) status = read_values(&file, elements, sizeof(int32_t), convert_labels, &labels, error);
  gzclose(file.stream);
  parts->labels = labels;
  if (status != MLP_CL_OK) return status;
  int32_t largest = 0;
  for (size_t row = 0; row < parts->rows; row++) {
    if (parts->labels[row] > largest) largest = parts->labels[row];
  }
  parts->classes = (size_t)largest + 1;
  return MLP_CL_OK;
}

mlp_cl_status idx_read(const char *features_path, const char *labels_path, dataset_parts *parts, mlp_cl_error *error) {
  *parts = (dataset_parts){0};
  mlp_cl_status status = read_features(features_path, parts, error);
  if (status == MLP_CL_OK && labels_path != NULL) status = read_labels(labels_path, features_path, parts, error);
  if (status != MLP_CL_OK) dataset_parts_free(parts);
  return status;
}
