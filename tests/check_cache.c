/* The cache of facts: kept, told apart, refused when the folder or the file cannot be trusted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
  tcase_add_test(tests, follows_no_link);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
