/* Activation functions: accuracy against double precision, and bits of the device against the reference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activation.h"
#include "test.h"

static mlp_cl_context *device, *reference;

static void open_both(void) {
  if (device != NULL) return;
  device = test_open_device();
  reference = test_open_reference();
}

static const mlp_cl_activation kinds[] = {MLP_CL_RELU, MLP_CL_LEAKY_RELU, MLP_CL_TANH, MLP_CL_SIGMOID, MLP_CL_GELU};
enum { KINDS = sizeof kinds / sizeof *kinds };

static double sigmoid(double x) {
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* Distance in units in the last place of a float near `wanted`. */
static double ulps(float got, double wanted) {
  int exponent;
  frexp(wanted, &exponent);
  return fabs((double)got - wanted) / ldexp(1.0, exponent - 24);
}

static float from_bits(uint32_t bits) {
  union {
    uint32_t bits;
    float value;
  } u = {bits};
  return u.value;
}

static void check_ulps(float got, double wanted, double most, const char *what, float x) {
  if (fabs(wanted) < 0x1p-125) return;
  ck_assert_msg(ulps(got, wanted) <= most, "%s(%a) is %a, %.3f units from %a", what, (double)x, (double)got,
                ulps(got, wanted), wanted);
}

/* Every 32749th float32, on the host: once is enough. The limits are those of docs/learning.md. */
START_TEST(are_accurate) {
  for (uint32_t bits = 0x00800000u; bits < 0x7f800000u; bits += 32749)
    for (uint32_t sign = 0; sign < 2; sign++) {
      float x = from_bits(bits | sign << 31);
      double exact = (double)x, s = sigmoid(exact);
      check_ulps(activation_value(MLP_CL_TANH, x), tanh(exact), 1.5, "tanh", x);
      check_ulps(activation_value(MLP_CL_SIGMOID, x), s, 2.75, "sigmoid", x);
      check_ulps(softplus_of_minus(logistic_of(x)), log1p(exp(-fabs(exact))), 2.0, "softplus", x);
      if (s * sigmoid(-exact) > 0x1p-49)
        check_ulps(activation_slope(MLP_CL_SIGMOID, x), s * sigmoid(-exact), 4.0, "sigmoid'", x);
      if (fabs(exact) > 100) continue;
      double inner = 1.5957691216057308 * (exact + 0.044715 * exact * exact * exact), g = sigmoid(inner);
      ck_assert_double_le(fabs((double)activation_value(MLP_CL_GELU, x) - exact * g), 3 * 0x1p-24 * fabs(exact));
      double slope = g + exact * g * sigmoid(-inner) * 1.5957691216057308 * (1 + 3 * 0.044715 * exact * exact);
      ck_assert_double_le(fabs((double)activation_slope(MLP_CL_GELU, x) - slope), 0x1p-21);
    }
}
END_TEST

START_TEST(have_their_limits) {
  for (int kind = MLP_CL_TANH; kind <= MLP_CL_GELU; kind++) {
    const float huge[] = {100.0f, 1e10f, 0x1.fffffep127f};
    for (size_t i = 0; i < 3; i++) {
      float above = activation_value(kind, huge[i]), below = activation_value(kind, -huge[i]);
      ck_assert_float_eq(above, kind == MLP_CL_GELU ? huge[i] : 1.0f);
      ck_assert_float_eq(canonical(below, FLOOR_VALUE), kind == MLP_CL_TANH ? -1.0f : 0.0f);
      ck_assert_float_eq(activation_slope(kind, huge[i]), kind == MLP_CL_GELU ? 1.0f : 0.0f);
      ck_assert_float_eq(activation_slope(kind, -huge[i]), 0.0f);
    }
    ck_assert(isnan(activation_value(kind, NAN)));
    ck_assert_float_eq(activation_value(kind, 0.0f), kind == MLP_CL_SIGMOID ? 0.5f : 0.0f);
  }
  ck_assert_float_eq(activation_slope(MLP_CL_TANH, 0.0f), 1.0f);
  ck_assert_float_eq(activation_slope(MLP_CL_SIGMOID, 0.0f), 0.25f);
  ck_assert_float_eq(activation_slope(MLP_CL_GELU, 0.0f), 0.5f);
}
END_TEST

static void compare(float *got, float *wanted, size_t count, const char *what) {
  for (size_t i = 0; i < count; i++) ck_assert_msg(isfinite(wanted[i]), "%s: element %zu was not written", what, i);
  ck_same_bits(got, wanted, count, what);
}

