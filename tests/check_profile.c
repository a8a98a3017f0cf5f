/* The profile of a run: every launch is in it, in its order, with times that can be true; the run's bits are what they
 * are without; long runs need no more memory. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "files.h"
#include "layer.h"
#include "test.h"

static void use_new_folder(void) {
  test_folder_create();
  setenv("MLP_CL_CACHE", test_path(""), 1); /* so that one self-test does for a test's contexts */
}

static const size_t widths[] = {20, 33, 5};

static mlp_cl_context *open_with(const char *kernels, bool profile) {
  const mlp_cl_context_options options = {.kernels = kernels, .profile = profile};
  mlp_cl_context *context = NULL;
  ck_ok(mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &context, &test_error));
  ck_assert_msg(layer_active(), "the OpenCL loader did not take the layer: run with ctest");
  return context;
}

static mlp_cl_context *open_context(bool profile) {
  return open_with(NULL, profile);
}

/* Two epochs of three steps. */
static void train(mlp_cl_context *context, char sha256[65]) {
  static float features[40 * 20];
  static int32_t labels[40];
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  mlp_cl_network *network = NULL;
  mlp_cl_dataset *data = NULL;
  test_random r = {.state = 5};
  test_random_fill(&r, features, 40 * 20, 1.0f);
  for (int i = 0; i < 40; i++) labels[i] = i % 5;
  recipe.batch = 16;
  recipe.epochs = 2;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 40, 20, 1.0f, labels, 5, &data, &test_error));
  ck_ok(mlp_cl_network_create(context, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
  ck_ok(mlp_cl_network_sha256(network, sha256, &test_error));
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}

static json_t *load(const char *path) {
  json_error_t where;
  json_t *trace = json_load_file(path, 0, &where);
  ck_assert_msg(trace != NULL, "%s:%d: %s", path, where.line, where.text);
  return trace;
}

static double number(const json_t *event, const char *name) {
  json_t *value = json_object_get(event, name);
  ck_assert_msg(json_is_number(value), "\"%s\" is missing", name);
  return json_number_value(value);
}

/* Launches in the order of an in-order queue, none before the other's end, all within `took_us`; returns how many. */
static uint64_t check_launches(const json_t *events, double took_us) {
  static const double rounding_us = 0.002;
  uint64_t launches = 0;
  double end = 0;
  size_t i;
  json_t *event;
  json_array_foreach(events, i, event) {
    if (strcmp(json_string_value(json_object_get(event, "ph")), "X") != 0) continue;
    double began = number(event, "ts"), took = number(event, "dur");
    ck_assert_msg(took > 0 && began >= end - rounding_us, "launch %u: %f + %f us, the one before ended at %f",
                  (unsigned)launches, began, took, end);
    end = began + took;
    launches++;
  }
  ck_assert_msg(end <= 1.5 * took_us + 1e4, "the last ended at %f us of %f", end, took_us);
  return launches;
}

START_TEST(a_run_with_every_launch) {
  char plain[65], profiled[65];
  mlp_cl_context *context = open_context(false);
  train(context, plain);
  mlp_cl_context_destroy(context);
  context = open_context(true);
  layer_reset();
  double began = clock_now_s();
  train(context, profiled);
  uint64_t launches = layer_launches(NULL);
  ck_ok(mlp_cl_profile_write(context, test_path("trace.json"), &test_error));
  double took = (clock_now_s() - began) * 1e6;
  mlp_cl_context_destroy(context);
  ck_assert_int_eq(layer_objects(NULL), 0);
  ck_assert_str_eq(plain, profiled);
  json_t *trace = load(test_path("trace.json")), *about = json_object_get(trace, "otherData");
  ck_assert_uint_eq(check_launches(json_object_get(trace, "traceEvents"), took), launches);
  ck_assert_uint_eq((uint64_t)number(about, "launches"), launches);
  ck_assert_str_eq(json_string_value(json_object_get(about, "clock")), test_small() ? "wall" : "device");
  json_decref(trace);
}
END_TEST

START_TEST(of_nothing) {
  mlp_cl_context *context = open_context(true);
  ck_ok(mlp_cl_profile_write(context, test_path("trace.json"), &test_error));
  mlp_cl_context_destroy(context);
  json_t *trace = load(test_path("trace.json"));
  ck_assert_uint_eq(check_launches(json_object_get(trace, "traceEvents"), 0), 0);
  json_decref(trace);
}
END_TEST

START_TEST(launches_that_are_measured_are_not_recorded) {
  const mlp_cl_bench_work work = {.kind = MLP_CL_BENCH_LAUNCH};
  mlp_cl_bench *bench = NULL;
  mlp_cl_bench_result result;
  mlp_cl_context *context = open_context(true);
  ck_ok(mlp_cl_bench_create(context, &work, &bench, &test_error));
  layer_reset();
  ck_ok(mlp_cl_bench_run(bench, 0.0, &result, &test_error));
  ck_assert_uint_gt(layer_launches(NULL), 0);
  ck_assert_uint_eq(layer_launches("peak_nothing"), layer_launches(NULL));
  ck_ok(mlp_cl_profile_write(context, test_path("trace.json"), &test_error));
  mlp_cl_bench_destroy(bench);
  mlp_cl_context_destroy(context);
  char *text = (char *)test_file_read(test_path("trace.json"), &(size_t){0});
  ck_assert_ptr_null(strstr(text, "peak_nothing"));
  free(text);
}
END_TEST

START_TEST(long_runs_are_cut) {
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths};
  const mlp_cl_bench_work work = {.kind = MLP_CL_BENCH_TRAIN, .shape = &shape, .batch = 1};
  mlp_cl_bench *bench = NULL;
  mlp_cl_bench_result result;
  mlp_cl_context *context = open_with("plain", true); /* which launches much */
  ck_ok(mlp_cl_bench_create(context, &work, &bench, &test_error));
  layer_reset();
  while (layer_launches(NULL) < 150000) ck_ok(mlp_cl_bench_run(bench, 0.0, &result, &test_error));
  ck_ok(mlp_cl_profile_write(context, test_path("trace.json"), &test_error));
  mlp_cl_bench_destroy(bench);
  mlp_cl_context_destroy(context);
  size_t count;
  char *text = (char *)test_file_read(test_path("trace.json"), &count);
  ck_assert_ptr_nonnull(strstr(text, "\"recorded\":131072}"));
  ck_assert_ptr_nonnull(strstr(text + count - 5, "]}"));
  free(text);
}
END_TEST

