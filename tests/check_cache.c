/* The cache of facts: kept, told apart, refused when the folder or the file cannot be trusted. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cache.h"
#include "files.h"
#include "test.h"

static const char key[65] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char other_key[65] = "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void use_new_folder(void) {
  test_folder_create();
  setenv("MLP_CL_CACHE", test_path(""), 1);
}

START_TEST(keeps_a_fact) {
  ck_assert(!cache_holds(key, "exact"));
  cache_keep(key, "exact");
  ck_assert(cache_holds(key, "exact"));
  ck_assert(!cache_holds(key, "other"));
}
END_TEST

START_TEST(creates_its_folder_closed_to_others) {
  struct stat about;
  setenv("MLP_CL_CACHE", test_path("inner"), 1);
  ck_assert(cache_keep(key, "exact"));
  ck_assert(cache_holds(key, "exact"));
  ck_assert_int_eq(stat(test_path("inner"), &about), 0);
  ck_assert_int_eq(about.st_mode & 0777, 0700);
  cache_forget(key);
}
END_TEST

static void expect_no_folder(const char *value) {
  setenv("MLP_CL_CACHE", value, 1);
  ck_assert_msg(!cache_keep(key, "exact"), "kept in \"%s\"", value);
  ck_assert_msg(!cache_available(), "\"%s\" is a folder", value);
}

START_TEST(what_is_no_folder_of_ours_is_not_used) {
  static char long_path[8192];
  long_path[0] = '/';
  memset(long_path + 1, 'x', sizeof long_path - 2);
  test_file_write(test_path("file"), "", 0);
  ck_assert_int_eq(symlink(test_path(""), test_path("link")), 0);
  expect_no_folder(test_path("file"));
  expect_no_folder(test_path("file/inner"));
  expect_no_folder(test_path("link"));
  expect_no_folder("/proc/inner");
  expect_no_folder(long_path);
  unsetenv("HOME");
  setenv("XDG_CACHE_HOME", "relative", 1);
  expect_no_folder("");
}
END_TEST

START_TEST(a_relative_name_will_do) {
  ck_assert_int_eq(chdir(test_path("")), 0);
  setenv("MLP_CL_CACHE", "inner", 1);
  ck_assert(cache_keep(key, "exact"));
  setenv("MLP_CL_CACHE", test_path("inner"), 1);
  ck_assert(cache_holds(key, "exact"));
  cache_forget(key);
  ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(without_a_name_it_is_in_the_home) {
  setenv("MLP_CL_CACHE", "", 1);
  setenv("HOME", test_path(""), 1);
  unsetenv("XDG_CACHE_HOME");
  ck_assert(cache_keep(key, "exact"));
  setenv("MLP_CL_CACHE", test_path(".cache/mlp_cl"), 1);
  ck_assert(cache_holds(key, "exact"));
  cache_forget(key);
  ck_assert_int_eq(rmdir(test_path(".cache/mlp_cl")), 0);
}
END_TEST

START_TEST(off_keeps_nothing) {
  setenv("MLP_CL_CACHE", "off", 1);
  cache_keep(key, "exact");
  ck_assert(!cache_holds(key, "exact"));
}
END_TEST

START_TEST(refuses_a_folder_that_others_can_write) {
  ck_assert(cache_keep(key, "exact"));
  ck_assert(cache_holds(key, "exact"));
  ck_assert_int_eq(chmod(test_path(""), 0777), 0);
  ck_assert(!cache_holds(key, "exact"));
}
END_TEST

START_TEST(refuses_an_entry_that_others_can_write) {
  ck_assert(cache_keep(key, "exact"));
  ck_assert_int_eq(chmod(test_path(key), 0620), 0);
  ck_assert(!cache_holds(key, "exact"));
}
END_TEST

/* With a right seal, since everybody can compute one. */
START_TEST(refuses_what_belongs_to_another) {
  ck_assert(cache_keep(key, "exact"));
  ck_assert_int_eq(chown(test_path(key), 65534, 65534), 0);
  ck_assert(!cache_holds(key, "exact"));
  ck_assert(cache_keep(key, "exact"));
  ck_assert(cache_holds(key, "exact"));
  ck_assert_int_eq(chown(test_path(""), 65534, 65534), 0);
  ck_assert(!cache_holds(key, "exact"));
}
END_TEST

