/* Networks: initial parameters, their way to and from the host, receipts, predictions and evaluations. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "context/context.h"
#include "network/evaluate.h"
#include "philox.h"
#include "test.h"

static mlp_cl_context *device, *reference;

/* Once in a process, since kernels take seconds to build; in the test itself, for the sake of Check's forks. */
static void open_both(void) {
  if (device != NULL) return;
  device = test_open_device();
  reference = test_open_reference();
}

static void close_both(void) {
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
}

static mlp_cl_network *make(mlp_cl_context *context, size_t count, const size_t *widths, bool bias, mlp_cl_init init,
                            uint64_t seed) {
  const mlp_cl_shape shape = {.widths_count = count, .widths = widths, .bias = bias, .init = init};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(context, &shape, seed, &network, &test_error));
  return network;
}

static const size_t widths[] = {17, 33, 5};

START_TEST(knows_its_shape) {
  mlp_cl_network *network = make(device, 3, widths, true, MLP_CL_INIT_HE, 1);
  ck_assert_uint_eq(mlp_cl_network_layers(network), 2);
  for (size_t i = 0; i < 3; i++) ck_assert_uint_eq(mlp_cl_network_width(network, i), widths[i]);
  ck_assert(mlp_cl_network_has_bias(network));
  ck_assert_uint_eq(mlp_cl_network_parameters(network), 17 * 33 + 33 + 33 * 5 + 5);
  mlp_cl_network_destroy(network);
  mlp_cl_network_destroy(NULL);
}
END_TEST

