/* What every test needs: the device under test, comparisons that report where and what, and a main. */
#ifndef SUPPORT_TEST_H
#define SUPPORT_TEST_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include "mlp_cl.h"

/* The device that MLP_CL_TEST_DEVICE names, with the kernels and parameters that MLP_CL_TEST_KERNELS and
 * MLP_CL_TEST_TUNING name, if any; fails when it is missing. Open it in a checked fixture or in the test itself: PoCL
 * hangs in a child whose parent made the context. */
mlp_cl_context *test_open_device(void);
mlp_cl_context *test_open_reference(void);
/* True on slow devices: take shapes of at most about 64. */
bool test_small(void);

/* Fails with the error's text unless the call succeeds. */
#define ck_ok(call) test_expect_ok((call), &test_error, #call, __FILE__, __LINE__)
/* Fails unless the call returns `wanted` and leaves a text that contains `part`. */
#define ck_fails(call, wanted, part) \
  test_expect_failure((call), &test_error, (wanted), (part), #call, __FILE__, __LINE__)
extern mlp_cl_error test_error; /* pass &test_error to calls */
void test_expect_ok(mlp_cl_status status, const mlp_cl_error *error, const char *call, const char *file, int line);
void test_expect_failure(mlp_cl_status status, const mlp_cl_error *error, mlp_cl_status wanted, const char *part,
                         const char *call, const char *file, int line);

/* Compares bits; the first difference is reported with index and both values in hex and decimal. NaN equals only
 * itself. */
void ck_same_bits(const float *got, const float *wanted, size_t count, const char *what);
/* |got - wanted| <= tolerance · max(1, |wanted|). */
void ck_close(const float *got, const double *wanted, size_t count, double tolerance, const char *what);
/* Equal receipts. */
void ck_same_networks(mlp_cl_network *got, mlp_cl_network *wanted);
/* Each value is finite, and at least one is not 0. */
void ck_alive(const float *values, size_t count, const char *what);

/* Deterministic values for tests: not from the product's Philox. */
typedef struct test_random {
  uint64_t state;
} test_random;
uint32_t test_random_bits(test_random *r);
/* Uniform in [-limit, limit), with a few exact zeros, and values of very different magnitude now and then. */
void test_random_fill(test_random *r, float *values, size_t count, float limit);
/* NaN with a recognisable payload, for outputs that must be overwritten. */
void test_canary_fill(float *values, size_t count);

/* Allocates or fails the test. */
float *test_floats(size_t count);

/* Runs the suite; for main(). */
int test_run(Suite *suite);

#endif