START_TEST(same_bits) {
  static const size_t shapes[][2] = {{1, 1}, {1, 17}, {15, 16}, {33, 31}, {64, 10}, {257, 3}};
  const mlp_cl_mask mask = {.rate = 0.4f, .seed = 3, .step = 9, .layer = 1, .first_row = 5};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes - (test_small() ? 3 : 0); s++)
    for (size_t i = 0; i < 2 * KINDS; i++) {
      size_t rows = shapes[s][0], cols = shapes[s][1], count = rows * cols;
      const mlp_cl_mask *dropped = i < KINDS ? NULL : &mask;
      float *x = test_floats(count), *d = test_floats(count), *got = test_floats(count), *wanted = test_floats(count);
      test_random r = {.state = s * 100 + i};
      test_random_fill(&r, x, count, 6.0f);
      test_random_fill(&r, d, count, 1.0f);
      ck_ok(mlp_cl_activate(device, kinds[i % KINDS], rows, cols, dropped, x, got, &test_error));
      ck_ok(mlp_cl_activate(reference, kinds[i % KINDS], rows, cols, dropped, x, wanted, &test_error));
      compare(got, wanted, count, mlp_cl_activation_name(kinds[i % KINDS]));
      test_canary_fill(got, count);
      test_canary_fill(wanted, count);
      ck_ok(mlp_cl_activate_backward(device, kinds[i % KINDS], rows, cols, dropped, x, d, got, &test_error));
      ck_ok(mlp_cl_activate_backward(reference, kinds[i % KINDS], rows, cols, dropped, x, d, wanted, &test_error));
      compare(got, wanted, count, "slope");
      free(x);
      free(d);
      free(got);
      free(wanted);
    }
}
END_TEST

/* The mask of the fused dropout is that of the single one, and its scale is applied once. */
START_TEST(dropout_is_applied) {
  enum { COUNT = 40 };
  const mlp_cl_mask mask = {.rate = 0.5f, .seed = 3};
  float x[COUNT], y[COUNT], kept[COUNT], ones[COUNT];
  for (int i = 0; i < COUNT; i++) {
    x[i] = (float)(i - 20) * 0.25f;
    ones[i] = 1.0f;
  }
  ck_ok(mlp_cl_dropout(device, 4, 10, &mask, ones, kept, &test_error));
  ck_ok(mlp_cl_activate(device, MLP_CL_TANH, 4, 10, &mask, x, y, &test_error));
  for (int i = 0; i < COUNT; i++) ck_assert_double_eq_tol((double)y[i], tanh((double)x[i]) * (double)kept[i], 1e-6);
  ck_ok(mlp_cl_activate_backward(device, MLP_CL_SIGMOID, 4, 10, &mask, x, ones, y, &test_error));
  for (int i = 0; i < COUNT; i++) {
    double s = sigmoid((double)x[i]);
    ck_assert_double_eq_tol((double)y[i], s * (1 - s) * (double)kept[i], 1e-6);
  }
}
END_TEST

START_TEST(refuses_bad_arguments) {
  float x = 0.0f, y;
  const mlp_cl_mask bad = {.rate = 1.0f};
  ck_fails(mlp_cl_activate(device, (mlp_cl_activation)9, 1, 1, NULL, &x, &y, &test_error), MLP_CL_BAD_ARGUMENT,
           "no activation 9");
  ck_fails(mlp_cl_activate(device, MLP_CL_TANH, 0, 1, NULL, &x, &y, &test_error), MLP_CL_BAD_ARGUMENT, "at least 1");
  ck_fails(mlp_cl_activate(device, MLP_CL_TANH, 1, 1, &bad, &x, &y, &test_error), MLP_CL_BAD_ARGUMENT, "dropout");
  ck_fails(mlp_cl_activate_backward(device, MLP_CL_TANH, 1, 1, NULL, &x, NULL, &y, &test_error), MLP_CL_BAD_ARGUMENT,
           "NULL");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("activation");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_both, NULL);
  tcase_set_timeout(tests, 120);
  const char *name = getenv("MLP_CL_TEST_DEVICE");
  if (name != NULL && strcmp(name, "reference") == 0) tcase_add_test(tests, are_accurate);
  tcase_add_test(tests, have_their_limits);
  tcase_add_test(tests, same_bits);
  tcase_add_test(tests, dropout_is_applied);
  tcase_add_test(tests, refuses_bad_arguments);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
  return result;
}
