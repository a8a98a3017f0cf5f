#include "test.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mlp_cl_error test_error;

static mlp_cl_context *open_named(const char *name, const char *kernels, const char *tuning) {
  const mlp_cl_context_options options = {.kernels = kernels, .tuning = tuning};
  mlp_cl_context *context = NULL;
  mlp_cl_status status = mlp_cl_context_create(name, &options, &context, &test_error);
  ck_assert_msg(status == MLP_CL_OK, "device %s: %s", name, test_error.text);
  return context;
}

mlp_cl_context *test_open_device(void) {
  const char *name = getenv("MLP_CL_TEST_DEVICE");
  ck_assert_msg(name != NULL, "MLP_CL_TEST_DEVICE is not set: run the tests with ctest, or name a device");
  return open_named(name, getenv("MLP_CL_TEST_KERNELS"), getenv("MLP_CL_TEST_TUNING"));
}

mlp_cl_context *test_open_reference(void) {
  return open_named("reference", NULL, NULL);
}

bool test_small(void) {
  return getenv("MLP_CL_TEST_SMALL") != NULL;
}

void test_expect_ok(mlp_cl_status status, const mlp_cl_error *error, const char *call, const char *file, int line) {
  if (status != MLP_CL_OK)
    ck_abort_msg("%s:%d: %s returned %s: %s", file, line, call, mlp_cl_status_name(status), error->text);
}

void test_expect_failure(mlp_cl_status status, const mlp_cl_error *error, mlp_cl_status wanted, const char *part,
                         const char *call, const char *file, int line) {
  if (status != wanted)
    ck_abort_msg("%s:%d: %s returned %s, not %s", file, line, call, mlp_cl_status_name(status),
                 mlp_cl_status_name(wanted));
  if (strstr(error->text, part) == NULL)
    ck_abort_msg("%s:%d: %s says \"%s\", which lacks \"%s\"", file, line, call, error->text, part);
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

void ck_same_bits(const float *got, const float *wanted, size_t count, const char *what) {
  for (size_t i = 0; i < count; i++)
    if (bits_of(got[i]) != bits_of(wanted[i]))
      ck_abort_msg("%s: element %zu of %zu is %08" PRIx32 " (%.9g), not %08" PRIx32 " (%.9g)", what, i, count,
                   bits_of(got[i]), (double)got[i], bits_of(wanted[i]), (double)wanted[i]);
}

void ck_close(const float *got, const double *wanted, size_t count, double tolerance, const char *what) {
  for (size_t i = 0; i < count; i++) {
    double bound = tolerance * fmax(1.0, fabs(wanted[i]));
    if (!(fabs((double)got[i] - wanted[i]) <= bound))
      ck_abort_msg("%s: element %zu of %zu is %.9g, not %.9g (± %.3g)", what, i, count, (double)got[i], wanted[i],
                   bound);
  }
}

void ck_same_networks(mlp_cl_network *got, mlp_cl_network *wanted) {
  char receipts[2][65];
  ck_ok(mlp_cl_network_sha256(got, receipts[0], &test_error));
  ck_ok(mlp_cl_network_sha256(wanted, receipts[1], &test_error));
  ck_assert_str_eq(receipts[0], receipts[1]);
}

void ck_alive(const float *values, size_t count, const char *what) {
  size_t zeros = 0;
  for (size_t i = 0; i < count; i++) {
    ck_assert_msg(isfinite(values[i]), "%s: element %zu of %zu is %g", what, i, count, (double)values[i]);
    zeros += values[i] == 0;
  }
  ck_assert_msg(zeros < count, "%s: all %zu elements are 0", what, count);
}

/* SplitMix64. */
uint32_t test_random_bits(test_random *r) {
  uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ (z >> 31)) >> 32);
}

void test_random_fill(test_random *r, float *values, size_t count, float limit) {
  for (size_t i = 0; i < count; i++) {
    float x = ((float)(test_random_bits(r) >> 8) * 0x1p-23f - 1.0f) * limit;
    uint32_t kind = test_random_bits(r) & 63;
    if (kind == 0) x = 0;
    if (kind == 1) x *= 0x1p-20f;
    values[i] = x;
  }
}

void test_canary_fill(float *values, size_t count) {
  static const uint32_t canary = 0x7fc0dead;
  for (size_t i = 0; i < count; i++) memcpy(&values[i], &canary, sizeof canary);
}

float *test_floats(size_t count) {
  float *values = malloc((count > 0 ? count : 1) * sizeof *values);
  ck_assert_msg(values != NULL, "no memory for %zu floats", count);
  test_canary_fill(values, count);
  return values;
}

int test_run(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
