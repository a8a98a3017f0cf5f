/* The exercise's numbers. Its program is compiled in, so that what is tested is what people read and run. */
int exercise_main(int argc, char **argv);
#define main exercise_main
#include "../examples/exercise.c"
#undef main
#undef TRY
#include "test.h"

#define SEEDS 1000

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

START_TEST(forward_pass) {
  float got[SAMPLES][CLASSES];
  test_canary_fill(&got[0][0], SAMPLES * CLASSES);
  ck_ok(forward(device, got, &test_error));
  for (size_t i = 0; i < SAMPLES; i++)
    for (size_t j = 0; j < CLASSES; j++)
      ck_assert_double_eq_tol((double)got[i][j], (double)expected_forward[i][j], 1e-7);
}
END_TEST

START_TEST(gradient) {
  weights got;
  test_canary_fill((float *)&got, WEIGHTS);
  ck_ok(backward(device, &initial, NULL, &got, &test_error));
  for (size_t i = 0; i < INPUTS; i++)
    for (size_t j = 0; j < HIDDEN; j++)
      ck_assert_double_eq_tol((double)got.w1[i][j], (double)expected_gradient[i], 1e-6);
}
END_TEST

/* Each printed weight within three standard deviations of our mean; the row sums of W2 as they began, in every run. */
static void check_distribution(training *train, const weights *printed) {
  distribution d;
  ck_ok(distribute(reference, train, SEEDS, &d, &test_error));
  for (size_t i = 0; i < WEIGHTS; i++) {
    double wanted = (double)((const float *)printed)[i];
    ck_assert_msg(d.deviation[i] > 1e-4 && d.deviation[i] < 0.1, "deviation of weight %zu is %g", i, d.deviation[i]);
    ck_assert_msg(fabs(wanted - d.mean[i]) <= 3 * d.deviation[i],
                  "weight %zu: %.8f was printed, our mean is %.8f ± %.8f", i, wanted, d.mean[i], d.deviation[i]);
  }
  ck_assert_double_le(d.largest_drift, 1e-5);
}

START_TEST(dropout_like_pytorch) {
  check_distribution(train_like_pytorch, &printed_by_pytorch);
}
END_TEST

START_TEST(dropout_like_numpy) {
  check_distribution(train_like_numpy, &printed_by_numpy);
}
END_TEST

/* The two ways differ by more than chance: PyTorch's numbers do not come from the NumPy code. */
START_TEST(the_two_ways_differ) {
  distribution d;
  ck_ok(distribute(reference, train_like_numpy, 50, &d, &test_error));
  size_t far = 0;
  for (size_t i = 0; i < WEIGHTS; i++)
    far += fabs((double)((const float *)&printed_by_pytorch)[i] - d.mean[i]) > 5 * d.deviation[i];
  ck_assert_uint_gt(far, 3);
}
END_TEST

START_TEST(device_has_the_bits_of_the_reference) {
  training *const ways[] = {train_like_pytorch, train_like_numpy};
  for (size_t w = 0; w < 2; w++)
    for (uint64_t seed = 1; seed <= (test_small() ? 1 : 3); seed++) {
      weights got, wanted;
      ck_ok(ways[w](device, seed, &got, &test_error));
      ck_ok(ways[w](reference, seed, &wanted, &test_error));
      ck_same_bits((float *)&got, (float *)&wanted, WEIGHTS, "trained weights");
      ck_assert_mem_ne(&got, &initial, sizeof got);
    }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("exercise");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_both, NULL);
  tcase_set_timeout(tests, 240);
  tcase_add_test(tests, forward_pass);
  tcase_add_test(tests, gradient);
  tcase_add_test(tests, dropout_like_pytorch);
  tcase_add_test(tests, dropout_like_numpy);
  tcase_add_test(tests, the_two_ways_differ);
  tcase_add_test(tests, device_has_the_bits_of_the_reference);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  close_both();
  return result;
}