START_TEST(an_entry_cut_or_changed_anywhere_is_absent) {
  size_t count;
  ck_assert(cache_keep(key, "exact"));
  unsigned char *bytes = test_file_read(test_path(key), &count);
  for (size_t length = 0; length <= count; length++) {
    ck_assert_int_eq(truncate(test_path(key), (off_t)length), 0);
    ck_assert(!cache_holds(key, "exact") || length == count);
    test_file_write(test_path(key), bytes, count);
  }
  for (size_t bit = 0; bit < count * 8; bit++) {
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    test_file_write(test_path(key), bytes, count);
    ck_assert_ptr_null(cache_read(key, &(size_t){0}));
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  free(bytes);
  ck_assert_int_eq(truncate(test_path(key), 1LL << 40), 0);
  ck_assert(!cache_holds(key, "exact"));
  ck_assert(cache_keep(key, "exact"));
  ck_assert(cache_holds(key, "exact"));
}
END_TEST

START_TEST(what_is_no_file_is_absent) {
  ck_assert_int_eq(mkfifo(test_path(key), 0600), 0);
  ck_assert(!cache_holds(key, "exact"));
  ck_assert(cache_keep(key, "exact"));
  ck_assert(cache_holds(key, "exact"));
  ck_assert_int_eq(mkdir(test_path(other_key), 0700), 0);
  ck_assert(!cache_holds(other_key, "exact"));
  ck_assert(!cache_keep(other_key, "exact"));
  ck_assert_uint_eq(test_folder_count(), 2);
}
END_TEST

START_TEST(a_write_that_is_cut_short_leaves_nothing) {
  const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY}, little = {100, RLIM_INFINITY};
  char bytes[1000] = {0};
  signal(SIGXFSZ, SIG_IGN);
  bool limited = setrlimit(RLIMIT_FSIZE, &little) == 0; /* for Check's own files too */
  bool written = cache_write(key, bytes, sizeof bytes);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
  ck_assert(limited && !written);
  ck_assert_uint_eq(test_folder_count(), 0);
  ck_assert(cache_write(key, bytes, sizeof bytes));
}
END_TEST

START_TEST(keeps_bytes) {
  static const size_t counts[] = {0, 1, 17, 100000};
  static char bytes[100000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 31);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    size_t count = 1;
    cache_write(key, bytes, counts[i]);
    char *found = cache_read(key, &count);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(count, counts[i]);
    ck_assert_int_eq(memcmp(found, bytes, count), 0);
    ck_assert_int_eq(found[count], '\0');
    free(found);
  }
  cache_forget(key);
  ck_assert_ptr_null(cache_read(key, &(size_t){0}));
}
END_TEST

static void set_age(const char *path, time_t seconds) {
  const struct timespec then = {.tv_sec = time(NULL) - seconds};
  ck_assert_int_eq(utimensat(AT_FDCWD, path, (const struct timespec[]){then, then}, 0), 0);
}

static bool exists(const char *name) {
  return access(test_path(name), F_OK) == 0;
}

/* What was not read for longest goes first; short texts, and what is not the cache's, stay. */
START_TEST(does_not_grow_for_ever) {
  enum { ENTRIES = 5, BYTES = 10000 };
  static const char bytes[BYTES];
  char keys[ENTRIES][65], foreign[BYTES] = "";
  size_t count;
  for (size_t i = 0; i < ENTRIES; i++) {
    memcpy(keys[i], key, sizeof key);
    keys[i][0] = (char)('a' + i);
    ck_assert(cache_write(keys[i], bytes, BYTES));
    set_age(test_path(keys[i]), 1000 - (time_t)i);
  }
  ck_assert(cache_keep(key, "exact"));
  set_age(test_path(key), 5000);
  test_file_write(test_path("foreign"), foreign, BYTES);
  test_file_write(test_path(".new-killed"), foreign, BYTES);
  test_file_write(test_path(".new-busy"), foreign, BYTES);
  set_age(test_path("foreign"), 5000);
  set_age(test_path(".new-killed"), 100000);
  free(cache_read(keys[0], &count)); /* whose last use is the last of all now */
  cache_prune(ENTRIES * (BYTES + 100));
  ck_assert(exists(keys[1]) && exists(".new-busy") && !exists(".new-killed"));
  cache_prune(3 * (BYTES + 100));
  ck_assert(exists(keys[0]) && !exists(keys[1]) && !exists(keys[2]) && exists(keys[3]) && exists(keys[4]));
  cache_prune(0);
  for (size_t i = 0; i < ENTRIES; i++) ck_assert(!exists(keys[i]));
  ck_assert(exists("foreign") && cache_holds(key, "exact"));
}
END_TEST

