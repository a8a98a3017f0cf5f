/* Choosing a device, and the self-test: backends that break one rule each must be found out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context/context.h"
#include "context/self_test.h"
#include "context/step_test.h"
#include "network/step.h"
#include "opencl/opencl.h"
#include "reference/reference.h"
#include "test.h"

START_TEST(opens_the_device_under_test) {
  mlp_cl_context *context = test_open_device();
  const char *rule = "unset";
  ck_assert(mlp_cl_context_exact(context, &rule));
  ck_assert_ptr_null(rule);
  ck_assert(strlen(mlp_cl_context_device(context)->name) > 0);
  mlp_cl_context_destroy(context);
}
END_TEST

START_TEST(names_the_reference_in_any_case) {
  mlp_cl_context *context = NULL;
  ck_ok(mlp_cl_context_create("Reference", NULL, &context, &test_error));
  ck_assert_int_eq(mlp_cl_context_device(context)->type, MLP_CL_DEVICE_REFERENCE);
  ck_assert_int_eq(mlp_cl_context_device(context)->index, -1);
  mlp_cl_context_destroy(context);
}
END_TEST

START_TEST(reads_the_environment_when_none_is_named) {
  setenv("MLP_CL_DEVICE", "reference", 1);
  mlp_cl_context *context = NULL;
  ck_ok(mlp_cl_context_create(NULL, NULL, &context, &test_error));
  unsetenv("MLP_CL_DEVICE");
  ck_assert_int_eq(mlp_cl_context_device(context)->type, MLP_CL_DEVICE_REFERENCE);
  mlp_cl_context_destroy(context);
}
END_TEST

START_TEST(refuses_devices_that_are_not_there) {
  static const char *const names[] = {"4711", "99999999999999999999999", "no such device", "-1"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    mlp_cl_context *context = (mlp_cl_context *)&i;
    ck_fails(mlp_cl_context_create(names[i], NULL, &context, &test_error), MLP_CL_NO_DEVICE, "");
    ck_assert_ptr_null(context);
  }
  ck_assert_int_eq(mlp_cl_context_create("4711", NULL, &(mlp_cl_context *){NULL}, NULL), MLP_CL_NO_DEVICE);
}
END_TEST

START_TEST(finds_each_device_by_number_and_by_name) {
  mlp_cl_device *devices = NULL;
  size_t count = 0;
  ck_ok(mlp_cl_devices(&devices, &count, &test_error));
  for (size_t i = 0; i < count; i++) {
    ck_assert_int_eq(devices[i].index, (int)i);
    mlp_cl_context *context = NULL;
    char name[128];
    for (size_t c = 0; c < sizeof name; c++) /* in the other case */
      name[c] =
          (char)(devices[i].name[c] >= 'a' && devices[i].name[c] <= 'z' ? devices[i].name[c] - 32 : devices[i].name[c]);
    ck_ok(mlp_cl_context_create(name, NULL, &context, &test_error));
    ck_assert_str_eq(mlp_cl_context_device(context)->name, devices[i].name);
    mlp_cl_context_destroy(context);
  }
  free(devices);
  char text[32];
  snprintf(text, sizeof text, "%zu", count);
  mlp_cl_context *context = NULL;
  ck_fails(mlp_cl_context_create(text, NULL, &context, &test_error), MLP_CL_NO_DEVICE, count > 0 ? "0: " : "no OpenCL");
}
END_TEST

/* ---- Backends that are wrong in one way ------------------------------------------------------------------------- */

static const backend_operations *right; /* the reference's own */

typedef float product_of(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t k, bool batch);

/* matmul on host copies, each element by `product`; stores go through the right backend. */
static mlp_cl_status multiply(backend *self, mlp_cl_product kind, const tensor *a, const tensor *b, tensor *c,
                              product_of *product, mlp_cl_error *error) {
  float *left = test_floats(a->rows * a->cols), *both = test_floats(b->rows * b->cols);
  float *result = test_floats(c->rows * c->cols);
  ck_ok(right->tensor_read(self, a, 0, a->rows, left, &test_error));
  ck_ok(right->tensor_read(self, b, 0, b->rows, both, &test_error));
  for (size_t i = 0; i < c->rows; i++)
    for (size_t j = 0; j < c->cols; j++) {
      bool column = kind == MLP_CL_AT_B, row = kind == MLP_CL_A_BT;
      result[i * c->cols + j] =
          product(column ? left + i : left + i * a->cols, column ? a->cols : 1, row ? both + j * b->cols : both + j,
                  row ? 1 : b->cols, column ? a->rows : a->cols, column);
    }
  mlp_cl_status status = right->tensor_write(self, c, 0, c->rows, result, error);
  free(left);
  free(both);
  free(result);
  return status;
}

