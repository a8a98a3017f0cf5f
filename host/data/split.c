/* Splits a data set by lot. Which rows are held out is a function of labels (rows with targets are one class), fraction
 * and seed: of a class with n rows, min(n - 1, floor(fraction · n + 1/2)) are drawn without replacement by the first
 * steps of a Fisher-Yates shuffle of its row numbers, in file order. Draw i of class c picks j = i + floor(r · (n - i)
 * / 2^64), where r is words 0 (low) and 1 (high) of Philox at counter (i, c, 0, split) under the seed. */
#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "philox.h"

/* floor(r · n / 2^64), r uniform below 2^64. With n < 2^31 no value is likelier than another by more than 2^-33. */
static size_t draw_below(size_t n, uint32_t draw, uint32_t class_index, uint64_t seed) {
  uint32_t words[4] = {draw, class_index, 0, PHILOX_STREAM(PHILOX_SPLIT, 0)};
  philox4x32_10(words, (uint32_t)seed, (uint32_t)(seed >> 32));
  uint64_t low = (uint64_t)words[0] * n >> 32;
  return (size_t)(((uint64_t)words[1] * n + low) >> 32);
}

/* One rounding, in the fma, so that every compiler holds out the same number. */
static size_t held_out_count(double fraction, size_t n) {
  size_t count = (size_t)fma(fraction, (double)n, 0.5);
  return n > 0 && count > n - 1 ? n - 1 : count;
}

/* Marks some of the class's rows; rows (n) is overwritten. */
static size_t draw_class(uint32_t *rows, size_t n, double fraction, uint32_t class_index, uint64_t seed,
                         unsigned char *held_out) {
  size_t count = held_out_count(fraction, n);
  for (size_t i = 0; i < count; i++) {
    size_t j = i + draw_below(n - i, (uint32_t)i, class_index, seed);
    uint32_t drawn = rows[j];
    rows[j] = rows[i];
    held_out[drawn] = 1;
  }
  return count;
}

static size_t class_of(const mlp_cl_dataset *dataset, size_t row) {
  return dataset->labels != NULL ? (size_t)dataset->labels[row] : 0;
}

/* starts (classes + 1): where each class begins in `rows`, which gets the row numbers sorted by class, in file order.
 */
static void sort_by_class(const mlp_cl_dataset *dataset, size_t classes, size_t *starts, uint32_t *rows) {
  for (size_t row = 0; row < dataset->rows; row++) starts[class_of(dataset, row) + 1]++;
  for (size_t c = 0; c < classes; c++) starts[c + 1] += starts[c];
  for (size_t row = 0; row < dataset->rows; row++) rows[starts[class_of(dataset, row)]++] = (uint32_t)row;
  for (size_t c = classes; c > 0; c--) starts[c] = starts[c - 1];
  starts[0] = 0;
}

mlp_cl_status mlp_cl_dataset_split(const mlp_cl_dataset *dataset, double fraction, uint64_t seed, mlp_cl_dataset **kept,
                                   mlp_cl_dataset **held_out, mlp_cl_error *error) {
  *kept = *held_out = NULL;
  if (!(fraction > 0.0 && fraction < 1.0)) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "held-out fraction %g: it must be between 0 and 1", fraction);
  }
  if (dataset->labels == NULL && dataset->targets == NULL) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "the data set has no labels and no targets, so there is nothing to hold a part out for");
  }
  size_t classes = dataset->labels != NULL ? dataset->classes : 1;
  size_t *starts = calloc(classes + 1, sizeof *starts);
  uint32_t *rows = malloc(dataset->rows * sizeof *rows);
  unsigned char *marks = calloc(dataset->rows, 1);
  mlp_cl_status status;
  if (starts == NULL || rows == NULL || marks == NULL) {
    status = fail_memory(error, classes * sizeof *starts + dataset->rows * 5, "a split");
    goto cleanup;
  }
  sort_by_class(dataset, classes, starts, rows);
  size_t count = 0;
  for (size_t c = 0; c < classes; c++) {
    count += draw_class(rows + starts[c], starts[c + 1] - starts[c], fraction, (uint32_t)c, seed, marks);
  }
  if (count == 0) {
    status = fail(error, MLP_CL_BAD_ARGUMENT,
                  "held-out fraction %g of %zu rows in %zu classes leaves no row to hold out; take a larger one",
                  fraction, dataset->rows, classes);
    goto cleanup;
  }
  status = dataset_divide(dataset, marks, kept, held_out, error);

cleanup:
  free(starts);
  free(rows);
  free(marks);
  return status;
}