START_TEST(refusals) {
  mlp_cl_context *context = open_context(false), *reference = test_open_reference();
  ck_fails(mlp_cl_profile_write(context, test_path("trace.json"), &test_error), MLP_CL_BAD_ARGUMENT, "profile");
  ck_fails(mlp_cl_profile_write(reference, test_path("trace.json"), &test_error), MLP_CL_BAD_ARGUMENT, "reference");
  ck_fails(mlp_cl_profile_write(NULL, test_path("trace.json"), &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
  mlp_cl_context_destroy(context);
  context = open_context(true);
  ck_fails(mlp_cl_profile_write(context, test_path(""), &test_error), MLP_CL_BAD_ARGUMENT, "");
  mlp_cl_context_destroy(context);
  mlp_cl_context_destroy(reference);
  ck_assert_int_ne(access(test_path("trace.json"), F_OK), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("profile");
  TCase *tests = tcase_create("profile");
  tcase_set_timeout(tests, 280);
  tcase_add_checked_fixture(tests, use_new_folder, test_folder_remove);
  tcase_add_test(tests, a_run_with_every_launch);
  if (!test_small()) { /* the same everywhere */
    tcase_add_test(tests, of_nothing);
    tcase_add_test(tests, launches_that_are_measured_are_not_recorded);
    tcase_add_test(tests, long_runs_are_cut);
    tcase_add_test(tests, refusals);
  }
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
