/* Programs kept between runs: made once and taken from the cache afterwards, also when many processes begin at once;
 * made anew when what was kept is damaged or the driver refuses it; and not kept where that costs more than it saves.
 * The layer counts what is compiled. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context/tensor_set.h"
#include "files.h"
#include "layer.h"
#include "opencl/opencl.h"
#include "test.h"

static void use_new_folder(void) {
  test_folder_create();
  setenv("MLP_CL_CACHE", test_path(""), 1);
}

/* Opens the device, runs one kernel of its program and compares; true when all that was right. */
static bool run_a_kernel(void) {
  const float values[3] = {-1.0f, 0.5f, 2.0f}, wanted[3] = {0.0f, 0.5f, 2.0f};
  float got[3] = {0};
  backend *device = NULL;
  const mlp_cl_context_options options = {.kernels = "plain"};
  if (opencl_open((size_t)atoi(getenv("MLP_CL_TEST_DEVICE")), &options, &device, &test_error) != MLP_CL_OK)
    return false;
  tensor_set set;
  tensor_set_begin(&set, device, &test_error);
  const tensor *x = tensor_set_add(&set, TENSOR_ACTIVATION, TENSOR_FLOAT32, 1, 3, values);
  tensor *y = tensor_set_add(&set, TENSOR_ACTIVATION, TENSOR_FLOAT32, 1, 3, NULL);
  DO(&set, relu, 1, x, y);
  tensor_set_read(&set, y, got);
  bool good = tensor_set_end(&set) == MLP_CL_OK && memcmp(got, wanted, sizeof got) == 0;
  device->op->close(device);
  return good;
}

/* The same, when so many programs shall be compiled from source and so many taken from binaries. */
static void expect_programs(unsigned from_source, unsigned from_binary) {
  layer_reset();
  ck_assert_msg(run_a_kernel(), "%s", test_error.text);
  ck_assert_msg(layer_active(), "the OpenCL loader did not take the layer: run with ctest");
  ck_assert_uint_eq(layer_calls("clCreateProgramWithSource"), from_source);
  ck_assert_uint_eq(layer_calls("clCreateProgramWithBinary"), from_binary);
  ck_assert_int_eq(layer_objects(NULL), 0);
}

static bool is_pocl(void) {
  const char *platforms = getenv("OCL_ICD_VENDORS");
  return platforms != NULL && strcmp(platforms, "pocl.icd") == 0;
}

/* Calls on_entry with the path of each file in the folder. */
static void for_each_entry(void (*on_entry)(const char *path)) {
  DIR *folder = opendir(test_path(""));
  ck_assert_ptr_nonnull(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (entry->d_name[0] != '.') on_entry(test_path(entry->d_name));
  closedir(folder);
}

static void flip_last_byte(const char *path) {
  size_t count;
  unsigned char *bytes = test_file_read(path, &count);
  bytes[count - 1] ^= 1;
  test_file_write(path, bytes, count);
  free(bytes);
}

static void cut_in_half(const char *path) {
  struct stat about;
  ck_assert_int_eq(stat(path, &about), 0);
  ck_assert_int_eq(truncate(path, about.st_size / 2), 0);
}

static void replace_by_link(const char *path) {
  ck_assert_int_eq(unlink(path), 0);
  ck_assert_int_eq(symlink("/dev/zero", path), 0);
}

/* First, while this process has not called OpenCL yet. */
START_TEST(many_processes_begin_with_nothing) {
  enum { PROCESSES = 4 };
  pid_t processes[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    processes[i] = fork();
    ck_assert_int_ge(processes[i], 0);
    if (processes[i] == 0) _exit(run_a_kernel() ? 0 : 1);
  }
  for (int i = 0; i < PROCESSES; i++) {
    int status = -1;
    ck_assert_int_eq(waitpid(processes[i], &status, 0), processes[i]);
    ck_assert_int_eq(status, 0);
  }
  ck_assert_uint_eq(test_folder_count(), 1);
  expect_programs(0, 1);
}
END_TEST

START_TEST(compiled_once) {
  expect_programs(1, 0);
  for (int i = 0; i < 2; i++) expect_programs(0, 1);
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(damage_is_repaired) {
  void (*const damages[])(const char *) = {flip_last_byte, cut_in_half, replace_by_link};
  expect_programs(1, 0);
  for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
    for_each_entry(damages[i]);
    expect_programs(1, 0);
    expect_programs(0, 1);
  }
}
END_TEST

START_TEST(what_the_driver_refuses_is_made_anew) {
  expect_programs(1, 0);
  layer_fail("clCreateProgramWithBinary", 1, 0);
  expect_programs(1, 1);
  expect_programs(0, 1);
  layer_fail("clBuildProgram", 1, 0);
  expect_programs(1, 1);
}
END_TEST

START_TEST(without_a_folder_nothing_is_kept) {
  setenv("MLP_CL_CACHE", "off", 1);
  expect_programs(1, 0);
  expect_programs(1, 0);
  setenv("MLP_CL_CACHE", test_path(""), 1);
  ck_assert_int_eq(chmod(test_path(""), 0777), 0);
  expect_programs(1, 0);
  ck_assert_uint_eq(test_folder_count(), 0);
}
END_TEST

START_TEST(not_where_the_driver_keeps_its_own) {
  expect_programs(1, 0);
  ck_assert_uint_eq(layer_calls("clGetProgramInfo"), 0);
  expect_programs(1, 0);
  ck_assert_uint_eq(test_folder_count(), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("programs");
  TCase *tests = tcase_create("programs");
  tcase_set_timeout(tests, 280);
  tcase_add_checked_fixture(tests, use_new_folder, test_folder_remove);
  if (is_pocl()) {
    tcase_add_test(tests, not_where_the_driver_keeps_its_own);
  } else {
    tcase_add_test(tests, many_processes_begin_with_nothing);
    tcase_add_test(tests, compiled_once);
    tcase_add_test(tests, damage_is_repaired);
    tcase_add_test(tests, what_the_driver_refuses_is_made_anew);
    tcase_add_test(tests, without_a_folder_nothing_is_kept);
  }
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
