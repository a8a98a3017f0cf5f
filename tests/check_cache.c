/* The cache of facts: kept, told apart, refused when the folder or the file cannot be trusted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cache.h"
#include "test.h"

static const char key[65] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static char folder[64], path[256];

static void use_new_folder(void) {
  snprintf(folder, sizeof folder, "/tmp/mlp_cl-cache-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/%s", folder, key);
  setenv("MLP_CL_CACHE", folder, 1);
}

static void remove_folder(void) {
  unlink(path);
  rmdir(folder);
}

START_TEST(keeps_a_fact) {
  ck_assert(!cache_holds(key, "exact"));
  cache_keep(key, "exact");
  ck_assert(cache_holds(key, "exact"));
  ck_assert(!cache_holds(key, "other"));
}
END_TEST

START_TEST(creates_its_folder_closed_to_others) {
  char inner[128];
  struct stat about;
  snprintf(inner, sizeof inner, "%s/inner", folder);
  setenv("MLP_CL_CACHE", inner, 1);
  cache_keep(key, "exact");
  ck_assert(cache_holds(key, "exact"));
  ck_assert_int_eq(stat(inner, &about), 0);
  ck_assert_int_eq(about.st_mode & 0777, 0700);
  snprintf(path, sizeof path, "%s/%s", inner, key);
  unlink(path);
  rmdir(inner);
}
END_TEST

START_TEST(off_keeps_nothing) {
  setenv("MLP_CL_CACHE", "off", 1);
  cache_keep(key, "exact");
  ck_assert(!cache_holds(key, "exact"));
}
END_TEST

START_TEST(refuses_a_folder_that_others_can_write) {
  cache_keep(key, "exact");
  ck_assert(cache_holds(key, "exact"));
  ck_assert_int_eq(chmod(folder, 0777), 0);
  ck_assert(!cache_holds(key, "exact"));
}
END_TEST

START_TEST(a_damaged_fact_is_absent) {
  cache_keep(key, "exact");
  ck_assert_int_eq(truncate(path, 20), 0);
  ck_assert(!cache_holds(key, "exact"));
  cache_keep(key, "exact");
  ck_assert(cache_holds(key, "exact"));
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

START_TEST(one_entry_is_not_taken_for_another) {
  static const char other_key[65] = "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  char other_path[256];
  snprintf(other_path, sizeof other_path, "%s/%s", folder, other_key);
  cache_keep(key, "exact");
  ck_assert_int_eq(rename(path, other_path), 0);
  ck_assert(!cache_holds(other_key, "exact"));
  unlink(other_path);
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
  char target[160];
  snprintf(target, sizeof target, "%s/target", folder);
  cache_keep(key, "exact");
  ck_assert_int_eq(rename(path, target), 0);
  ck_assert_int_eq(symlink(target, path), 0);
  ck_assert(!cache_holds(key, "exact"));
  unlink(target);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cache");
  TCase *tests = tcase_create("cache");
  tcase_add_checked_fixture(tests, use_new_folder, remove_folder);
  tcase_add_test(tests, keeps_a_fact);
  tcase_add_test(tests, creates_its_folder_closed_to_others);
  tcase_add_test(tests, off_keeps_nothing);
  tcase_add_test(tests, refuses_a_folder_that_others_can_write);
  tcase_add_test(tests, a_damaged_fact_is_absent);
  tcase_add_test(tests, keeps_bytes);
  tcase_add_test(tests, one_entry_is_not_taken_for_another);
  tcase_add_test(tests, many_processes_see_whole_entries);
  tcase_add_test(tests, follows_no_link);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
