/* What has broken bits elsewhere, one directed test each, on the device: flushing switched on in the host process,
 * zeros with a sign, NaN, ties, conversions of integers. docs/numerics.md lists the traps and where each is tested. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static mlp_cl_context *device, *reference;

static void open_all(void) {
  if (device != NULL) return;
  reference = test_open_reference();
  device = test_open_device();
}

/* Subnormals count as 0, and are 0, in this thread and those that it starts. */
static void flush_subnormals(void) {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

/* ---- The host's floating-point environment ---------------------------------------------------------------------- */

/* Two epochs of a network whose data, weights and gradients are small enough to meet the floors. */
static void train(mlp_cl_context *context, char hex[65]) {
  enum { ROWS = 40, WIDTH = 20, CLASSES = 4 };
  static const size_t widths[] = {WIDTH, 18, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  float features[ROWS * WIDTH];
  int32_t labels[ROWS];
  test_random r = {.state = 11};
  test_random_fill(&r, features, ROWS * WIDTH, 1.0f);
  for (size_t i = 0; i < ROWS * WIDTH; i += 3) features[i] *= 0x1p-28f;
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(test_random_bits(&r) % CLASSES);
  recipe.epochs = 2;
  recipe.batch = 16;
  recipe.dropout = 0.25f;
  recipe.weight_decay = 0x1p-20f;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  ck_ok(
      mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 0x1p-3f, labels, CLASSES, &data, &test_error));
  ck_ok(mlp_cl_network_create(context, &shape, 3, &network, &test_error));
  ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}

/* The first test: the driver's threads are started by a thread that flushes, and do so themselves. */
START_TEST(a_host_that_flushes_subnormals) {
  char hostile[2][65], calm[2][65];
  fenv_t saved;
  fegetenv(&saved);
  flush_subnormals();
  open_all();
  train(device, hostile[0]);
  train(reference, hostile[1]);
  fesetenv(&saved);
  train(device, calm[0]);
  train(reference, calm[1]);
  ck_assert_str_eq(hostile[1], calm[1]);
  ck_assert_str_eq(hostile[0], calm[1]);
  ck_assert_str_eq(calm[0], calm[1]);
}
END_TEST

/* ---- Single operations ------------------------------------------------------------------------------------------ */

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static void ck_zeros(const float *values, size_t count, const char *what) {
  for (size_t i = 0; i < count; i++)
    ck_assert_msg(bits_of(values[i]) == 0, "%s: element %zu is %08x, not +0", what, i, bits_of(values[i]));
}

START_TEST(zeros_have_no_sign) {
  open_all();
  enum { N = 33 };
  float negative[N], ones[N], opposite[N], y[N];
  for (size_t i = 0; i < N; i++) {
    negative[i] = i % 2 == 0 ? -0.0f : -0x1p-60f;
    ones[i] = 1.0f;
    opposite[i] = -1.0f;
  }
  ck_ok(mlp_cl_matmul(device, MLP_CL_A_B, 1, N, 1, opposite, (float[N]){0}, y, &test_error)); /* 0 · (-1) + 0 */
  ck_zeros(y, N, "a product");
  ck_ok(mlp_cl_matmul(device, MLP_CL_A_BT, N, 1, 1, negative, opposite, y, &test_error));
  ck_zeros(y, N, "an input gradient");
  ck_ok(mlp_cl_bias(device, 1, N, ones, opposite, y, &test_error));
  ck_zeros(y, N, "a sum with its opposite");
  ck_ok(mlp_cl_bias(device, 1, N, negative, negative, y, &test_error));
  ck_zeros(y, N, "a sum of negative zeros");
  ck_ok(mlp_cl_relu(device, 1, N, negative, y, &test_error));
  ck_zeros(y, N, "relu");
  ck_ok(mlp_cl_relu_backward(device, 1, N, ones, negative, y, &test_error));
  ck_zeros(y, N, "relu backward");
  const mlp_cl_mask mask = {.rate = 0.5f};
  ck_ok(mlp_cl_dropout(device, 1, N, &mask, negative, y, &test_error));
  ck_zeros(y, N, "dropout");
  ck_ok(mlp_cl_gather(device, negative, MLP_CL_FLOAT32, 1, N, 1.0f, NULL, 1, y, &test_error));
  ck_zeros(y, N, "gather");
  const mlp_cl_recipe recipe = {.learning_rate = 1.0f};
  memcpy(y, ones, sizeof y);
  ck_ok(mlp_cl_sgd(device, 1, N, &recipe, ones, y, NULL, &test_error));
  ck_zeros(y, N, "an updated weight");
}
END_TEST

/* A NaN spoils what it is part of, and nothing beside it. */
START_TEST(nan_stays_where_it_belongs) {
  open_all();
  enum { ROWS = 5, N = 19, ROW = 3, COL = 17 };
  float x[ROWS * N], w[N * N], got[ROWS * N], wanted[ROWS * N];
  test_random r = {.state = 7};
  test_random_fill(&r, x, ROWS * N, 1.0f);
  test_random_fill(&r, w, N * N, 1.0f);
  x[ROW * N + COL] = NAN;
  ck_ok(mlp_cl_matmul(device, MLP_CL_A_B, ROWS, N, N, x, w, got, &test_error));
  x[ROW * N + COL] = 0;
  ck_ok(mlp_cl_matmul(reference, MLP_CL_A_B, ROWS, N, N, x, w, wanted, &test_error));
  for (size_t i = 0; i < ROWS * N; i++) {
    if (i / N == ROW)
      ck_assert_msg(isnan(got[i]), "element %zu of the row with the NaN is %g", i % N, (double)got[i]);
    else
      ck_assert_uint_eq(bits_of(got[i]), bits_of(wanted[i]));
  }
  x[ROW * N + COL] = NAN;
  ck_ok(mlp_cl_relu(device, ROWS, N, x, got, &test_error));
  for (size_t i = 0; i < ROWS * N; i++) ck_assert_int_eq(isnan(got[i]), i == ROW * N + COL);
  const int32_t labels[ROWS] = {0};
  int32_t predictions[ROWS];
  float losses[ROWS];
  ck_ok(mlp_cl_cross_entropy(device, ROWS, N, x, labels, MLP_CL_SUM, losses, predictions, got, &test_error));
  for (size_t i = 0; i < ROWS * N; i++) ck_assert_int_eq(isnan(got[i]), i / N == ROW);
  for (size_t i = 0; i < ROWS; i++) ck_assert_int_eq(isnan(losses[i]), i == ROW);
  ck_assert_int_eq(predictions[ROW], 0);
}
END_TEST

START_TEST(nan_is_refused_in_data_and_weights) {
  open_all();
  const size_t widths[] = {2, 2};
  const mlp_cl_shape shape = {.widths_count = 2, .widths = widths};
  float values[] = {1, 2, NAN, 4};
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  ck_fails(mlp_cl_dataset_from_arrays(values, MLP_CL_FLOAT32, 2, 2, 1.0f, NULL, 0, &data, &test_error),
           MLP_CL_BAD_ARGUMENT, "row 1");
  ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
  ck_fails(mlp_cl_network_set(network, 0, values, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "weight 2 of layer 0");
  mlp_cl_network_destroy(network);
}
END_TEST

/* Rows of zeros, whose terms kernels may leave out, and a gradient that overflows: 0 · infinity is NaN, with and
 * without a bias that would tell. */
START_TEST(zeros_do_not_hide_infinity) {
  open_all();
  enum { ROWS = 8, IN = 20, HIDDEN = 80, CLASSES = 3 };
  const size_t widths[] = {IN, HIDDEN, CLASSES};
  static const float features[ROWS * IN];
  static const int32_t labels[ROWS];
  float first[IN * HIDDEN], second[HIDDEN * CLASSES], bias[HIDDEN] = {0};
  test_random r = {.state = 8};
  test_random_fill(&r, first, IN * HIDDEN, 1.0f);
  for (size_t i = 0; i < HIDDEN * CLASSES; i++) second[i] = i % CLASSES == 0 ? -FLT_MAX : FLT_MAX;
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, IN, 1.0f, labels, CLASSES, &data, &test_error));
  for (int with_bias = 0; with_bias < 2; with_bias++) {
    mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = with_bias, .activation = MLP_CL_TANH};
    mlp_cl_network *network = NULL;
    ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
    ck_ok(mlp_cl_network_set(network, 0, first, with_bias ? bias : NULL, &test_error));
    ck_ok(mlp_cl_network_set(network, 1, second, with_bias ? bias : NULL, &test_error));
    mlp_cl_recipe recipe = mlp_cl_recipe_default();
    recipe.epochs = 1;
    recipe.batch = ROWS;
    recipe.reduction = MLP_CL_SUM;
    ck_fails(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_DIVERGED, "at step 1 of");
    mlp_cl_network_destroy(network);
  }
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* A hidden layer that overflows, above it one whose units are all off: its gradient is 0, and 0 · infinity NaN, though
 * the loss is finite. */
