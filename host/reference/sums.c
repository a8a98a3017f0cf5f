/* The two orders in which everything is summed. The loops run over whole rows of the result, so that the compiler can
 * work on several columns at once; the order within each element is as the contract says. */
#include <stdlib.h>

#include "base/size.h"
#include "reference/operations.h"

#define STRIP ((size_t)512) /* columns of a block of sums, which lies on the stack */

/* A helper takes part in products of so many multiplications, in quarters: whole vectors of columns each. */
#define SHARED_PRODUCTS 65536.0
enum { SHARED_PIECES = 4, VECTOR = 16 };

/* acc[j] = x · b[j] + acc[j], rounded once. */
static inline void multiply_add(size_t n, float x, const float *restrict b, float *restrict acc) {
  for (size_t j = 0; j < n; j++) acc[j] = fmaf(x, b[j], acc[j]);
}

enum { TERMS = 8 };

/* The same for eight x and rows of b in a row: acc stays in a register meanwhile. */
static inline void multiply_add_terms(size_t n, size_t stride, const float *x, const float *restrict b,
                                      float *restrict acc) {
  for (size_t j = 0; j < n; j++) {
    float sum = acc[j];
    for (size_t t = 0; t < TERMS; t++) sum = fmaf(x[t], b[t * stride + j], sum);
    acc[j] = sum;
  }
}

/* The same for terms l[0 … 7]. */
static inline void multiply_add_listed(size_t n, size_t stride, const float *x, const size_t *l,
                                       const float *restrict b, float *restrict acc) {
  for (size_t j = 0; j < n; j++) {
    float sum = acc[j];
    for (size_t t = 0; t < TERMS; t++) sum = fmaf(x[l[t]], b[l[t] * stride + j], sum);
    acc[j] = sum;
  }
}

/* Which of x[first … end) are not 0. */
static inline size_t list_terms(size_t first, size_t end, const float *x, size_t *listed) {
  size_t count = 0;
  for (size_t l = first; l < end; l++) {
    listed[count] = l;
    count += x[l] != 0.0f;
  }
  return count;
}

static inline void add(size_t n, const float *restrict b, float *restrict acc) {
  for (size_t j = 0; j < n; j++) acc[j] += b[j];
}

static inline void zero(size_t n, float *acc) {
  for (size_t j = 0; j < n; j++) acc[j] = 0;
}

/* n columns of one row of c; the rows of b are `stride` long. A term of 0 leaves a sum as it is, if b is finite, as
 * skip_zeros tells: no sum is -0, since floors keep products from underflowing. */
static HOT void feature_sum(size_t n, size_t stride, size_t k, bool skip_zeros, const float *a, const float *b,
                            float *c) {
  float block[STRIP];
  size_t listed[FEATURE_BLOCK];
  zero(n, c);
  for (size_t first = 0; first < k; first += FEATURE_BLOCK) {
    size_t end = size_min(first + FEATURE_BLOCK, k);
    zero(n, block);
    size_t l = first, i = 0, count = skip_zeros ? list_terms(first, end, a, listed) : end - first;
    if (count < end - first - (end - first) / 8) {
      for (; i + TERMS <= count; i += TERMS) multiply_add_listed(n, stride, a, listed + i, b, block);
      for (; i < count; i++) multiply_add(n, a[listed[i]], b + listed[i] * stride, block);
      l = end;
    }
    for (; l + TERMS <= end; l += TERMS) multiply_add_terms(n, stride, a + l, b + l * stride, block);
    for (; l < end; l++) multiply_add(n, a[l], b + l * stride, block);
    add(n, block, c);
  }
}

typedef struct product {
  size_t m, n, k, strip;
  bool skip_zeros;
  const float *a, *b;
  float *c;
} product;

static void product_strip(void *user, size_t i) {
  const product *p = user;
  size_t first = i * p->strip, columns = size_min(p->strip, p->n - first);
  for (size_t row = 0; row < p->m; row++)
    feature_sum(columns, p->n, p->k, p->skip_zeros, p->a + row * p->k, p->b + first, p->c + row * p->n + first);
}

void feature_product(helper *help, size_t m, size_t n, size_t k, bool skip_zeros, const float *a, const float *b,
                     float *c) {
  product p = {m, n, k, STRIP, skip_zeros, a, b, c};
  if ((double)m * (double)n * (double)k < SHARED_PRODUCTS) help = NULL;
  if (help != NULL) p.strip = size_min(STRIP, size_round_up(size_divide_up(n, SHARED_PIECES), VECTOR));
  helper_share(help, size_divide_up(n, p.strip), product_strip, &p);
}

float *transpose(size_t n, size_t k, const float *b, mlp_cl_error *error) {
  size_t bytes = n * k * sizeof(float);
  float *transposed = malloc(bytes);
  if (transposed == NULL) {
    fail_memory(error, bytes, "a transposed matrix");
    return NULL;
  }
  for (size_t i = 0; i < n; i++)
    for (size_t l = 0; l < k; l++) transposed[l * n + i] = b[i * k + l];
  return transposed;
}

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

void canonical_row(size_t count, float floor, const float *x, float *y) {
  for (size_t j = 0; j < count; j++) y[j] = canonical(x[j], floor);
}
