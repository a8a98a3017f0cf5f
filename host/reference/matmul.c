/* The three products. */
#include <assert.h>
#include <stdlib.h>

#include "reference/operations.h"
#include "reference/rows.h"

static HOT void canonical_each(size_t count, float floor, const float *x, float *y) {
  make_canonical(count, floor, x, y);
}

void canonical_row(size_t count, float floor, const float *x, float *y) {
  canonical_each(count, floor, x, y);
}

static void end_row(const void *user, size_t row, size_t first, size_t cols, float *sums) {
  (void)row, (void)first;
  canonical_row(cols, floor_of(user), sums, sums);
}

/* Elements of b: as of panels_fill. */
static mlp_cl_status feature_matmul(size_t m, size_t n, size_t k, const tensor *a, const tensor *b, size_t row_step,
                                    size_t col_step, tensor *c, mlp_cl_error *error) {
  float *panels = panels_create(k, n, error);
  if (panels == NULL) return MLP_CL_NO_MEMORY;
  panels_fill(k, n, floats_of(b), row_step, col_step, panels);
  feature_product_run(
      NULL,
      &(feature_product){
          .m = m, .n = n, .k = k, .a = floats_of(a), .panels = panels, .c = floats_of(c), .end = end_row, .user = c});
  free(panels);
  return MLP_CL_OK;
}

static mlp_cl_status batch_matmul(size_t m, size_t n, size_t k, const tensor *a, const tensor *b, tensor *c,
                                  mlp_cl_error *error) {
  size_t stack_bytes = batch_stack_rows(k) * n * sizeof(float);
  float *stack = malloc(stack_bytes);
  if (stack == NULL) return fail_memory(error, stack_bytes, "the sums of a product");
  for (size_t i = 0; i < m; i++) {
    batch_sum(i, m, n, k, floats_of(a), floats_of(b), stack);
    canonical_row(n, floor_of(c), stack, floats_of(c) + i * n);
  }
  free(stack);
  return MLP_CL_OK;
}

mlp_cl_status reference_matmul(mlp_cl_product product, const tensor *a, const tensor *b, tensor *c,
                               mlp_cl_error *error) {
  size_t m = c->rows, n = c->cols;
  size_t k = product == MLP_CL_AT_B ? a->rows : a->cols;
  switch (product) {
    case MLP_CL_A_B:
      assert(a->rows == m && b->rows == k && b->cols == n);
      return feature_matmul(m, n, k, a, b, n, 1, c, error);
    case MLP_CL_A_BT:
      assert(a->rows == m && b->rows == n && b->cols == k);
      return feature_matmul(m, n, k, a, b, 1, k, c, error);
    case MLP_CL_AT_B:
      assert(a->cols == m && b->rows == k && b->cols == n);
      return batch_matmul(m, n, k, a, b, c, error);
  }
  return fail(error, MLP_CL_BAD_ARGUMENT, "there is no product number %d", (int)product);
}