START_TEST(one_entry_is_not_taken_for_another) {
  ck_assert(cache_keep(key, "exact"));
  ck_assert_int_eq(rename(test_path(key), test_path(other_key)), 0);
  ck_assert(!cache_holds(other_key, "exact"));
}
END_TEST

/* Each process writes an entry of its own length and reads some process's: a whole one. */
static bool writes_and_reads(int process) {
  size_t length = 1000 + (size_t)process * 100, count;
  char *bytes = malloc(length);
  if (bytes == NULL) return false;
  memset(bytes, process, length);
  cache_write(key, bytes, length);
  free(bytes);
  char *found = cache_read(key, &count);
  bool whole = found != NULL && count == 1000 + (size_t)(unsigned char)found[0] * 100;
  for (size_t i = 0; whole && i < count; i++) whole = found[i] == found[0];
  free(found);
  return whole;
}

START_TEST(many_processes_see_whole_entries) {
  enum { PROCESSES = 200 };
  static pid_t processes[PROCESSES];
  for (int i = 0; i < PROCESSES; i++) {
    processes[i] = fork();
    ck_assert_int_ge(processes[i], 0);
    if (processes[i] == 0) _exit(writes_and_reads(i) ? 0 : 1);
  }
  for (int i = 0; i < PROCESSES; i++) {
    int status = -1;
    ck_assert_int_eq(waitpid(processes[i], &status, 0), processes[i]);
    ck_assert_int_eq(status, 0);
  }
}
END_TEST

START_TEST(follows_no_link) {
  ck_assert(cache_keep(key, "exact"));
  ck_assert_int_eq(rename(test_path(key), test_path("target")), 0);
  ck_assert_int_eq(symlink(test_path("target"), test_path(key)), 0);
  ck_assert(!cache_holds(key, "exact"));
  ck_assert(cache_keep(key, "other"));
  ck_assert(cache_holds(key, "other"));
  ck_assert_int_eq(rename(test_path("target"), test_path(key)), 0);
  ck_assert(cache_holds(key, "exact"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cache");
  TCase *tests = tcase_create("cache");
  tcase_add_checked_fixture(tests, use_new_folder, test_folder_remove);
  tcase_add_test(tests, keeps_a_fact);
  tcase_add_test(tests, creates_its_folder_closed_to_others);
  tcase_add_test(tests, what_is_no_folder_of_ours_is_not_used);
  tcase_add_test(tests, a_relative_name_will_do);
  tcase_add_test(tests, without_a_name_it_is_in_the_home);
  tcase_add_test(tests, off_keeps_nothing);
  tcase_add_test(tests, refuses_a_folder_that_others_can_write);
  tcase_add_test(tests, refuses_an_entry_that_others_can_write);
  if (geteuid() == 0) tcase_add_test(tests, refuses_what_belongs_to_another);
  tcase_add_test(tests, an_entry_cut_or_changed_anywhere_is_absent);
  tcase_add_test(tests, what_is_no_file_is_absent);
  tcase_add_test(tests, a_write_that_is_cut_short_leaves_nothing);
  tcase_add_test(tests, keeps_bytes);
  tcase_add_test(tests, does_not_grow_for_ever);
  tcase_add_test(tests, one_entry_is_not_taken_for_another);
  tcase_add_test(tests, many_processes_see_whole_entries);
  tcase_add_test(tests, follows_no_link);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
