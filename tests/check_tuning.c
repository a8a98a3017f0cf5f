/* The kernels' parameters in words: what is refused, what is worth trying, and that what was remembered is used,
 * forgotten on demand, and given up when the device no longer opens with it. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "layer.h"
#include "opencl/internal.h"
#include "test.h"

static const char other[] = "tile_rows=4 tile_panels=1 unit_rows=32 groups=7";

static void use_new_folder(void) {
  test_folder_create();
  setenv("MLP_CL_CACHE", test_path(""), 1);
}

static mlp_cl_status open_with(const char *kernels, const char *tuning, mlp_cl_context **context) {
  const mlp_cl_context_options options = {.kernels = kernels, .tuning = tuning};
  return mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, context, &test_error);
}

/* The parameters that a context has which is opened so. */
static void expect_tuning(const char *asked, const char *wanted) {
  mlp_cl_context *context = NULL;
  ck_ok(open_with("panel", asked, &context));
  ck_assert_str_eq(mlp_cl_context_tuning(context), wanted);
  ck_assert(mlp_cl_context_exact(context, NULL));
  mlp_cl_context_destroy(context);
}

static void find_default(char text[MLP_CL_TUNING_BYTES]) {
  mlp_cl_context *context = NULL;
  ck_ok(open_with("panel", "", &context));
  ck_assert(mlp_cl_tuning_candidate(context, 0, text));
  ck_assert_str_eq(mlp_cl_context_tuning(context), text);
  mlp_cl_context_destroy(context);
}

static void keep_other(void) {
  mlp_cl_context *context = NULL;
  ck_ok(open_with("panel", other, &context));
  ck_ok(mlp_cl_tuning_keep(context, &test_error));
  mlp_cl_context_destroy(context);
}

START_TEST(refuses_what_does_not_fit) {
  static const struct {
    const char *kernels, *tuning;
  } cases[] = {
      {"panel", "nonsense"},      {"panel", "tile_rows"},
      {"panel", "tile_rows="},    {"panel", "tile_rows=0"},
      {"panel", "tile_rows=-4"},  {"panel", "tile_rows=4x"},
      {"panel", "tile_rows=17"},  {"panel", "tile_rows=99999999999999999999"},
      {"panel", "tile_rows=5"},   {"panel", "unit_rows=40"},
      {"panel", "tile_panels=0"}, {"panel", "tile_panels=5"},
      {"panel", "item_rows=8"},   {"plain", "tile_rows=4"},
      {"tile", "tile_rows=4"},    {"tile", "item_rows=6"},
      {"tile", "slab_unroll=17"}, {"tile", "group_rows=64 group_cols=65"},
      {"tile", "registers=168"},  {"tile", "registers=256"}, /* another compiler is not told so */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    mlp_cl_context *context = NULL;
    ck_fails(open_with(cases[i].kernels, cases[i].tuning, &context), MLP_CL_BAD_ARGUMENT, cases[i].tuning);
    ck_assert_ptr_null(context);
  }
}
END_TEST

static const char *options_of(opencl_backend *self, const char *kernels, const char *tuning) {
  ck_ok(opencl_tuning_set(self, kernels, tuning, &test_error));
  return self->base.build_options;
}

START_TEST(registers_are_an_option_of_the_compiler) {
  opencl_backend self = {
      .vendor = 0x10DE,
      .base.device = {
          .type = MLP_CL_DEVICE_GPU, .platform = "NVIDIA CUDA", .work_group_size = 1024, .local_memory_bytes = 49152}};
  ck_assert_ptr_nonnull(strstr(options_of(&self, NULL, "registers=168"), " -cl-nv-maxrregcount=168"));
  ck_assert_ptr_null(strstr(options_of(&self, NULL, ""), "-cl-nv")); /* as many as it likes */
}
END_TEST

/* The device's own quotients and roots are for the kernels of CPUs, where it promises what they have to be. */
START_TEST(correct_division_is_asked_for) {
  opencl_backend self = {
      .base.device = {.type = MLP_CL_DEVICE_CPU, .work_group_size = 4096, .local_memory_bytes = 49152}};
  ck_assert_ptr_null(strstr(options_of(&self, "panel", ""), "divide-sqrt"));
  self.correct_division = true;
  ck_assert_ptr_nonnull(
      strstr(options_of(&self, "panel", ""), " -cl-fp32-correctly-rounded-divide-sqrt -DCORRECT_DIVISION=1"));
  ck_assert_ptr_null(strstr(options_of(&self, "tile", ""), "DIVISION"));
  ck_assert_ptr_null(strstr(options_of(&self, "plain", ""), "DIVISION"));
}
END_TEST

