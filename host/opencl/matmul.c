/* matmul: the three products alone. The fast variants are the fused products of dense.c with nothing to fuse. */
#include "opencl/internal.h"

static mlp_cl_status plain(opencl_backend *self, const char *kernel, size_t depth, size_t rows, const tensor *a,
                           const tensor *b, tensor *c, mlp_cl_error *error) {
  launch l;
  TRY(launch_check_sum(self, depth, error));
  TRY(launch_begin(&l, self, kernel, error));
  launch_int(&l, rows);
  launch_int(&l, c->cols);
  launch_int(&l, depth);
  launch_tensor(&l, a);
  launch_tensor(&l, b);
  launch_tensor(&l, c);
  if (c->role == TENSOR_GRADIENT) opencl_of(c)->transposed_valid = false;
  return launch_shares(&l, rows * c->cols, error);
}

mlp_cl_status opencl_matmul_rows(opencl_backend *self, mlp_cl_product product, size_t rows, const tensor *a,
                                 const tensor *b, tensor *c, mlp_cl_error *error) {
  switch (product) {
    case MLP_CL_A_B: return plain(self, "matmul_a_b", a->cols, rows, a, b, c, error);
    case MLP_CL_A_BT: return plain(self, "matmul_a_bt", a->cols, rows, a, b, c, error);
    case MLP_CL_AT_B: return plain(self, "matmul_at_b", rows, c->rows, a, b, c, error);
  }
  return fail(error, MLP_CL_BAD_ARGUMENT, "there is no product %d", (int)product);
}

mlp_cl_status opencl_matmul(backend *base, mlp_cl_product product, const tensor *a, const tensor *b, tensor *c,
                            mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  if (self->tuning.variant == VARIANT_PLAIN) return opencl_matmul_rows(self, product, a->rows, a, b, c, error);
  switch (product) {
    case MLP_CL_A_B:
      return opencl_dense_forward(base, &(dense_forward){.rows = a->rows, .x = a, .weight = b, .y = c}, error);
    case MLP_CL_A_BT:
      return opencl_dense_backward_input(
          base, &(dense_backward_input){.rows = a->rows, .d_y = a, .weight = b, .scale = 1.0f, .d_x = c}, error);
    case MLP_CL_AT_B:
      return opencl_dense_backward_weight(
          base, &(dense_backward_weight){.rows = a->rows, .x = a, .d_y = b, .d_weight = c}, 1, error);
  }
  return fail(error, MLP_CL_BAD_ARGUMENT, "there is no product %d", (int)product);
}