START_TEST(gradients_of_zeros_do_not_hide_infinity) {
  open_all();
  enum { ROWS = 8, IN = 2, FIRST = 128, SECOND = 80, CLASSES = 3 };
  const size_t widths[] = {IN, FIRST, SECOND, CLASSES};
  float features[ROWS * IN], first[IN * FIRST], second[FIRST * SECOND], third[SECOND * CLASSES] = {0};
  static const int32_t labels[ROWS];
  for (size_t i = 0; i < ROWS * IN; i++) features[i] = 1.0f;
  for (size_t i = 0; i < IN * FIRST; i++) first[i] = FLT_MAX;
  for (size_t i = 0; i < FIRST * SECOND; i++) second[i] = -1.0f;
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, IN, 1.0f, labels, CLASSES, &data, &test_error));
  for (int clipped = 0; clipped < 2; clipped++) {
    mlp_cl_shape shape = {.widths_count = 4, .widths = widths};
    mlp_cl_network *network = NULL;
    ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
    ck_ok(mlp_cl_network_set(network, 0, first, NULL, &test_error));
    ck_ok(mlp_cl_network_set(network, 1, second, NULL, &test_error));
    ck_ok(mlp_cl_network_set(network, 2, third, NULL, &test_error));
    mlp_cl_recipe recipe = mlp_cl_recipe_default();
    recipe.epochs = 1;
    recipe.batch = ROWS;
    recipe.clip_norm = clipped ? 1.0f : 0.0f;
    ck_fails(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_DIVERGED, "at step 1 of");
    mlp_cl_network_destroy(network);
  }
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* Lanes, vectors and work-items of a row must agree on the first of the largest. */
START_TEST(ties_take_the_first) {
  open_all();
  enum { N = 70, PAIRS = 10 };
  static const size_t pairs[PAIRS][2] = {{0, 1},   {0, 16},  {1, 16},  {15, 16}, {15, 31},
                                         {16, 17}, {17, 33}, {31, 32}, {5, 69},  {64, 69}};
  float logits[(PAIRS + 2) * N], losses[PAIRS + 2];
  int32_t labels[PAIRS + 2] = {0}, predictions[PAIRS + 2];
  for (size_t i = 0; i < PAIRS * N; i++) logits[i] = -(float)(i % 7);
  for (size_t i = 0; i < PAIRS; i++) logits[i * N + pairs[i][0]] = logits[i * N + pairs[i][1]] = 1.0f;
  for (size_t i = PAIRS * N; i < (PAIRS + 1) * N; i++) logits[i] = 0.5f;
  for (size_t i = (PAIRS + 1) * N; i < (PAIRS + 2) * N; i++) logits[i] = i % 2 == 0 ? -0.0f : 0.0f;
  ck_ok(
      mlp_cl_cross_entropy(device, PAIRS + 2, N, logits, labels, MLP_CL_MEAN, losses, predictions, NULL, &test_error));
  for (size_t i = 0; i < PAIRS; i++)
    ck_assert_msg(predictions[i] == (int32_t)pairs[i][0], "of %zu and %zu, %d was taken", pairs[i][0], pairs[i][1],
                  (int)predictions[i]);
  ck_assert_int_eq(predictions[PAIRS], 0);
  ck_assert_int_eq(predictions[PAIRS + 1], 0);
}
END_TEST

