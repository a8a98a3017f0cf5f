/* The three matrix products of a dense layer, alone. */
#include "operations/operation.h"

/* Shapes and roles of one product's operands. */
typedef struct product_shape {
  size_t a_rows, a_cols, b_rows, b_cols;
  tensor_role a, b, c;
} product_shape;

static product_shape shape_of(mlp_cl_product product, size_t m, size_t n, size_t k) {
  switch (product) {
    case MLP_CL_A_BT: return (product_shape){m, k, n, k, TENSOR_GRADIENT, TENSOR_WEIGHT, TENSOR_GRADIENT};
    case MLP_CL_AT_B: return (product_shape){k, m, k, n, TENSOR_ACTIVATION, TENSOR_GRADIENT, TENSOR_GRADIENT};
    case MLP_CL_A_B: break;
  }
  return (product_shape){m, k, k, n, TENSOR_ACTIVATION, TENSOR_WEIGHT, TENSOR_ACTIVATION};
}

mlp_cl_status mlp_cl_matmul(mlp_cl_context *context, mlp_cl_product product, size_t m, size_t n, size_t k,
                            const float *a, const float *b, float *c, mlp_cl_error *error) {
  CHECK_ARRAYS("matmul", error, context, a, b, c);
  if (product != MLP_CL_A_B && product != MLP_CL_A_BT && product != MLP_CL_AT_B)
    return fail(error, MLP_CL_BAD_ARGUMENT, "matmul: there is no product %d", (int)product);
  TRY(operation_check_size("matmul", m, k, error));
  TRY(operation_check_size("matmul", k, n, error));
  TRY(operation_check_size("matmul", m, n, error));
  product_shape shape = shape_of(product, m, n, k);
  tensor_set set;
  tensor_set_begin(&set, context->backend, error);
  const tensor *left = operation_tensor(&set, shape.a, shape.a_rows, shape.a_cols, a);
  const tensor *right = operation_tensor(&set, shape.b, shape.b_rows, shape.b_cols, b);
  tensor *result = operation_tensor(&set, shape.c, m, n, NULL);
  DO(&set, matmul, product, left, right, result);
  tensor_set_read(&set, result, c);
  return tensor_set_end(&set);
}
