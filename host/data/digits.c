/* The built-in data set: 1797 handwritten digits of 8×8 pixels, 0 … 16 ("Optical Recognition of Handwritten Digits",
 * E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998, CC BY 4.0; the test part, as scikit-learn ships it).
 * A line of the file is 64 pixels and the digit. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bulk.h"
#include "base/embedded.h"
#include "data/dataset.h"

enum { PIXELS = 64, PIXEL_MAX = 16, CLASSES = 10, HOLD_OUT_EVERY = 5, ROWS_MAX = 4096 };

static mlp_cl_status fail_damaged(mlp_cl_error *error, size_t line) {
  return fail(error, MLP_CL_BAD_FILE, "the built-in digits are damaged at line %zu: build mlp_cl anew", line);
}

/* Inflates the embedded file. The result is freed by the caller. */
static mlp_cl_status inflate_digits(char **text, size_t *length, mlp_cl_error *error) {
  enum { LIMIT = ROWS_MAX * PIXELS * 3 };
  char *buffer = malloc(LIMIT);
  if (buffer == NULL) return fail_memory(error, LIMIT, "the built-in digits");
  const embedded_file *file = &embedded_digits[0];
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)file->bytes,
                     .avail_in = (uInt)file->count,
                     .next_out = (Bytef *)buffer,
                     .avail_out = LIMIT};
  int gzip_only = 16 + MAX_WBITS;
  bool whole = file->name != NULL && inflateInit2(&stream, gzip_only) == Z_OK;
  if (whole) {
    whole = inflate(&stream, Z_FINISH) == Z_STREAM_END;
    inflateEnd(&stream);
  }
  if (!whole) {
    free(buffer);
    return fail_damaged(error, 0);
  }
  *text = buffer;
  *length = stream.total_out;
  return MLP_CL_OK;
}

/* Reads "n," or "n\n" with n in 0 … limit; false when it is anything else. */
static bool read_number(const char **next, const char *end, char separator, unsigned limit, unsigned *number) {
  unsigned value = 0, digits = 0;
  for (; *next < end && **next >= '0' && **next <= '9' && digits < 3; (*next)++, digits++) {
    value = value * 10 + (unsigned)(**next - '0');
  }
  if (digits == 0 || value > limit || *next == end || **next != separator) return false;
  (*next)++;
  *number = value;
  return true;
}

static mlp_cl_status parse_digits(const char *text, size_t length, uint8_t *pixels, int32_t *labels, size_t *rows,
                                  mlp_cl_error *error) {
  const char *next = text, *end = text + length;
  size_t row = 0;
  for (; next < end; row++) {
    if (row == ROWS_MAX) return fail_damaged(error, row + 1);
    for (size_t i = 0; i < PIXELS; i++) {
      unsigned pixel;
      if (!read_number(&next, end, ',', PIXEL_MAX, &pixel)) return fail_damaged(error, row + 1);
      pixels[row * PIXELS + i] = (uint8_t)pixel;
    }
    unsigned label;
    if (!read_number(&next, end, '\n', CLASSES - 1, &label)) return fail_damaged(error, row + 1);
    labels[row] = (int32_t)label;
  }
  if (row == 0) return fail_damaged(error, 1);
  *rows = row;
  return MLP_CL_OK;
}

/* The file is ordered by writer, so its tail would test on strangers only. Held out instead: of each digit, counted in
 * file order, the 5th, 10th, 15th, … */
static mlp_cl_status hold_out(const mlp_cl_dataset *all, mlp_cl_dataset **train, mlp_cl_dataset **test,
                              mlp_cl_error *error) {
  unsigned char marks[ROWS_MAX];
  size_t seen[CLASSES] = {0};
  for (size_t row = 0; row < all->rows; row++) marks[row] = ++seen[all->labels[row]] % HOLD_OUT_EVERY == 0;
  return dataset_divide(all, marks, train, test, error);
}

mlp_cl_status digits_open(mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error) {
  char *text = NULL;
  size_t length = 0;
  TRY(inflate_digits(&text, &length, error));
  dataset_parts parts = {.width = PIXELS,
                         .element = MLP_CL_UINT8,
                         .features = bulk_allocate(ROWS_MAX * PIXELS),
                         .scale = 1.0f / PIXEL_MAX,
                         .labels = bulk_allocate(ROWS_MAX * sizeof(int32_t)),
                         .classes = CLASSES};
  mlp_cl_status status = MLP_CL_OK;
  if (parts.features == NULL || parts.labels == NULL) status = bulk_fail(error, ROWS_MAX * 68, "the built-in digits");
  if (status == MLP_CL_OK) status = parse_digits(text, length, parts.features, parts.labels, &parts.rows, error);
  free(text);
  if (status != MLP_CL_OK) {
    dataset_parts_free(&parts);
    return status;
  }
  mlp_cl_dataset *all;
  TRY(dataset_adopt(&parts, &all, error));
  status = hold_out(all, train, test, error);
  mlp_cl_dataset_destroy(all);
  return status;
}
