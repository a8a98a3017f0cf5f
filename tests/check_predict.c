/* Predictions of a network: alone and in company, on the host and on the device, after each change of the parameters.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "context/context.h"
#include "twins.h"

/* What is usual on the device; in these tests all rows are predicted there, but where it is said. */
static double usual_pass_s;

static void open_devices(void) {
  twins_open();
  if (usual_pass_s == 0) usual_pass_s = device->pass_s;
  device->pass_s = 0;
}

static void predict_where_it_is_fast(mlp_cl_network *network, const float *features, size_t rows, float *outputs) {
  device->pass_s = usual_pass_s;
  ck_ok(mlp_cl_network_predict(network, features, rows, outputs, &test_error));
  device->pass_s = 0;
}

START_TEST(predictions_do_not_depend_on_company) {
  size_t rows = twin_rows();
  float *features = test_floats(rows * 17), *whole = test_floats(rows * 5), *parts = test_floats(rows * 5);
  int32_t *labels = calloc(rows, sizeof *labels);
  mlp_cl_dataset *data = twin_data(rows, features, labels);
  mlp_cl_network *network = twin_make(device, 3, twin_widths, true, MLP_CL_INIT_HE, 5);
  mlp_cl_network *twin = twin_make(reference, 3, twin_widths, true, MLP_CL_INIT_HE, 5);
  for (size_t first = 0, step = 1; first < rows; first += step, step = 2 * step + 1) {
    if (step > rows - first) step = rows - first;
    predict_where_it_is_fast(network, features + first * 17, step, parts + first * 5);
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
  mlp_cl_network *network = twin_make(device, 3, wide, true, MLP_CL_INIT_HE, 7);
  mlp_cl_network *twin = twin_make(reference, 3, wide, true, MLP_CL_INIT_HE, 7);
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
  enum { ROWS = 80, FEW = 11 };
  static const size_t large[] = {300, 200, 5};
  float *features = test_floats(ROWS * 300), *many = test_floats(ROWS * 5), *few = test_floats(ROWS * 5);
  int32_t labels[ROWS];
  test_random r = {.state = 12};
  test_random_fill(&r, features, ROWS * 300, 1.0f);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % 5);
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, 300, 1.0f, labels, 5, &data, &test_error));
  mlp_cl_network *network = twin_make(device, 3, large, true, MLP_CL_INIT_PYTORCH, 6);
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = 1;
  const float bias[5] = {0, 1, 0, 0, 0};
  float last[FEW * 5] = {0};
  for (int change = 0; change < 3; change++) {
    if (change == 1) ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
    if (change == 2) ck_ok(mlp_cl_network_set(network, 1, NULL, bias, &test_error));
    test_canary_fill(many, ROWS * 5);
    test_canary_fill(few, ROWS * 5);
    predict_where_it_is_fast(network, features, FEW, few);
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
  mlp_cl_network *network = twin_make(device, 3, large, true, MLP_CL_INIT_PYTORCH, 8);
  ck_ok(mlp_cl_network_predict(network, features, ROWS, whole, &test_error));
  for (int round = 0; round < (test_small() ? 1 : 10); round++)
    for (size_t i = 0; i < ROWS; i++) {
      float row[OUTPUTS];
      test_canary_fill(row, OUTPUTS);
      predict_where_it_is_fast(network, features + i * INPUTS, 1, row);
      ck_same_bits(row, whole + i * OUTPUTS, OUTPUTS, "a row");
      if (i % 32 == 0) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
  mlp_cl_network_destroy(network);
  free(features);
  free(whole);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("predict");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_devices, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, predictions_do_not_depend_on_company);
  tcase_add_test(tests, passes_end_where_rows_do);
  tcase_add_test(tests, many_passes_at_once);
  tcase_add_test(tests, few_rows_follow_every_change);
  tcase_add_test(tests, single_rows_in_a_row);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  twins_close();
  return result;
}
