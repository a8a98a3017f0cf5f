/* Sums over the rows of a batch: leaves of them, each in ascending order, and a tree over the leaves. */
#include "base/size.h"
#include "reference/operations.h"
#include "reference/rows.h"

size_t batch_stack_rows(size_t k) {
  size_t rows = 2;
  for (size_t leaves = size_divide_up(k, BATCH_LEAF); leaves > 1; leaves /= 2) rows++;
  return rows;
}

/* The sum over rows [first, end): of a(l,i) · b(l), or of b(l) when a is NULL. */
static HOT void leaf_sum(size_t i, size_t m, size_t n, size_t first, size_t end, const float *a, const float *b,
                         float *sum) {
  zero(n, sum);
  for (size_t l = first; l < end; l++) {
    if (a != NULL)
      multiply_add(n, a[l * m + i], b + l * n, sum);
    else
      add(n, b + l * n, sum);
  }
}

/* The tree without storing it: `stack` holds the sums of complete subtrees, largest first. Leaf number t completes as
 * many of them as t has ones at its end. */
void batch_sum(size_t i, size_t m, size_t n, size_t k, const float *a, const float *b, float *stack) {
  size_t height = 0;
  for (size_t leaf = 0; leaf * BATCH_LEAF < k; leaf++) {
    leaf_sum(i, m, n, leaf * BATCH_LEAF, size_min((leaf + 1) * BATCH_LEAF, k), a, b, stack + height * n);
    height++;
    for (size_t t = leaf; t % 2 == 1; t /= 2, height--) add(n, stack + (height - 1) * n, stack + (height - 2) * n);
  }
  for (; height > 1; height--) add(n, stack + (height - 1) * n, stack + (height - 2) * n);
}