static float not_fused(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t k, bool batch) {
  (void)batch;
  float sum = 0;
  for (size_t i = 0; i < k; i++) {
    volatile float product = a[i * a_stride] * b[i * b_stride];
    sum += product;
  }
  return sum;
}

static float descending(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t k, bool batch) {
  (void)batch;
  float sum = 0;
  for (size_t i = k; i-- > 0;) sum = fmaf(a[i * a_stride], b[i * b_stride], sum);
  return sum;
}

static float no_blocks(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t k, bool batch) {
  (void)batch;
  float sum = 0;
  for (size_t i = 0; i < k; i++) sum = fmaf(a[i * a_stride], b[i * b_stride], sum);
  return sum;
}

/* Right for features; the leaves of a batch are added one after the other instead of in a tree. */
static float no_tree(const float *a, size_t a_stride, const float *b, size_t b_stride, size_t k, bool batch) {
  (void)batch;
  float total = 0;
  for (size_t first = 0; first < k; first += 256) {
    size_t rest = k - first < 256 ? k - first : 256;
    total += no_blocks(a + first * a_stride, a_stride, b + first * b_stride, b_stride, rest, false);
  }
  return total;
}

#define MATMUL_WITH(product)                                                                                  \
  static mlp_cl_status matmul_##product(backend *self, mlp_cl_product kind, const tensor *a, const tensor *b, \
                                        tensor *c, mlp_cl_error *error) {                                     \
    return multiply(self, kind, a, b, c, product, error);                                                     \
  }
MATMUL_WITH(not_fused)
MATMUL_WITH(descending)
MATMUL_WITH(no_blocks)
MATMUL_WITH(no_tree)

static mlp_cl_status dropout_of_other_rows(backend *self, size_t rows, const dropout *mask, const tensor *x, tensor *y,
                                           mlp_cl_error *error) {
  dropout shifted = *mask;
  shifted.first_row++;
  return right->dropout(self, rows, &shifted, x, y, error);
}

static mlp_cl_status relu_that_does_nothing(backend *self, size_t rows, const tensor *x, tensor *y,
                                            mlp_cl_error *error) {
  (void)self, (void)rows, (void)x, (void)y, (void)error;
  return MLP_CL_OK;
}

static mlp_cl_status loss_without_flag(backend *self, const cross_entropy *c, mlp_cl_error *error) {
  cross_entropy silent = *c;
  silent.flag = NULL;
  return right->cross_entropy(self, &silent, error);
}

static mlp_cl_status update_without_decay(backend *self, const sgd *update, const tensor *gradient, tensor *weight,
                                          tensor *velocity, tensor *flag, uint32_t step, mlp_cl_error *error) {
  sgd plain = *update;
  plain.weight_decay = 0;
  return right->sgd(self, &plain, gradient, weight, velocity, flag, step, error);
}

static mlp_cl_status gather_in_file_order(backend *self, const gather *g, mlp_cl_error *error) {
  gather straight = *g;
  straight.order = NULL;
  return right->gather(self, &straight, error);
}

/* Whole steps as a chain of single operations, which is what they must come to. */
static mlp_cl_status steps_by_operations(backend *self, const step_plan *plan, const step_range *range, size_t *taken,
                                         mlp_cl_error *error) {
  const backend_operations *changed = self->op;
  self->op = right;
  mlp_cl_status status = run_steps(self, plan, range, error);
  self->op = changed;
  *taken = (range->end - range->first + plan->batch - 1) / plan->batch;
  return status;
}

static mlp_cl_status steps_with_the_masks_of_others(backend *self, const step_plan *plan, const step_range *range,
                                                    size_t *taken, mlp_cl_error *error) {
  step_range shifted = *range;
  shifted.step++;
  return steps_by_operations(self, plan, &shifted, taken, error);
}

static mlp_cl_status steps_never_taken(backend *self, const step_plan *plan, const step_range *range, size_t *taken,
                                       mlp_cl_error *error) {
  (void)self, (void)plan, (void)error;
  *taken = (range->end - range->first + plan->batch - 1) / plan->batch;
  return MLP_CL_OK;
}

