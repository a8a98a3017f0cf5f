/* The SHA-256 of a data set, by which a resumed run knows its data again. */
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

void dataset_sha256(const mlp_cl_dataset *dataset, char hex[65]) {
  char shape[160];
  uint32_t scale;
  memcpy(&scale, &dataset->scale, sizeof scale);
  int length = snprintf(shape, sizeof shape, "%zu %zu %d %08" PRIx32 " %zu %zu\n", dataset->rows, dataset->width,
                        (int)dataset->element, scale, dataset->classes, dataset->outputs);
  sha256 state;
  sha256_begin(&state);
  sha256_add(&state, shape, (size_t)length);
  add_elements(&state, dataset->features, dataset->rows * dataset->width, dataset_element_bytes(dataset->element));
  if (dataset->labels != NULL) add_elements(&state, dataset->labels, dataset->rows, sizeof *dataset->labels);
  if (dataset->targets != NULL)
    add_elements(&state, dataset->targets, dataset->rows * dataset->outputs, sizeof *dataset->targets);
  sha256_end(&state, hex);
}