/* Each integer that an element can hold, times a scale that is no power of two. */
static void check_integers(const void *integers, mlp_cl_element element, int32_t least, size_t count, float scale) {
  float *y = test_floats(count);
  ck_ok(mlp_cl_gather(device, integers, element, 1, count, scale, NULL, 1, y, &test_error));
  for (size_t i = 0; i < count; i++) {
    float wanted = (float)(least + (int32_t)i) * scale;
    ck_assert_msg(bits_of(y[i]) == bits_of(wanted) || (wanted == 0 && bits_of(y[i]) == 0), "%d · %a is %a, not %a",
                  (int)(least + (int32_t)i), (double)scale, (double)y[i], (double)wanted);
  }
  free(y);
}

START_TEST(integers_become_floats) {
  open_all();
  static int16_t shorts[65536];
  uint8_t bytes[256];
  int8_t chars[256];
  for (int i = 0; i < 65536; i++) shorts[i] = (int16_t)(i - 32768);
  for (int i = 0; i < 256; i++) {
    bytes[i] = (uint8_t)i;
    chars[i] = (int8_t)(i - 128);
  }
  check_integers(shorts, MLP_CL_INT16, -32768, 65536, 1.0f / 32767);
  check_integers(bytes, MLP_CL_UINT8, 0, 256, 1.0f / 255);
  check_integers(chars, MLP_CL_INT8, -128, 256, 1.0f / 127);
}
END_TEST

