/* The SHA-256 of rows, by which a resumed run knows its data again, and a model the parts of its training. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "base/size.h"
#include "data/dataset.h"

/* Adds `count` elements as little-endian bytes. */
static void add_elements(sha256 *state, const void *elements, size_t count, size_t element_bytes) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  const unsigned char *bytes = elements;
  for (size_t i = 0; i < count; i++)
    for (size_t b = element_bytes; b-- > 0;) sha256_add(state, bytes + i * element_bytes + b, 1);
#else
  sha256_add(state, elements, count * element_bytes);
#endif
}

/* Rows of `row_elements` each. */
static void add_rows(sha256 *state, const marked_rows *of, const void *elements, size_t row_elements,
                     size_t element_bytes) {
  size_t rows = of->dataset->rows, row_bytes = row_elements * element_bytes;
  if (of->marks == NULL) add_elements(state, elements, rows * row_elements, element_bytes);
  for (size_t row = 0; of->marks != NULL && row < rows; row++)
    if (is_marked(of, row)) add_elements(state, (const char *)elements + row * row_bytes, row_elements, element_bytes);
}

void rows_sha256(const marked_rows *of, char hex[65]) {
  const mlp_cl_dataset *dataset = of->dataset;
  char shape[160];
  uint32_t scale;
  memcpy(&scale, &dataset->scale, sizeof scale);
  int length = snprintf(shape, sizeof shape, "%zu %zu %d %08" PRIx32 " %zu %zu\n", marked_count(of), dataset->width,
                        (int)dataset->element, scale, dataset->classes, dataset->outputs);
  sha256 state;
  sha256_begin(&state);
  sha256_add(&state, shape, (size_t)length);
  add_rows(&state, of, dataset->features, dataset->width, dataset_element_bytes(dataset->element));
  if (dataset->labels != NULL) add_rows(&state, of, dataset->labels, 1, sizeof *dataset->labels);
  if (dataset->targets != NULL) add_rows(&state, of, dataset->targets, dataset->outputs, sizeof *dataset->targets);
  sha256_end(&state, hex);
}

void dataset_sha256(const mlp_cl_dataset *dataset, char hex[65]) {
  rows_sha256(&(marked_rows){.dataset = dataset}, hex);
}
