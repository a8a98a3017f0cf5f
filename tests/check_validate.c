/* Validation: it passes a device that keeps the contract, and finds one wrong bit in one operation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context/context.h"
#include "context/trial.h"
#include "test.h"

typedef struct seen {
  size_t checks, stop_after;
  uint64_t max_ulp;
  char wrong[64], first[256];
} seen;

static const mlp_cl_validate_options quickly = {.quick = true};

static bool watch(const mlp_cl_check *check, void *user) {
  seen *s = user;
  ck_assert_uint_gt(check->elements, 0);
  ck_assert_uint_gt(strlen(check->name), 0);
  if (check->max_ulp > s->max_ulp) s->max_ulp = check->max_ulp;
  ck_assert((check->mismatches > 0) == (check->first[0] != '\0'));
  if (check->mismatches > 0 && s->wrong[0] == '\0') {
    ck_assert_uint_gt(check->max_ulp, 0);
    snprintf(s->wrong, sizeof s->wrong, "%s", check->name);
    snprintf(s->first, sizeof s->first, "%s", check->first);
  }
  return ++s->checks != s->stop_after;
}

START_TEST(the_device_passes) {
  mlp_cl_context *context = test_open_device();
  seen s = {.checks = 0};
  bool quick = test_small() || mlp_cl_context_device(context)->type == MLP_CL_DEVICE_REFERENCE;
  mlp_cl_status status = mlp_cl_validate(context, &(mlp_cl_validate_options){.quick = quick}, watch, &s, &test_error);
  ck_assert_msg(status == MLP_CL_OK, "%s; %s: %s", test_error.text, s.wrong, s.first);
  ck_assert_uint_gt(s.checks, 30);
  mlp_cl_context_destroy(context);
}
END_TEST

START_TEST(stops_when_asked) {
  mlp_cl_context *context = test_open_reference();
  seen s = {.stop_after = 3};
  ck_fails(mlp_cl_validate(context, &quickly, watch, &s, &test_error), MLP_CL_CANCELLED, "cancelled");
  ck_assert_uint_eq(s.checks, 3);
  mlp_cl_context_destroy(context);
}
END_TEST

static const backend_operations *right;

/* Raises the last bit of one element, for matrices of more than 60 columns only. */
static mlp_cl_status almost_relu(backend *self, size_t rows, const tensor *x, tensor *y, mlp_cl_error *error) {
  mlp_cl_status status = right->relu(self, rows, x, y, error);
  if (status != MLP_CL_OK || y->cols <= 60) return status;
  float row[64];
  ck_assert_uint_le(y->cols, 64);
  status = right->tensor_read(self, y, 0, 1, row, error);
  uint32_t bits;
  memcpy(&bits, &row[5], sizeof bits);
  bits = bits == 0 ? 0x3f800000u : bits + 1;
  memcpy(&row[5], &bits, sizeof bits);
  return status == MLP_CL_OK ? right->tensor_write(self, y, 0, 1, row, error) : status;
}

/* Drops at step 3 what step 2 dropped: only whole training runs can tell. */
static mlp_cl_status forgets_the_step(backend *self, const dense_forward *d, mlp_cl_error *error) {
  dense_forward changed = *d;
  dropout mask;
  if (d->dropout != NULL && d->dropout->step == 3) {
    mask = *d->dropout;
    mask.step = 2;
    changed.dropout = &mask;
  }
  return right->dense_forward(self, &changed, error);
}

/* One unit in the last place too much for each value that is not 0. */
static mlp_cl_status generous_bias(backend *self, size_t rows, const tensor *x, const tensor *bias, tensor *y,
                                   mlp_cl_error *error) {
  mlp_cl_status status = right->bias(self, rows, x, bias, y, error);
  float *values = test_floats(rows * y->cols);
  if (status == MLP_CL_OK) status = right->tensor_read(self, y, 0, rows, values, error);
  for (size_t i = 0; i < rows * y->cols; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    bits += bits != 0;
    memcpy(&values[i], &bits, sizeof bits);
  }
  if (status == MLP_CL_OK) status = right->tensor_write(self, y, 0, rows, values, error);
  free(values);
  return status;
}

static void validate_changed(const backend_operations *changed, seen *s) {
  mlp_cl_context *context = test_open_reference();
  context->backend->op = changed;
  ck_fails(mlp_cl_validate(context, &quickly, watch, s, &test_error), MLP_CL_MISMATCH, "differ in");
  context->backend->op = right;
  mlp_cl_context_destroy(context);
}

START_TEST(finds_one_wrong_bit) {
  mlp_cl_context *context = test_open_reference();
  right = context->backend->op;
  backend_operations changed = *right;
  changed.relu = almost_relu;
  seen s = {.checks = 0};
  validate_changed(&changed, &s);
  ck_assert_str_eq(s.wrong, "relu");
  ck_assert_ptr_nonnull(strstr(s.first, "7 rows, 2 to 63, element 5: "));
  changed = *right;
  changed.dense_forward = forgets_the_step;
  s = (seen){.checks = 0};
  validate_changed(&changed, &s);
  ck_assert_ptr_nonnull(strstr(s.wrong, "training"));
  mlp_cl_context_destroy(context);
}
END_TEST

START_TEST(tolerates_what_it_is_told_to) {
  mlp_cl_context *context = test_open_reference();
  right = context->backend->op;
  backend_operations changed = *right;
  changed.bias = generous_bias;
  seen s = {.checks = 0};
  validate_changed(&changed, &s);
  ck_assert_str_eq(s.wrong, "bias");
  context->backend->op = &changed;
  s = (seen){.checks = 0};
  const mlp_cl_validate_options tolerant = {.quick = true, .tolerance_ulp = 1};
  ck_ok(mlp_cl_validate(context, &tolerant, watch, &s, &test_error));
  ck_assert_str_eq(s.wrong, "");
  ck_assert_uint_eq(s.max_ulp, 1);
  context->backend->op = right;
  mlp_cl_context_destroy(context);
}
END_TEST

/* Distances between neighbours across 0, and that no tolerance takes a NaN. */
START_TEST(measures_distances) {
  const uint32_t wanted[] = {0x00000000, 0x00000001, 0x3f800000, 0x7fc00000, 0x7f7fffff};
  const uint32_t got[] = {0x80000000, 0x80000001, 0x3f800003, 0x3f800000, 0x7f800000};
  const uint64_t distances[] = {0, 2, 3, UINT64_MAX, 1};
  for (size_t i = 0; i < sizeof got / sizeof *got; i++) {
    trial_result bits = {0}, near = {.tolerance = 2}, far = {.tolerance = UINT64_MAX - 1};
    trial_compare_words(&got[i], &wanted[i], 1, &bits);
    trial_compare_words(&got[i], &wanted[i], 1, &near);
    trial_compare_words(&got[i], &wanted[i], 1, &far);
    ck_assert_uint_eq(bits.max_ulp, distances[i]);
    ck_assert_uint_eq(bits.mismatches, 1);
    ck_assert_uint_eq(near.mismatches, distances[i] > 2);
    ck_assert_uint_eq(far.mismatches, distances[i] == UINT64_MAX);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("validate");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 280);
  tcase_add_test(tests, the_device_passes);
  tcase_add_test(tests, stops_when_asked);
  tcase_add_test(tests, finds_one_wrong_bit);
  tcase_add_test(tests, tolerates_what_it_is_told_to);
  tcase_add_test(tests, measures_distances);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