/* The control: were sums of these values the same in any order, the tests above could not find an order out. */
START_TEST(reversed_sums_differ) {
  open_all();
  enum { K = 700, N = 8 };
  static float a[K], b[K * N], reversed_a[K], reversed_b[K * N];
  static const mlp_cl_product products[] = {MLP_CL_A_B, MLP_CL_AT_B};
  test_random r = {.state = 9};
  test_random_fill(&r, a, K, 1.0f);
  test_random_fill(&r, b, K * N, 1.0f);
  for (size_t i = 0; i < K; i++) {
    reversed_a[i] = a[K - 1 - i];
    memcpy(&reversed_b[i * N], &b[(K - 1 - i) * N], N * sizeof *b);
  }
  for (size_t p = 0; p < 2; p++) {
    float straight[N], reversed[N], wanted[N];
    size_t different = 0;
    ck_ok(mlp_cl_matmul(device, products[p], 1, N, K, a, b, straight, &test_error));
    ck_ok(mlp_cl_matmul(device, products[p], 1, N, K, reversed_a, reversed_b, reversed, &test_error));
    ck_ok(mlp_cl_matmul(reference, products[p], 1, N, K, reversed_a, reversed_b, wanted, &test_error));
    ck_same_bits(reversed, wanted, N, "reversed sums");
    for (size_t i = 0; i < N; i++) different += bits_of(straight[i]) != bits_of(reversed[i]);
    ck_assert_uint_gt(different, N / 2);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("traps");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 240);
  tcase_add_test(tests, a_host_that_flushes_subnormals);
  tcase_add_test(tests, zeros_have_no_sign);
  tcase_add_test(tests, nan_stays_where_it_belongs);
  tcase_add_test(tests, nan_is_refused_in_data_and_weights);
  tcase_add_test(tests, zeros_do_not_hide_infinity);
  tcase_add_test(tests, gradients_of_zeros_do_not_hide_infinity);
  tcase_add_test(tests, ties_take_the_first);
  tcase_add_test(tests, integers_become_floats);
  tcase_add_test(tests, reversed_sums_differ);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
  return result;
}
