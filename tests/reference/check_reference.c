/* The reference behind the backend's interface: values against the double-precision oracle, orders of sums against a
 * second, recursive statement of them, fused operations against unfused ones, gradients against finite differences. */
#include <fenv.h>

#include "tools.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
static void flush_subnormals(void) {
  _mm_setcsr(_mm_getcsr() | 0x8040);
}
static bool flushes_subnormals(void) {
  return (_mm_getcsr() & 0x8040) == 0x8040;
}
#else
static void flush_subnormals(void) {}
static bool flushes_subnormals(void) {
  return true;
}
#endif

START_TEST(a_hostile_environment) {
  size_t rows = 33, in = 300, out = 17;
  tensor *x = new_random(TENSOR_ACTIVATION, rows, in, 1.0f), *w = new_random(TENSOR_WEIGHT, in, out, 1.0f);
  tensor *calm = new_float(TENSOR_ACTIVATION, rows, out, NULL),
         *hostile = new_float(TENSOR_ACTIVATION, rows, out, NULL);
  ck_ok(device->op->matmul(device, MLP_CL_A_B, x, w, calm, &test_error));
  fenv_t saved;
  fegetenv(&saved);
  fesetround(FE_UPWARD);
  flush_subnormals();
  mlp_cl_status status = device->op->matmul(device, MLP_CL_A_B, x, w, hostile, &test_error);
  bool kept_rounding = fegetround() == FE_UPWARD, kept_flushing = flushes_subnormals();
  fesetenv(&saved);
  ck_ok(status);
  ck_assert_msg(kept_rounding && kept_flushing, "the caller's floating-point environment was changed");
  same_tensors(hostile, calm, "rounding upward, subnormals flushed");
}
END_TEST

START_TEST(device_and_shapes) {
  ck_assert_int_eq(device->device.index, -1);
  ck_assert_str_eq(device->device.name, "reference");
  ck_assert_str_eq(device->device.driver, mlp_cl_version());
  tensor *t = NULL;
  ck_fails(device->op->tensor_create(device, TENSOR_WEIGHT, TENSOR_FLOAT32, SIZE_MAX / 2, 3, &t, &test_error),
           MLP_CL_BAD_SHAPE, "larger than memory");
  ck_fails(device->op->tensor_create(device, TENSOR_WEIGHT, TENSOR_FLOAT32, SIZE_MAX / 4, 2, &t, &test_error),
           MLP_CL_BAD_SHAPE, "larger than memory");
  ck_assert_ptr_null(t);
  device->op->tensor_destroy(device, NULL);
  ck_ok(device->op->finish(device, &test_error));
  ck_ok(device->op->pace(device, &test_error));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("reference");
  TCase *cases = tcase_create("reference");
  tcase_set_timeout(cases, 120);
  tcase_add_checked_fixture(cases, open_device, close_device);
  add_products(cases);
  add_elementwise(cases);
  add_losses(cases);
  add_updates(cases);
  add_fused(cases);
  add_gradients(cases);
  tcase_add_test(cases, a_hostile_environment);
  tcase_add_test(cases, device_and_shapes);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