START_TEST(initial_weights_follow_the_rule) {
  mlp_cl_network *network = make(device, 3, widths, true, MLP_CL_INIT_PYTORCH, 0x123456789abcdefu);
  float weight[33 * 5], bias[5];
  test_canary_fill(weight, 33 * 5);
  test_canary_fill(bias, 5);
  ck_ok(mlp_cl_network_get(network, 1, weight, bias, &test_error));
  for (size_t purpose = PHILOX_INITIAL_WEIGHTS; purpose <= PHILOX_INITIAL_BIASES; purpose++)
    for (size_t i = 0; i < (purpose == PHILOX_INITIAL_WEIGHTS ? 33 * 5 : 5); i++) {
      uint32_t words[4] = {(uint32_t)i / 4, 0, 0, PHILOX_STREAM((uint32_t)purpose, 1u)};
      philox4x32_10(words, 0x89abcdefu, 0x1234567u);
      double u = (2.0 * (words[i % 4] >> 8) + 1.0) * 0x1p-24 - 1.0;
      float got = purpose == PHILOX_INITIAL_WEIGHTS ? weight[i] : bias[i];
      ck_assert_double_eq_tol((double)got, u / sqrt(33.0), 1e-7);
    }
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(initial_weights_spread_as_they_should) {
  const size_t wide[] = {64, 300};
  static float weight[64 * 300], bias[300];
  mlp_cl_network *network = make(device, 2, wide, true, MLP_CL_INIT_HE, 3);
  ck_ok(mlp_cl_network_get(network, 0, weight, bias, &test_error));
  double bound = sqrt(6.0 / 64), sum = 0, squares = 0;
  for (size_t i = 0; i < 64 * 300; i++) {
    ck_assert(fabs((double)weight[i]) < bound);
    sum += (double)weight[i];
    squares += (double)weight[i] * (double)weight[i];
  }
  double variance = bound * bound / 3, n = 64 * 300;
  ck_assert_double_eq_tol(sum / n, 0, 4 * sqrt(variance / n));
  ck_assert_double_eq_tol(squares / n / variance, 1, 4 * sqrt(0.8 / n));
  for (size_t i = 0; i < 300; i++) ck_assert_float_eq(bias[i], 0.0f);
  mlp_cl_network_destroy(network);
}
END_TEST

static void hash(mlp_cl_network *network, char hex[65]) {
  memset(hex, 'x', 65);
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  ck_assert_uint_eq(strlen(hex), 64);
}

START_TEST(receipts_depend_on_seed_and_nothing_else) {
  char same[3][65], other[65];
  mlp_cl_network *networks[] = {
      make(device, 3, widths, true, MLP_CL_INIT_PYTORCH, 7), make(device, 3, widths, true, MLP_CL_INIT_PYTORCH, 7),
      make(reference, 3, widths, true, MLP_CL_INIT_PYTORCH, 7), make(device, 3, widths, true, MLP_CL_INIT_PYTORCH, 8)};
  for (size_t i = 0; i < 3; i++) hash(networks[i], same[i]);
  hash(networks[3], other);
  ck_assert_str_eq(same[0], same[1]);
  ck_assert_str_eq(same[0], same[2]);
  ck_assert_str_ne(same[0], other);
  for (size_t i = 0; i < 4; i++) mlp_cl_network_destroy(networks[i]);
}
END_TEST

START_TEST(receipt_of_known_weights) {
  /* sha256 of 1, 2, 3, 4, 0.5, -0.5 as little-endian float32 */
  const size_t small[] = {2, 2};
  const float weight[] = {1, 2, 3, 4}, bias[] = {0.5f, -0.5f};
  mlp_cl_network *network = make(device, 2, small, true, MLP_CL_INIT_ZERO, 0);
  ck_ok(mlp_cl_network_set(network, 0, weight, bias, &test_error));
  char hex[65];
  hash(network, hex);
  ck_assert_str_eq(hex, "8857963c33817917e2ab4f1766e4f0015a25cf76e6d9f729e764a51e2e270160");
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(parameters_round_trip_canonically) {
  mlp_cl_network *network = make(device, 3, widths, true, MLP_CL_INIT_ZERO, 0);
  float weight[17 * 33], bias[33], got_weight[17 * 33], got_bias[33];
  test_random r = {.state = 9};
  test_random_fill(&r, weight, 17 * 33, 1.0f);
  test_random_fill(&r, bias, 33, 1.0f);
  weight[0] = -0.0f;
  weight[1] = 0x1p-31f;
  weight[2] = -0x1p-140f;
  weight[3] = 0x1p-30f;
  weight[4] = 0x1.fffffep127f;
  ck_ok(mlp_cl_network_set(network, 0, weight, bias, &test_error));
  test_canary_fill(got_weight, 17 * 33);
  test_canary_fill(got_bias, 33);
  ck_ok(mlp_cl_network_get(network, 0, got_weight, got_bias, &test_error));
  for (size_t i = 0; i < 17 * 33; i++)
    if (fabsf(weight[i]) < 0x1p-30f) weight[i] = 0.0f;
  for (size_t i = 0; i < 33; i++)
    if (fabsf(bias[i]) < 0x1p-30f) bias[i] = 0.0f;
  ck_same_bits(got_weight, weight, 17 * 33, "weight");
  ck_same_bits(got_bias, bias, 33, "bias");
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(refuses_bad_arguments) {
  const size_t zero[] = {3, 0, 2}, huge[] = {3, (size_t)1 << 25};
  const mlp_cl_shape shapes[] = {{.widths_count = 1, .widths = widths},
                                 {.widths_count = 3, .widths = zero},
                                 {.widths_count = 2, .widths = huge},
                                 {.widths_count = 2, .widths = NULL}};
  mlp_cl_network *network = NULL;
  for (size_t i = 0; i < 4; i++)
    ck_fails(mlp_cl_network_create(device, &shapes[i], 1, &network, &test_error), MLP_CL_BAD_SHAPE, "give");
  ck_assert_ptr_null(network);
  network = make(device, 3, widths, false, MLP_CL_INIT_HE, 1);
  float values[17 * 33] = {0};
  ck_fails(mlp_cl_network_get(network, 2, values, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no layer 2");
  ck_fails(mlp_cl_network_get(network, 0, NULL, values, &test_error), MLP_CL_BAD_ARGUMENT, "no biases");
  values[40] = INFINITY;
  char before[65], after[65];
  hash(network, before);
  ck_fails(mlp_cl_network_set(network, 0, values, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "weight 40 of layer 0");
  hash(network, after);
  ck_assert_str_eq(before, after);
  values[40] = NAN;
  float out[5];
  ck_fails(mlp_cl_network_predict(network, values, 3, out, &test_error), MLP_CL_BAD_ARGUMENT, "feature 6 of row 2");
  ck_fails(mlp_cl_network_predict(network, values, 0, out, &test_error), MLP_CL_BAD_ARGUMENT, "at least one row");
  mlp_cl_network_destroy(network);
}
END_TEST

/* More rows than one chunk takes, except on slow devices. */
static size_t many_rows(void) {
  return test_small() ? 70 : 2500;
}

static mlp_cl_dataset *make_data(size_t rows, float *features, int32_t *labels) {
  test_random r = {.state = 11};
  test_random_fill(&r, features, rows * 17, 1.0f);
  for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)(test_random_bits(&r) % 5);
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, rows, 17, 1.0f, labels, 5, &data, &test_error));
  return data;
}

START_TEST(predictions_do_not_depend_on_company) {
  size_t rows = many_rows();
  float *features = test_floats(rows * 17), *whole = test_floats(rows * 5), *parts = test_floats(rows * 5);
  int32_t *labels = calloc(rows, sizeof *labels);
  mlp_cl_dataset *data = make_data(rows, features, labels);
  mlp_cl_network *network = make(device, 3, widths, true, MLP_CL_INIT_HE, 5);
  mlp_cl_network *twin = make(reference, 3, widths, true, MLP_CL_INIT_HE, 5);
  for (size_t first = 0, step = 1; first < rows; first += step, step = 2 * step + 1) {
    if (step > rows - first) step = rows - first;
    ck_ok(mlp_cl_network_predict(network, features + first * 17, step, parts + first * 5, &test_error));
  }
  ck_ok(mlp_cl_network_predict(network, features, rows, whole, &test_error));
  ck_same_bits(parts, whole, rows * 5, "in parts");
  test_canary_fill(parts, rows * 5);
  ck_ok(mlp_cl_network_predict_dataset(network, data, 0, rows, parts, &test_error));
  ck_same_bits(parts, whole, rows * 5, "of the data set");
  test_canary_fill(parts, 3 * 5);
  ck_ok(mlp_cl_network_predict_dataset(network, data, rows - 3, 3, parts, &test_error));
  ck_same_bits(parts, whole + (rows - 3) * 5, 3 * 5, "of its last rows");
  test_canary_fill(parts, rows * 5);
  ck_ok(mlp_cl_network_predict(twin, features, rows, parts, &test_error));
  ck_same_bits(whole, parts, rows * 5, "on the reference");
  for (size_t i = 0; i < rows; i++) {
    double sum = 0;
    for (size_t j = 0; j < 5; j++) sum += (double)whole[i * 5 + j];
    ck_assert_double_eq_tol(sum, 1.0, 1e-6);
  }
  ck_fails(mlp_cl_network_predict_dataset(network, data, rows, 1, parts, &test_error), MLP_CL_BAD_ARGUMENT, "rows");
  mlp_cl_network_destroy(network);
  mlp_cl_network_destroy(twin);
  mlp_cl_dataset_destroy(data);
  free(features);
  free(whole);
  free(parts);
  free(labels);
}
END_TEST

/* As many rows as a pass takes, and one more: bytes that may be read in place, at odd addresses. */
START_TEST(passes_end_where_rows_do) {
  enum { ROWS = 1025, WIDTH = 37 };
  static const size_t wide[] = {WIDTH, 100, 5}, counts[] = {256, 257, 512, 513, 1024, ROWS};
  static uint8_t features[ROWS * WIDTH];
  static int32_t labels[ROWS];
  static float whole[ROWS * 5], part[ROWS * 5];
  test_random r = {.state = 13};
  for (size_t i = 0; i < ROWS * WIDTH; i++) features[i] = (uint8_t)test_random_bits(&r);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(test_random_bits(&r) % 5);
  mlp_cl_network *network = make(device, 3, wide, true, MLP_CL_INIT_HE, 7);
  mlp_cl_network *twin = make(reference, 3, wide, true, MLP_CL_INIT_HE, 7);
  mlp_cl_dataset *all = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_UINT8, ROWS, WIDTH, 0x1p-8f, labels, 5, &all, &test_error));
  ck_ok(mlp_cl_network_predict_dataset(twin, all, 0, ROWS, whole, &test_error));
  for (size_t i = 0; i < (test_small() ? 2 : sizeof counts / sizeof *counts); i++) {
    size_t rows = counts[i], first = ROWS - rows;
    test_canary_fill(part, ROWS * 5);
    ck_ok(mlp_cl_network_predict_dataset(network, all, first, rows, part, &test_error));
    ck_same_bits(part, whole + first * 5, rows * 5, "the last rows");
    mlp_cl_dataset *last = NULL;
    mlp_cl_evaluation got = {0}, wanted = {0};
    ck_ok(mlp_cl_dataset_from_arrays(features + first * WIDTH, MLP_CL_UINT8, rows, WIDTH, 0x1p-8f, labels + first, 5,
                                     &last, &test_error));
    ck_ok(mlp_cl_network_evaluate(network, last, &got, NULL, &test_error));
    ck_ok(mlp_cl_network_evaluate(twin, last, &wanted, NULL, &test_error));
    ck_assert_double_eq(got.loss, wanted.loss);
    ck_assert_double_eq(got.accuracy, wanted.accuracy);
    mlp_cl_dataset_destroy(last);
  }
  mlp_cl_dataset_destroy(all);
  mlp_cl_network_destroy(network);
  mlp_cl_network_destroy(twin);
}
END_TEST

/* More passes than there are places for answers, of a GPU's passes, too; and a bad row while others are under way. */
START_TEST(many_passes_at_once) {
  enum { ROWS = 9 * 1024 + 7, WIDTH = 3, OUTPUTS = 2, BAD = 8 * 1024 + 5 };
  static const size_t narrow[] = {WIDTH, 4, OUTPUTS};
  static const mlp_cl_task tasks[] = {MLP_CL_CLASSIFICATION, MLP_CL_REGRESSION, MLP_CL_MULTI_LABEL};
  size_t rows = test_small() ? 70 : ROWS;
  float *features = test_floats(ROWS * WIDTH), *got = test_floats(ROWS * OUTPUTS),
        *wanted = test_floats(ROWS * OUTPUTS);
  test_random r = {.state = 15};
  test_random_fill(&r, features, ROWS * WIDTH, 1.0f);
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
    const mlp_cl_shape shape = {.widths_count = 3, .widths = narrow, .bias = true, .task = tasks[i]};
    mlp_cl_network *network = NULL, *twin = NULL;
    ck_ok(mlp_cl_network_create(device, &shape, 9, &network, &test_error));
    ck_ok(mlp_cl_network_create(reference, &shape, 9, &twin, &test_error));
    test_canary_fill(got, rows * OUTPUTS);
    ck_ok(mlp_cl_network_predict(network, features, rows, got, &test_error));
    ck_ok(mlp_cl_network_predict(twin, features, rows, wanted, &test_error));
    ck_same_bits(got, wanted, rows * OUTPUTS, "all rows");
    if (rows > BAD) {
      float good = features[BAD * WIDTH + 1];
      features[BAD * WIDTH + 1] = NAN;
      ck_fails(mlp_cl_network_predict(network, features, rows, got, &test_error), MLP_CL_BAD_ARGUMENT,
               "feature 1 of row 8197 is nan");
      features[BAD * WIDTH + 1] = good;
    }
    test_canary_fill(got, rows * OUTPUTS);
    ck_ok(mlp_cl_network_predict(network, features, rows, got, &test_error));
    ck_same_bits(got, wanted, rows * OUTPUTS, "once more");
    mlp_cl_network_destroy(network);
    mlp_cl_network_destroy(twin);
  }
  free(features);
  free(got);
  free(wanted);
}
END_TEST