static const char *verdict_on(const backend_operations *operations) {
  backend *tested = NULL;
  const char *broken = "unset";
  bool taken;
  ck_ok(reference_open(&tested, &test_error));
  tested->op = operations;
  ck_ok(self_test(tested, &broken, &test_error));
  if (broken == NULL) ck_ok(self_test_seldom(tested, UINT64_MAX, &broken, &test_error));
  for (int kind = 0; operations->train_steps != NULL && broken == NULL && kind < STEP_KINDS; kind++)
    ck_ok(self_test_steps(tested, (step_kind)kind, &broken, &taken, &test_error));
  tested->op = right;
  right->close(tested);
  return broken;
}

static backend_operations copy_of_right(void) {
  backend *reference = NULL;
  ck_ok(reference_open(&reference, &test_error));
  right = reference->op;
  backend_operations copy = *right;
  right->close(reference);
  return copy;
}

#define FINDS(operation, wrong, rule)             \
  do {                                            \
    backend_operations changed = copy_of_right(); \
    changed.operation = wrong;                    \
    const char *found = verdict_on(&changed);     \
    ck_assert_ptr_nonnull(found);                 \
    ck_assert_str_eq(found, rule);                \
  } while (0)

START_TEST(self_test_finds_broken_rules) {
  backend_operations same = copy_of_right();
  ck_assert_ptr_null(verdict_on(&same));
  FINDS(matmul, matmul_not_fused, "fused multiply-add");
  FINDS(matmul, matmul_descending, "ascending sums");
  FINDS(matmul, matmul_no_blocks, "blocks of 256");
  FINDS(matmul, matmul_no_tree, "tree of leaves");
  FINDS(dropout, dropout_of_other_rows, "dropout");
  FINDS(relu, relu_that_does_nothing, "relu");
  FINDS(cross_entropy, loss_without_flag, "flag of values that are not finite");
  FINDS(sgd, update_without_decay, "sgd momentum");
  FINDS(gather, gather_in_file_order, "gather uint8");
}
END_TEST

/* Rows 0, 7, 14 … are asked. */
START_TEST(zeros_come_together) {
  enum { ROWS = 112, COLS = 8, ASKED = 7 };
  static int16_t values[ROWS * COLS];
  ck_assert_float_ge(zeros_together(TENSOR_INT16, values, ROWS, COLS), MANY_ZEROS);
  memset(values, 1, sizeof values);
  ck_assert_float_lt(zeros_together(TENSOR_INT16, values, ROWS, COLS), MANY_ZEROS);
  for (size_t i = 0; i < ROWS * COLS; i += 2) values[i] = 0; /* half of them, in columns */
  ck_assert_float_ge(zeros_together(TENSOR_INT16, values, ROWS, COLS), MANY_ZEROS);
  for (size_t i = 0; i < ROWS * COLS; i++)
    values[i] = (int16_t)((i / COLS / ASKED + i) % 2); /* half, as on a chessboard */
  ck_assert_float_lt(zeros_together(TENSOR_INT16, values, ROWS, COLS), MANY_ZEROS);
  for (size_t row = 0; row < 4 * ASKED; row += ASKED)
    for (size_t col = 0; col < 4; col++) values[row * COLS + col] = 0; /* one in eight fours of a row */
  ck_assert_float_ge(zeros_together(TENSOR_INT16, values, ROWS, COLS), MANY_ZEROS);
  values[1] = 1;
  values[ASKED * COLS] = 1;
  ck_assert_float_lt(zeros_together(TENSOR_INT16, values, ROWS, COLS), MANY_ZEROS);
  const float floats[] = {-0.0f, 0.0f, 1.0f, 0x1p-149f, NAN, 0.0f};
  ck_assert_float_ge(zeros_together(TENSOR_FLOAT32, floats, 1, 2), MANY_ZEROS);
  ck_assert_float_lt(zeros_together(TENSOR_FLOAT32, floats + 2, 1, 3), MANY_ZEROS);
  ck_assert_float_lt(zeros_together(TENSOR_FLOAT32, floats + 2, 3, 1), MANY_ZEROS);
  const int32_t integers[] = {0, 0x00010000, 0x00010000, 1};
  ck_assert_float_ge(zeros_together(TENSOR_INT32, integers, 1, 1), MANY_ZEROS);
  ck_assert_float_lt(zeros_together(TENSOR_INT32, integers + 1, 3, 1), MANY_ZEROS);
  ck_assert_float_ge(zeros_together(TENSOR_UINT8, integers, 1, 6), MANY_ZEROS);
  ck_assert_float_ge(zeros_together(TENSOR_INT8, integers, 1, 6), MANY_ZEROS);
}
END_TEST

