/* Splits rows by lot. Which rows are drawn is a function of labels (rows without are one class), fraction, seed and
 * part: of a class with n rows, min(n - 1, floor(fraction · n + 1/2)) are drawn without replacement by the first steps
 * of a Fisher-Yates shuffle of its row numbers, in file order. Draw i of class c picks j = i + floor(r · (n - i) /
 * 2^64), where r is words 0 (low) and 1 (high) of Philox at counter (i, c, part - 1, split) under the seed. */
#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "philox.h"

/* floor(r · n / 2^64), r uniform below 2^64. With n < 2^31 no value is likelier than another by more than 2^-33. */
static size_t draw_below(size_t n, uint32_t draw, uint32_t class_index, uint32_t part, uint64_t seed) {
  uint32_t words[4] = {draw, class_index, part - 1, PHILOX_STREAM(PHILOX_SPLIT, 0)};
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
static size_t draw_class(uint32_t *rows, size_t n, double fraction, uint32_t class_index, uint32_t part, uint64_t seed,
                         unsigned char *marks) {
  size_t count = held_out_count(fraction, n);
  for (size_t i = 0; i < count; i++) {
    size_t j = i + draw_below(n - i, (uint32_t)i, class_index, part, seed);
    uint32_t drawn = rows[j];
    rows[j] = rows[i];
    marks[drawn] = (unsigned char)part;
  }
  return count;
}

static size_t class_of(const int32_t *labels, size_t row) {
  return labels != NULL ? (size_t)labels[row] : 0;
}

/* starts (classes + 1): where each class begins in `sorted`, which gets the numbers of the rows that are not marked,
 * sorted by class, in file order. */
static void sort_by_class(const int32_t *labels, size_t rows, size_t classes, const unsigned char *marks,
                          size_t *starts, uint32_t *sorted) {
  for (size_t row = 0; row < rows; row++) starts[class_of(labels, row) + 1] += marks[row] == 0;
  for (size_t c = 0; c < classes; c++) starts[c + 1] += starts[c];
  for (size_t row = 0; row < rows; row++) {
    if (marks[row] == 0) sorted[starts[class_of(labels, row)]++] = (uint32_t)row;
  }
  for (size_t c = classes; c > 0; c--) starts[c] = starts[c - 1];
  starts[0] = 0;
}

mlp_cl_status split_mark(const int32_t *labels, size_t rows, size_t classes, double fraction, uint64_t seed,
                         unsigned char part, unsigned char *marks, mlp_cl_error *error) {
  if (!(fraction > 0.0 && fraction < 1.0)) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "a share of %g to hold out: it must be between 0 and 1", fraction);
  }
  if (labels == NULL) classes = 1;
  size_t *starts = calloc(classes + 1, sizeof *starts);
  uint32_t *sorted = malloc(rows * sizeof *sorted);
  if (starts == NULL || sorted == NULL) {
    free(starts);
    free(sorted);
    return fail_memory(error, classes * sizeof *starts + rows * sizeof *sorted, "a split");
  }
  sort_by_class(labels, rows, classes, marks, starts, sorted);
  size_t count = 0;
  for (size_t c = 0; c < classes; c++) {
    count += draw_class(sorted + starts[c], starts[c + 1] - starts[c], fraction, (uint32_t)c, part, seed, marks);
  }
  free(starts);
  free(sorted);
  if (count > 0) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT,
              "a share of %g of %zu rows in %zu classes holds no row out: a class keeps one at least; take a larger "
              "share, or more rows%s",
              fraction, rows, classes, classes > rows ? "; numbers instead of classes are learned by regression" : "");
}

mlp_cl_status split_parts(const int32_t *labels, size_t rows, size_t classes, const mlp_cl_split *split,
                          unsigned char *marks, mlp_cl_error *error) {
  if (split->holdout > 0.0)
    TRY(split_mark(labels, rows, classes, split->holdout, split->seed, MLP_CL_PART_TEST, marks, error));
  if (split->validation > 0.0)
    TRY(split_mark(labels, rows, classes, split->validation, split->seed, MLP_CL_PART_VALIDATION, marks, error));
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_dataset_split(const mlp_cl_dataset *dataset, double fraction, uint64_t seed, mlp_cl_dataset **kept,
                                   mlp_cl_dataset **held_out, mlp_cl_error *error) {
  *kept = *held_out = NULL;
  if (dataset->labels == NULL && dataset->targets == NULL) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "the data set has no labels and no targets, so there is nothing to hold a part out for");
  }
  unsigned char *marks = calloc(dataset->rows, 1);
  if (marks == NULL) return fail_memory(error, dataset->rows, "a split");
  mlp_cl_status status =
      split_mark(dataset->labels, dataset->rows, dataset->classes, fraction, seed, MLP_CL_PART_TEST, marks, error);
  if (status == MLP_CL_OK) status = dataset_divide(dataset, marks, kept, held_out, error);
  free(marks);
  return status;
}