/* A few rows are computed on the host, from a copy of the parameters that must follow each change of them. */
START_TEST(few_rows_follow_every_change) {
  enum { ROWS = 80, FEW = 3 };
  static const size_t large[] = {300, 200, 5};
  float *features = test_floats(ROWS * 300), *many = test_floats(ROWS * 5), *few = test_floats(ROWS * 5);
  int32_t labels[ROWS];
  test_random r = {.state = 12};
  test_random_fill(&r, features, ROWS * 300, 1.0f);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % 5);
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, 300, 1.0f, labels, 5, &data, &test_error));
  mlp_cl_network *network = make(device, 3, large, true, MLP_CL_INIT_PYTORCH, 6);
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = 1;
  const float bias[5] = {0, 1, 0, 0, 0};
  float last[FEW * 5] = {0};
  for (int change = 0; change < 3; change++) {
    if (change == 1) ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
    if (change == 2) ck_ok(mlp_cl_network_set(network, 1, NULL, bias, &test_error));
    test_canary_fill(many, ROWS * 5);
    test_canary_fill(few, ROWS * 5);
    ck_ok(mlp_cl_network_predict(network, features, FEW, few, &test_error));
    ck_ok(mlp_cl_network_predict(network, features, ROWS, many, &test_error));
    ck_same_bits(few, many, FEW * 5, "a few rows");
    ck_assert(memcmp(last, few, sizeof last) != 0);
    memcpy(last, few, sizeof last);
  }
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  free(features);
  free(many);
  free(few);
}
END_TEST