/* The sums that are written down in context/step_test.c. */
START_TEST(whole_steps_come_to_what_single_operations_do) {
  backend_operations with_steps = copy_of_right();
  with_steps.train_steps = steps_by_operations;
  backend *tested = NULL;
  ck_ok(reference_open(&tested, &test_error));
  tested->op = &with_steps;
  for (size_t i = 0; i < STEP_TESTS_COUNT; i++) {
    uint64_t sum = 0;
    bool taken;
    ck_ok(step_test_run(&step_tests[i], tested, &sum, &taken, &test_error));
    ck_assert_msg(taken && sum == step_tests[i].sum, "test %zu comes to 0x%016llx", i, (unsigned long long)sum);
  }
  tested->op = right;
  right->close(tested);
  ck_assert_ptr_null(verdict_on(&with_steps));
  FINDS(train_steps, steps_with_the_masks_of_others, "whole training steps");
  FINDS(train_steps, steps_never_taken, "whole training steps");
}
END_TEST

/* Whoever waits may change what was sent: the clFinish of rusticl (Mesa 22.3) returns at once after a clFlush. */
START_TEST(what_was_sent_has_been_read_when_all_is_finished) {
  enum { COUNT = 1 << 20 };
  mlp_cl_context *context = test_open_device();
  backend *on = context->backend;
  float *sent = test_floats(COUNT), *got = test_floats(COUNT);
  tensor *t = NULL;
  ck_ok(on->op->tensor_create(on, TENSOR_PLAIN, TENSOR_FLOAT32, 1, COUNT, &t, &test_error));
  for (int i = 1; i <= 10; i++) {
    for (size_t k = 0; k < COUNT; k++) sent[k] = (float)i;
    ck_ok(on->op->tensor_send(on, t, 0, 1, sent, &test_error));
    ck_ok(on->op->finish(on, &test_error));
    for (size_t k = COUNT; k-- > 0;) sent[k] = 0.0f;
    ck_ok(on->op->tensor_read(on, t, 0, 1, got, &test_error));
    size_t intact = 0;
    for (size_t k = 0; k < COUNT; k++) intact += got[k] == (float)i;
    ck_assert_uint_eq(intact, COUNT);
  }
  on->op->tensor_destroy(on, t);
  mlp_cl_context_destroy(context);
  free(sent);
  free(got);
}
END_TEST

/* Work-items that did not wait for each other could be lucky once. */
START_TEST(whole_steps_are_right_every_time) {
  mlp_cl_context *context = test_open_device();
  size_t index = (size_t)mlp_cl_context_device(context)->index;
  mlp_cl_context_destroy(context);
  for (int i = 0; i < 50; i++) {
    const mlp_cl_context_options options = {.kernels = getenv("MLP_CL_TEST_KERNELS")};
    backend *tested = NULL;
    const char *broken = NULL;
    ck_ok(opencl_open(index, &options, &tested, &test_error));
    for (int kind = 0; kind < STEP_KINDS && broken == NULL; kind++) {
      bool taken;
      ck_ok(self_test_steps(tested, (step_kind)kind, &broken, &taken, &test_error));
      ck_assert(taken || tested->op->train_steps == NULL || options.kernels != NULL || !tested->fuses_adam);
    }
    tested->op->close(tested);
    ck_assert_msg(broken == NULL, "time %d breaks the rule \"%s\"", i, broken);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("context");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, zeros_come_together);
  tcase_add_test(tests, opens_the_device_under_test);
  tcase_add_test(tests, names_the_reference_in_any_case);
  tcase_add_test(tests, reads_the_environment_when_none_is_named);
  tcase_add_test(tests, refuses_devices_that_are_not_there);
  if (strcmp(getenv("MLP_CL_TEST_DEVICE") != NULL ? getenv("MLP_CL_TEST_DEVICE") : "", "reference") != 0) {
    tcase_add_test(tests, finds_each_device_by_number_and_by_name);
    tcase_add_test(tests, what_was_sent_has_been_read_when_all_is_finished);
    tcase_add_test(tests, whole_steps_are_right_every_time);
  } else {
    tcase_add_test(tests, self_test_finds_broken_rules);
    tcase_add_test(tests, whole_steps_come_to_what_single_operations_do);
  }
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