/* Sums that a work-item cannot keep in registers would be read and written at each step. */
START_TEST(tiles_suit_the_registers_of_a_work_item) {
  static const struct {
    uint32_t vendor;
    uint64_t group_most, local_bytes;
    const char *tile;
  } cases[] = {
      {0x10DE, 1024, 49152, "group_rows=16 group_cols=8 item_rows=8 item_cols=8 "}, /* NVIDIA */
      {0x1002, 256, 65536, "group_rows=16 group_cols=8 item_rows=8 item_cols=8 "},  /* AMD */
      {0x8086, 512, 65536, "group_rows=16 group_cols=8 item_rows=4 item_cols=4 "},  /* Intel */
      {0x13B5, 384, 32768, "group_rows=16 group_cols=8 item_rows=4 item_cols=4 "},  /* Arm */
      {0x10DE, 128, 49152, "group_rows=4 group_cols=8 item_rows=4 item_cols=4 "},
      {0x10DE, 1024, 16384, "group_rows=4 group_cols=8 item_rows=4 item_cols=4 "},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    opencl_backend self = {.vendor = cases[i].vendor,
                           .base.device = {.type = MLP_CL_DEVICE_GPU,
                                           .compute_units = 16,
                                           .work_group_size = cases[i].group_most,
                                           .local_memory_bytes = cases[i].local_bytes}};
    ck_ok(opencl_tuning_set(&self, NULL, "", &test_error));
    ck_assert_msg(strncmp(self.base.tuning, cases[i].tile, strlen(cases[i].tile)) == 0, "case %zu: %s", i,
                  self.base.tuning);
  }
}
END_TEST

START_TEST(candidates_differ_and_are_accepted) {
  enum { MOST = 64 };
  static char seen[MOST][MLP_CL_TUNING_BYTES];
  mlp_cl_context *context = NULL;
  size_t count = 0;
  ck_ok(open_with("panel", "", &context));
  for (; count < MOST && mlp_cl_tuning_candidate(context, count, seen[count]); count++)
    for (size_t i = 0; i < count; i++) ck_assert_str_ne(seen[count], seen[i]);
  mlp_cl_context_destroy(context);
  ck_assert_uint_gt(count, 3);
  ck_assert_uint_lt(count, MOST);
  expect_tuning(seen[1], seen[1]);
}
END_TEST

START_TEST(what_is_kept_is_used) {
  char usual[MLP_CL_TUNING_BYTES];
  mlp_cl_context *context = NULL;
  find_default(usual);
  expect_tuning(NULL, usual);
  keep_other();
  expect_tuning(NULL, other);
  expect_tuning("", usual);
  ck_ok(open_with("plain", NULL, &context));
  ck_assert_str_eq(mlp_cl_context_tuning(context), "");
  ck_ok(mlp_cl_tuning_forget(context, &test_error)); /* of other kernels */
  mlp_cl_context_destroy(context);
  expect_tuning(NULL, other);
  ck_ok(open_with("panel", NULL, &context));
  ck_ok(mlp_cl_tuning_forget(context, &test_error));
  mlp_cl_context_destroy(context);
  expect_tuning(NULL, usual);
}
END_TEST

/* The entries that hold the word "exact" behind a line of 74 bytes. */
static void remove_verdicts(void) {
  DIR *folder = opendir(test_path(""));
  ck_assert_ptr_nonnull(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    struct stat about;
    const char *path = test_path(entry->d_name);
    if (stat(path, &about) == 0 && about.st_size == 79) unlink(path);
  }
  closedir(folder);
}

START_TEST(what_no_longer_works_is_given_up) {
  char usual[MLP_CL_TUNING_BYTES];
  find_default(usual);
  keep_other();
  remove_verdicts();
  layer_fail("clBuildProgram", 1, 0);
  expect_tuning(NULL, usual);
  expect_tuning(NULL, usual);
}
END_TEST

START_TEST(without_a_folder_there_is_nothing_to_keep) {
  mlp_cl_context *context = NULL;
  ck_ok(open_with("panel", "", &context));
  setenv("MLP_CL_CACHE", "off", 1);
  ck_fails(mlp_cl_tuning_keep(context, &test_error), MLP_CL_IO, "MLP_CL_CACHE");
  mlp_cl_context_destroy(context);
}
END_TEST

START_TEST(the_reference_has_none) {
  char text[MLP_CL_TUNING_BYTES];
  mlp_cl_context *context = test_open_reference();
  ck_assert_str_eq(mlp_cl_context_tuning(context), "");
  ck_assert(!mlp_cl_tuning_candidate(context, 0, text));
  ck_fails(mlp_cl_tuning_keep(context, &test_error), MLP_CL_BAD_ARGUMENT, "reference");
  ck_fails(mlp_cl_tuning_forget(context, &test_error), MLP_CL_BAD_ARGUMENT, "reference");
  mlp_cl_context_destroy(context);
  ck_fails(mlp_cl_tuning_keep(NULL, &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
  ck_fails(mlp_cl_tuning_forget(NULL, &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tuning");
  TCase *tests = tcase_create("tuning");
  tcase_set_timeout(tests, 280);
  tcase_add_checked_fixture(tests, use_new_folder, test_folder_remove);
  tcase_add_test(tests, refuses_what_does_not_fit);
  tcase_add_test(tests, registers_are_an_option_of_the_compiler);
  tcase_add_test(tests, correct_division_is_asked_for);
  tcase_add_test(tests, tiles_suit_the_registers_of_a_work_item);
  tcase_add_test(tests, candidates_differ_and_are_accepted);
  tcase_add_test(tests, what_is_kept_is_used);
  tcase_add_test(tests, what_no_longer_works_is_given_up);
  tcase_add_test(tests, without_a_folder_there_is_nothing_to_keep);
  tcase_add_test(tests, the_reference_has_none);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