/* In a row, so that a second thread takes part; with pauses, in which it falls asleep. */
START_TEST(single_rows_in_a_row) {
  enum { ROWS = 100, INPUTS = 300, OUTPUTS = 7 };
  static const size_t large[] = {INPUTS, 530, OUTPUTS};
  float *features = test_floats(ROWS * INPUTS), *whole = test_floats(ROWS * OUTPUTS);
  test_random r = {.state = 14};
  test_random_fill(&r, features, ROWS * INPUTS, 1.0f);
  mlp_cl_network *network = make(device, 3, large, true, MLP_CL_INIT_PYTORCH, 8);
  ck_ok(mlp_cl_network_predict(network, features, ROWS, whole, &test_error));
  for (int round = 0; round < (test_small() ? 1 : 10); round++)
    for (size_t i = 0; i < ROWS; i++) {
      float row[OUTPUTS];
      test_canary_fill(row, OUTPUTS);
      ck_ok(mlp_cl_network_predict(network, features + i * INPUTS, 1, row, &test_error));
      ck_same_bits(row, whole + i * OUTPUTS, OUTPUTS, "a row");
      if (i % 32 == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
  mlp_cl_network_destroy(network);
  free(features);
  free(whole);
}
END_TEST

START_TEST(evaluation_agrees_with_predictions) {
  size_t rows = many_rows();
  float *features = test_floats(rows * 17), *probabilities = test_floats(rows * 5);
  int32_t *labels = calloc(rows, sizeof *labels);
  mlp_cl_dataset *data = make_data(rows, features, labels);
  mlp_cl_network *network = make(device, 3, widths, true, MLP_CL_INIT_HE, 5);
  ck_ok(mlp_cl_network_predict(network, features, rows, probabilities, &test_error));
  uint64_t wanted[25] = {0}, confusion[25];
  memset(confusion, 0xee, sizeof confusion);
  double loss = 0;
  size_t right = 0;
  for (size_t i = 0; i < rows; i++) {
    size_t best = 0;
    for (size_t j = 1; j < 5; j++)
      if (probabilities[i * 5 + j] > probabilities[i * 5 + best]) best = j;
    wanted[(size_t)labels[i] * 5 + best]++;
    right += best == (size_t)labels[i];
    loss -= log((double)probabilities[i * 5 + (size_t)labels[i]]);
  }
  mlp_cl_evaluation got = {0};
  ck_ok(mlp_cl_network_evaluate(network, data, &got, confusion, &test_error));
  ck_assert_uint_eq(got.rows, rows);
  ck_assert_double_eq_tol(got.loss, loss / (double)rows, 1e-6);
  ck_assert_double_eq(got.accuracy, (double)right / (double)rows);
  ck_assert_mem_eq(confusion, wanted, sizeof wanted);
  evaluator resident;
  mlp_cl_evaluation again = {0};
  ck_ok(evaluator_begin(&resident, network, data, true, &test_error));
  ck_ok(evaluator_run(&resident, &again, NULL, NULL, NULL, &test_error));
  evaluator_end(&resident);
  ck_assert_mem_eq(&again.loss, &got.loss, sizeof got.loss);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  free(features);
  free(probabilities);
  free(labels);
}
END_TEST

static const backend_operations *right;

/* The last prediction is a class that there is not. */
static mlp_cl_status read_wrong_class(backend *self, const tensor *source, size_t first, size_t rows, void *target,
                                      mlp_cl_error *error) {
  mlp_cl_status status = right->tensor_read(self, source, first, rows, target, error);
  if (source->element == TENSOR_INT32) ((int32_t *)target)[rows * source->cols - 1] = 5;
  return status;
}

START_TEST(evaluation_trusts_no_class) {
  enum { ROWS = 3 };
  static const int32_t labels[ROWS] = {0, 4, 2};
  static const float features[ROWS * 17] = {1.0f};
  uint64_t confusion[25];
  mlp_cl_evaluation result;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = make(device, 3, widths, true, MLP_CL_INIT_HE, 1);
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, 17, 1.0f, labels, 5, &data, &test_error));
  right = device->backend->op;
  backend_operations wrong = *right;
  wrong.tensor_read = read_wrong_class;
  device->backend->op = &wrong;
  mlp_cl_status status = mlp_cl_network_evaluate(network, data, &result, confusion, &test_error);
  device->backend->op = right;
  ck_assert_int_eq(status, MLP_CL_OPENCL);
  ck_assert_msg(strstr(test_error.text, "gave row 2 class 5 of 5") != NULL, "%s", test_error.text);
  mlp_cl_dataset_destroy(data);
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(evaluation_refuses_data_that_does_not_fit) {
  const float features[4] = {1, 2, 3, 4};
  const int32_t labels[2] = {0, 2};
  mlp_cl_dataset *narrow = NULL, *classes = NULL, *bare = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 4, 1, 1, NULL, 0, &narrow, &test_error));
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 2, 2, 1, labels, 3, &classes, &test_error));
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 2, 2, 1, NULL, 0, &bare, &test_error));
  const size_t small[] = {2, 2};
  mlp_cl_network *network = make(device, 2, small, true, MLP_CL_INIT_HE, 1);
  mlp_cl_evaluation got;
  ck_fails(mlp_cl_network_evaluate(network, narrow, &got, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no labels");
  ck_fails(mlp_cl_network_evaluate(network, classes, &got, NULL, &test_error), MLP_CL_BAD_SHAPE, "3 classes");
  ck_fails(mlp_cl_network_evaluate(network, bare, &got, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no labels");
  float out[8];
  ck_fails(mlp_cl_network_predict_dataset(network, narrow, 0, 4, out, &test_error), MLP_CL_BAD_SHAPE, "1 features");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(narrow);
  mlp_cl_dataset_destroy(classes);
  mlp_cl_dataset_destroy(bare);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("network");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_both, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, knows_its_shape);
  tcase_add_test(tests, initial_weights_follow_the_rule);
  tcase_add_test(tests, initial_weights_spread_as_they_should);
  tcase_add_test(tests, receipts_depend_on_seed_and_nothing_else);
  tcase_add_test(tests, receipt_of_known_weights);
  tcase_add_test(tests, parameters_round_trip_canonically);
  tcase_add_test(tests, refuses_bad_arguments);
  tcase_add_test(tests, predictions_do_not_depend_on_company);
  tcase_add_test(tests, passes_end_where_rows_do);
  tcase_add_test(tests, many_passes_at_once);
  tcase_add_test(tests, few_rows_follow_every_change);
  tcase_add_test(tests, single_rows_in_a_row);
  tcase_add_test(tests, evaluation_agrees_with_predictions);
  tcase_add_test(tests, evaluation_trusts_no_class);
  tcase_add_test(tests, evaluation_refuses_data_that_does_not_fit);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  close_both();
  return result;
}
