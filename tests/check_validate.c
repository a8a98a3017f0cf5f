/* Validation: it passes a device that keeps the contract, and finds one wrong bit in one operation. */
#include <stdio.h>
#include <string.h>

#include "context/context.h"
#include "test.h"

typedef struct seen {
  size_t checks, stop_after;
  char wrong[64], first[256];
} seen;

static bool watch(const mlp_cl_check *check, void *user) {
  seen *s = user;
  ck_assert_uint_gt(check->elements, 0);
  ck_assert_uint_gt(strlen(check->name), 0);
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
  mlp_cl_status status = mlp_cl_validate(context, quick, watch, &s, &test_error);
  ck_assert_msg(status == MLP_CL_OK, "%s; %s: %s", test_error.text, s.wrong, s.first);
  ck_assert_uint_gt(s.checks, 30);
  mlp_cl_context_destroy(context);
}
END_TEST

START_TEST(stops_when_asked) {
  mlp_cl_context *context = test_open_reference();
  seen s = {.stop_after = 3};
  ck_fails(mlp_cl_validate(context, true, watch, &s, &test_error), MLP_CL_CANCELLED, "cancelled");
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

static void validate_changed(const backend_operations *changed, seen *s) {
  mlp_cl_context *context = test_open_reference();
  context->backend->op = changed;
  ck_fails(mlp_cl_validate(context, true, watch, s, &test_error), MLP_CL_MISMATCH, "differ in");
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

int main(void) {
  Suite *suite = suite_create("validate");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 280);
  tcase_add_test(tests, the_device_passes);
  tcase_add_test(tests, stops_when_asked);
  tcase_add_test(tests, finds_one_wrong_bit);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
