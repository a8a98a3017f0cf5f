/* Networks: initial parameters, their way to and from the host, receipts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "philox.h"
#include "twins.h"

START_TEST(knows_its_shape) {
  mlp_cl_network *network = twin_make(device, 3, twin_widths, true, MLP_CL_INIT_HE, 1);
  ck_assert_uint_eq(mlp_cl_network_layers(network), 2);
  for (size_t i = 0; i < 3; i++) ck_assert_uint_eq(mlp_cl_network_width(network, i), twin_widths[i]);
  ck_assert(mlp_cl_network_has_bias(network));
  ck_assert_uint_eq(mlp_cl_network_parameters(network), 17 * 33 + 33 + 33 * 5 + 5);
  mlp_cl_network_destroy(network);
  mlp_cl_network_destroy(NULL);
}
END_TEST

START_TEST(initial_weights_follow_the_rule) {
  mlp_cl_network *network = twin_make(device, 3, twin_widths, true, MLP_CL_INIT_PYTORCH, 0x123456789abcdefu);
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
  mlp_cl_network *network = twin_make(device, 2, wide, true, MLP_CL_INIT_HE, 3);
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
  mlp_cl_network *networks[] = {twin_make(device, 3, twin_widths, true, MLP_CL_INIT_PYTORCH, 7),
                                twin_make(device, 3, twin_widths, true, MLP_CL_INIT_PYTORCH, 7),
                                twin_make(reference, 3, twin_widths, true, MLP_CL_INIT_PYTORCH, 7),
                                twin_make(device, 3, twin_widths, true, MLP_CL_INIT_PYTORCH, 8)};
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
  mlp_cl_network *network = twin_make(device, 2, small, true, MLP_CL_INIT_ZERO, 0);
  ck_ok(mlp_cl_network_set(network, 0, weight, bias, &test_error));
  char hex[65];
  hash(network, hex);
  ck_assert_str_eq(hex, "8857963c33817917e2ab4f1766e4f0015a25cf76e6d9f729e764a51e2e270160");
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(parameters_round_trip_canonically) {
  mlp_cl_network *network = twin_make(device, 3, twin_widths, true, MLP_CL_INIT_ZERO, 0);
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
  const mlp_cl_shape shapes[] = {{.widths_count = 1, .widths = twin_widths},
                                 {.widths_count = 3, .widths = zero},
                                 {.widths_count = 2, .widths = huge},
                                 {.widths_count = 2, .widths = NULL}};
  mlp_cl_network *network = NULL;
  for (size_t i = 0; i < 4; i++)
    ck_fails(mlp_cl_network_create(device, &shapes[i], 1, &network, &test_error), MLP_CL_BAD_SHAPE, "give");
  ck_assert_ptr_null(network);
  network = twin_make(device, 3, twin_widths, false, MLP_CL_INIT_HE, 1);
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

int main(void) {
  Suite *suite = suite_create("network");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, twins_open, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, knows_its_shape);
  tcase_add_test(tests, initial_weights_follow_the_rule);
  tcase_add_test(tests, initial_weights_spread_as_they_should);
  tcase_add_test(tests, receipts_depend_on_seed_and_nothing_else);
  tcase_add_test(tests, receipt_of_known_weights);
  tcase_add_test(tests, parameters_round_trip_canonically);
  tcase_add_test(tests, refuses_bad_arguments);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  twins_close();
  return result;
}
