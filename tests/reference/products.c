/* The three products, against the oracle and a second, recursive statement of the order of sums. */
#include <stdlib.h>

#include "exact_math.h"
#include "tools.h"

/* a(l), b(l): the factors of one element of a product, at distance `step` in memory. */
typedef struct factors {
  const float *a, *b;
  size_t a_step, b_step;
} factors;

static float chain(factors f, size_t first, size_t end) {
  float sum = 0;
  for (size_t l = first; l < end; l++) sum = fmaf(f.a[l * f.a_step], f.b[l * f.b_step], sum);
  return sum;
}

static float sum_over_features(factors f, size_t k) {
  float sum = 0;
  for (size_t first = 0; first < k; first += 256) sum += chain(f, first, first + 256 < k ? first + 256 : k);
  return sum;
}

/* Node `j` of level `i` covers the leaves [j·2^i, (j+1)·2^i); the caller makes sure that the first of them exists. */
static float tree_node(factors f, size_t k, size_t level, size_t j) {
  if (level == 0) return chain(f, j * 256, (j + 1) * 256 < k ? (j + 1) * 256 : k);
  size_t right_leaf = (2 * j + 1) << (level - 1);
  float left = tree_node(f, k, level - 1, 2 * j);
  return right_leaf * 256 < k ? left + tree_node(f, k, level - 1, 2 * j + 1) : left;
}

static float sum_over_batch(factors f, size_t k) {
  size_t level = 0;
  while ((size_t)256 << level < k) level++;
  return tree_node(f, k, level, 0);
}

static float by_definition(mlp_cl_product product, size_t m, size_t n, size_t k, size_t i, size_t j, const float *a,
                           const float *b) {
  float sum = 0;
  if (product == MLP_CL_A_B) sum = sum_over_features((factors){a + i * k, b + j, 1, n}, k);
  if (product == MLP_CL_A_BT) sum = sum_over_features((factors){a + i * k, b + j * k, 1, 1}, k);
  if (product == MLP_CL_AT_B) sum = sum_over_batch((factors){a + i, b + j, m, n}, k);
  return canonical(sum, product == MLP_CL_A_B ? FLOOR_VALUE : FLOOR_GRADIENT);
}

static void check_product(mlp_cl_product product, size_t m, size_t n, size_t k) {
  bool a_t = product == MLP_CL_AT_B, b_t = product == MLP_CL_A_BT;
  tensor_role result = product == MLP_CL_A_B ? TENSOR_ACTIVATION : TENSOR_GRADIENT;
  tensor *a = new_random(b_t ? TENSOR_GRADIENT : TENSOR_ACTIVATION, a_t ? k : m, a_t ? m : k, 1.0f);
  tensor *b = new_random(a_t ? TENSOR_GRADIENT : TENSOR_WEIGHT, b_t ? n : k, b_t ? k : n, 1.0f);
  tensor *c = new_float(result, m, n, NULL);
  ck_ok(device->op->matmul(device, product, a, b, c, &test_error));

  float *a_values = read_floats(a), *b_values = read_floats(b), *c_values = read_floats(c);
  float *wanted = test_floats(m * n);
  for (size_t i = 0; i < m * n; i++) wanted[i] = by_definition(product, m, n, k, i / n, i % n, a_values, b_values);
  ck_same_bits(c_values, wanted, m * n, "product, by definition");

  double *left = read_doubles(a), *right = read_doubles(b), *other = malloc((m + n) * k * sizeof(double));
  double *exact = malloc(m * n * sizeof *exact);
  if (a_t) oracle_transpose(k, m, left, other);
  if (b_t) oracle_transpose(n, k, right, other);
  oracle_multiply(m, n, k, a_t ? other : left, b_t ? other : right, exact);
  ck_close(c_values, exact, m * n, 0x1p-24 * (double)(256 + k / 256), "product, oracle");

  double *doubles[] = {left, right, other, exact};
  for (size_t i = 0; i < 4; i++) free(doubles[i]);
  float *floats[] = {a_values, b_values, c_values, wanted};
  for (size_t i = 0; i < 4; i++) free(floats[i]);
}

START_TEST(products) {
  static const size_t shapes[][3] = {{1, 1, 1},   {1, 1, 17},   {17, 1, 15},   {1, 16, 255}, {3, 17, 256},
                                     {2, 5, 257}, {5, 33, 512}, {17, 15, 513}, {3, 2, 769},  {2, 3, 1793}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    check_product((mlp_cl_product)_i, shapes[i][0], shapes[i][1], shapes[i][2]);
}
END_TEST

/* If another order gave the same bits, comparing bits would show nothing. */
START_TEST(order_matters) {
  enum { K = 1793 };
  float *a = test_floats(K), *b = test_floats(K), *reversed = test_floats(K);
  size_t features_differ = 0, batch_differs = 0;
  for (size_t trial = 0; trial < 32; trial++) {
    test_random_fill(&noise, a, K, 1.0f);
    test_random_fill(&noise, b, K, 1.0f);
    for (size_t l = 0; l < K; l++) reversed[l] = b[K - 1 - l];
    float *a_reversed = test_floats(K);
    for (size_t l = 0; l < K; l++) a_reversed[l] = a[K - 1 - l];
    factors straight = {a, b, 1, 1}, backwards = {a_reversed, reversed, 1, 1};
    features_differ += sum_over_features(straight, K) != sum_over_features(backwards, K);
    batch_differs += sum_over_batch(straight, K) != sum_over_features(straight, K);
    free(a_reversed);
  }
  ck_assert_uint_gt(features_differ, 16);
  ck_assert_uint_gt(batch_differs, 8);
  free(a);
  free(b);
  free(reversed);
}
END_TEST

void add_products(TCase *cases) {
  tcase_add_loop_test(cases, products, MLP_CL_A_B, MLP_CL_AT_B + 1);
  tcase_add_test(cases, order_matters);
}
