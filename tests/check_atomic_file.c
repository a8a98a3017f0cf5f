/* Files appear whole or not at all, and an output that cannot be written is known beforehand. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "files.h"
#include "test.h"

static void write_whole(const char *path, const char *text) {
  atomic_file file;
  ck_ok(atomic_file_begin(&file, path, &test_error));
  ck_ok(atomic_file_write(&file, text, strlen(text), &test_error));
  ck_ok(atomic_file_commit(&file, &test_error));
}

static void expect_content(const char *path, const char *text) {
  size_t count;
  unsigned char *bytes = test_file_read(path, &count);
  ck_assert_str_eq((const char *)bytes, text);
  ck_assert_uint_eq(count, strlen(text));
  free(bytes);
}

START_TEST(writes_new_file_with_the_umask) {
  mode_t before = umask(027);
  write_whole(test_path("new"), "content");
  umask(before);
  struct stat status;
  expect_content(test_path("new"), "content");
  ck_assert_int_eq(stat(test_path("new"), &status), 0);
  ck_assert_uint_eq(status.st_mode & 0777, 0640);
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(target_is_old_until_commit) {
  write_whole(test_path("file"), "old");
  atomic_file file;
  ck_ok(atomic_file_begin(&file, test_path("file"), &test_error));
  ck_ok(atomic_file_write(&file, "new", 3, &test_error));
  expect_content(test_path("file"), "old");
  ck_ok(atomic_file_commit(&file, &test_error));
  expect_content(test_path("file"), "new");
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(permissions_stay) {
  struct stat status;
  write_whole(test_path("file"), "old");
  ck_assert_int_eq(chmod(test_path("file"), 0600), 0);
  write_whole(test_path("file"), "new");
  ck_assert_int_eq(stat(test_path("file"), &status), 0);
  ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(abandon_leaves_no_trace) {
  write_whole(test_path("file"), "old");
  atomic_file file;
  ck_ok(atomic_file_begin(&file, test_path("file"), &test_error));
  ck_ok(atomic_file_write(&file, "new", 3, &test_error));
  ck_assert_uint_le(test_folder_count(), 2); /* it may have no name yet */
  atomic_file_abandon(&file);
  expect_content(test_path("file"), "old");
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(relative_names_work) {
  ck_assert_int_eq(chdir(test_path("")), 0);
  write_whole("plain", "1");
  write_whole("./dotted", "2");
  ck_assert_int_eq(chdir("/"), 0);
  expect_content(test_path("plain"), "1");
  expect_content(test_path("dotted"), "2");
}
END_TEST

START_TEST(links_are_followed) {
  write_whole(test_path("real"), "old");
  ck_assert_int_eq(symlink("real", test_path("link")), 0);
  write_whole(test_path("link"), "new");
  struct stat status;
  ck_assert_int_eq(lstat(test_path("link"), &status), 0);
  ck_assert(S_ISLNK(status.st_mode));
  expect_content(test_path("real"), "new");
  ck_assert_int_eq(symlink("nowhere", test_path("dangling")), 0);
  ck_fails(mlp_cl_check_output(test_path("dangling"), &test_error), MLP_CL_IO, "follow the link");
}
END_TEST

START_TEST(failed_write_keeps_the_old_file) {
  write_whole(test_path("file"), "old");
  struct rlimit before, small;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 1 << 20; /* Check writes a file of its own */
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
  static const char bytes[(1 << 20) + 1];
  atomic_file file;
  ck_ok(atomic_file_begin(&file, test_path("file"), &test_error));
  mlp_cl_status status = atomic_file_write(&file, bytes, sizeof bytes, &test_error);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
  ck_fails(status, MLP_CL_IO, "File too large");
  atomic_file_abandon(&file);
  expect_content(test_path("file"), "old");
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(failed_rename_removes_the_temporary) {
  atomic_file file;
  ck_ok(atomic_file_begin(&file, test_path("file"), &test_error));
  ck_assert_int_eq(mkdir(test_path("file"), 0777), 0);
  ck_fails(atomic_file_commit(&file, &test_error), MLP_CL_IO, "cannot rename");
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(bad_outputs_are_known_beforehand) {
  char long_name[300];
  memset(long_name, 'x', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  write_whole(test_path("file"), "old");
  ck_fails(mlp_cl_check_output(NULL, &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
  ck_fails(mlp_cl_check_output("", &test_error), MLP_CL_BAD_ARGUMENT, "empty");
  ck_fails(mlp_cl_check_output(test_path(""), &test_error), MLP_CL_BAD_ARGUMENT, "is a folder");
  ck_fails(mlp_cl_check_output(test_path("new/"), &test_error), MLP_CL_BAD_ARGUMENT, "is a folder");
  ck_fails(mlp_cl_check_output("/dev/null", &test_error), MLP_CL_BAD_ARGUMENT, "not a regular file");
  ck_fails(mlp_cl_check_output(test_path("missing/file"), &test_error), MLP_CL_IO, "No such file");
  ck_fails(mlp_cl_check_output(test_path("file/file"), &test_error), MLP_CL_IO, "Not a directory");
  ck_fails(mlp_cl_check_output("/proc/file", &test_error), MLP_CL_IO, "/proc/file: cannot create");
  ck_fails(mlp_cl_check_output(test_path(long_name), &test_error), MLP_CL_IO, "name too long");
  ck_assert_int_ne(mlp_cl_check_output("", NULL), MLP_CL_OK);
}
END_TEST

START_TEST(good_outputs_stay_as_they_were) {
  write_whole(test_path("file"), "old");
  ck_ok(mlp_cl_check_output(test_path("file"), &test_error));
  ck_ok(mlp_cl_check_output(test_path("new"), &test_error));
  expect_content(test_path("file"), "old");
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("atomic_file");
  TCase *cases = tcase_create("atomic_file");
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_add_test(cases, writes_new_file_with_the_umask);
  tcase_add_test(cases, target_is_old_until_commit);
  tcase_add_test(cases, permissions_stay);
  tcase_add_test(cases, abandon_leaves_no_trace);
  tcase_add_test(cases, relative_names_work);
  tcase_add_test(cases, links_are_followed);
  tcase_add_test(cases, failed_write_keeps_the_old_file);
  tcase_add_test(cases, failed_rename_removes_the_temporary);
  tcase_add_test(cases, bad_outputs_are_known_beforehand);
  tcase_add_test(cases, good_outputs_stay_as_they_were);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
