/* Measurements: each kind of work gives plausible numbers, and can be measured again; what makes no sense is
 * refused. */
#include "test.h"

static mlp_cl_context *context;

static void open_context(void) {
  context = test_open_device();
}

static void close_context(void) {
  mlp_cl_context_destroy(context);
}

static bool is_reference(void) {
  return mlp_cl_context_device(context)->type == MLP_CL_DEVICE_REFERENCE;
}

static mlp_cl_bench_result measure(const mlp_cl_bench_work *work) {
  mlp_cl_bench *bench = NULL;
  mlp_cl_bench_result result = {0};
  ck_ok(mlp_cl_bench_create(context, work, &bench, &test_error));
  for (int i = 0; i < 2; i++) {
    result = (mlp_cl_bench_result){0};
    ck_ok(mlp_cl_bench_run(bench, 0.0, &result, &test_error));
    ck_assert_uint_ge(result.samples, 3);
    ck_assert(result.best_s > 0 && result.best_s <= result.median_s && result.median_s < 60);
  }
  mlp_cl_bench_destroy(bench);
  return result;
}

START_TEST(products_in_all_orientations) {
  const mlp_cl_product products[] = {MLP_CL_A_B, MLP_CL_A_BT, MLP_CL_AT_B};
  for (size_t i = 0; i < 3; i++) {
    const mlp_cl_bench_work work = {.kind = MLP_CL_BENCH_MATMUL, .product = products[i], .m = 17, .n = 3, .k = 33};
    ck_assert_double_eq(measure(&work).flops, 2.0 * 17 * 3 * 33);
  }
}
END_TEST

START_TEST(networks) {
  const size_t widths[] = {5, 17, 3};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  const mlp_cl_bench_work train = {.kind = MLP_CL_BENCH_TRAIN, .shape = &shape, .batch = 7};
  const mlp_cl_bench_work predict = {.kind = MLP_CL_BENCH_PREDICT, .shape = &shape, .batch = 1};
  ck_assert_double_eq(measure(&train).flops, 7 * (4.0 * 5 * 17 + 6.0 * 17 * 3));
  ck_assert_double_eq(measure(&predict).flops, 2.0 * (5 * 17 + 17 * 3));
}
END_TEST

START_TEST(the_device_itself) {
  const mlp_cl_bench_kind kinds[] = {MLP_CL_BENCH_FMA, MLP_CL_BENCH_COPY, MLP_CL_BENCH_LAUNCH, MLP_CL_BENCH_WAIT};
  for (size_t i = 0; i < 4; i++) {
    const mlp_cl_bench_work work = {.kind = kinds[i]};
    mlp_cl_bench *bench = NULL;
    if (is_reference()) {
      ck_fails(mlp_cl_bench_create(context, &work, &bench, &test_error), MLP_CL_BAD_ARGUMENT, "reference");
      ck_assert_ptr_null(bench);
      continue;
    }
    mlp_cl_bench_result result = measure(&work);
    ck_assert((kinds[i] == MLP_CL_BENCH_FMA) == (result.flops > 0));
    ck_assert((kinds[i] == MLP_CL_BENCH_COPY) == (result.bytes > 0));
  }
}
END_TEST

START_TEST(refuses_what_makes_no_sense) {
  const size_t widths[] = {5, 0};
  const mlp_cl_shape no_width = {.widths_count = 2, .widths = widths}, no_layer = {.widths_count = 1, .widths = widths};
  const size_t right_widths[] = {5, 3};
  const mlp_cl_shape right = {.widths_count = 2, .widths = right_widths};
  const struct {
    mlp_cl_bench_work work;
    mlp_cl_status status;
  } cases[] = {
      {{.kind = MLP_CL_BENCH_MATMUL, .m = 0, .n = 1, .k = 1}, MLP_CL_BAD_ARGUMENT},
      {{.kind = MLP_CL_BENCH_MATMUL, .m = SIZE_MAX / 2, .n = 1, .k = 4}, MLP_CL_BAD_SHAPE},
      {{.kind = MLP_CL_BENCH_MATMUL, .product = (mlp_cl_product)9, .m = 1, .n = 1, .k = 1}, MLP_CL_BAD_ARGUMENT},
      {{.kind = MLP_CL_BENCH_TRAIN, .batch = 1}, MLP_CL_BAD_ARGUMENT},
      {{.kind = MLP_CL_BENCH_TRAIN, .batch = 1, .shape = &no_width}, MLP_CL_BAD_SHAPE},
      {{.kind = MLP_CL_BENCH_PREDICT, .batch = 1, .shape = &no_layer}, MLP_CL_BAD_SHAPE},
      {{.kind = MLP_CL_BENCH_PREDICT, .batch = 0, .shape = &right}, MLP_CL_BAD_ARGUMENT},
      {{.kind = MLP_CL_BENCH_TRAIN, .batch = SIZE_MAX / 2, .shape = &right}, MLP_CL_BAD_ARGUMENT},
      {{.kind = (mlp_cl_bench_kind)99}, MLP_CL_BAD_ARGUMENT},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    mlp_cl_bench *bench = NULL;
    ck_fails(mlp_cl_bench_create(context, &cases[i].work, &bench, &test_error), cases[i].status, "");
    ck_assert_ptr_null(bench);
    ck_assert_int_eq(mlp_cl_bench_create(context, &cases[i].work, &bench, NULL), cases[i].status);
  }
  mlp_cl_bench_destroy(NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bench");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 280);
  tcase_add_checked_fixture(tests, open_context, close_context);
  tcase_add_test(tests, products_in_all_orientations);
  tcase_add_test(tests, networks);
  tcase_add_test(tests, the_device_itself);
  tcase_add_test(tests, refuses_what_makes_no_sense);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
