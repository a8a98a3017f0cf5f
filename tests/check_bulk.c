/* Arrays that lie in memory or, above a limit, in a file: the same content, however they grow, and nothing left
 * behind. */
#include "base/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "files.h"
#include "test.h"

static char *old_folder;

static void begin(void) {
  const char *given = getenv("TMPDIR");
  old_folder = given != NULL ? strdup(given) : NULL;
  test_folder_create();
  setenv("TMPDIR", test_path(""), 1);
}

static void end(void) {
  unsetenv("MLP_CL_HOST_MEMORY");
  unsetenv("TMPDIR");
  if (old_folder != NULL) setenv("TMPDIR", old_folder, 1);
  free(old_folder);
  test_folder_remove();
}

static void set_limit(const char *mib) {
  ck_assert_int_eq(setenv("MLP_CL_HOST_MEMORY", mib, 1), 0);
}

START_TEST(the_limit_is_told_in_mebibytes) {
  set_limit("3");
  ck_assert_uint_eq(bulk_limit(), 3 << 20);
  set_limit("0");
  ck_assert_uint_eq(bulk_limit(), 0);
  unsetenv("MLP_CL_HOST_MEMORY");
  uint64_t usual = bulk_limit();
  ck_assert_uint_gt(usual, 1 << 20);
  static const char *const bad[] = {"", "3 GiB", "x", "99999999999999999999"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    set_limit(bad[i]);
    ck_assert_uint_eq(bulk_limit(), usual);
  }
}
END_TEST

/* From nothing over the limit, where the array moves from memory to a file, to many times as much. */
START_TEST(an_array_keeps_its_content_as_it_grows) {
  set_limit("1");
  uint32_t *array = NULL;
  size_t count = 0;
  for (size_t room = 1; room <= (size_t)1 << 22; room *= 4) {
    array = bulk_resize(array, room * sizeof *array);
    ck_assert_ptr_nonnull(array);
    ck_assert_uint_eq((uintptr_t)array % 16, 0);
    ck_assert(bulk_in_file(array) == (room * sizeof *array > bulk_limit()));
    for (; count < room; count++) array[count] = (uint32_t)count * 2654435761u;
    bulk_expect_random(array);
    size_t same = 0;
    for (size_t i = 0; i < count; i++) same += array[i] == (uint32_t)i * 2654435761u;
    ck_assert_uint_eq(same, count);
    ck_assert_uint_eq(test_folder_count(), 0);
  }
  bulk_free(array);
  bulk_expect_random(NULL);
  bulk_free(NULL);
}
END_TEST

START_TEST(no_room_is_told_and_changes_nothing) {
  set_limit("0");
  char *array = bulk_allocate(5);
  memcpy(array, "rows", 5);
  ck_assert_ptr_null(bulk_resize(array, SIZE_MAX / 4));
  ck_assert_ptr_null(bulk_resize(array, SIZE_MAX));
  ck_assert_str_eq(array, "rows");
  bulk_free(array);
  setenv("TMPDIR", test_path("nowhere"), 1);
  ck_assert_ptr_null(bulk_allocate(5));
  mlp_cl_dataset *dataset;
  ck_fails(mlp_cl_dataset_open("digits", &dataset, NULL, &test_error), MLP_CL_NO_MEMORY, "nowhere; name a folder");
}
END_TEST

START_TEST(data_sets_are_the_same_in_memory_and_in_files) {
  char in_memory[65], in_file[65];
  mlp_cl_dataset *dataset;
  for (int file = 0; file < 2; file++) {
    set_limit(file ? "0" : "100");
    ck_ok(mlp_cl_dataset_open("digits", &dataset, NULL, &test_error));
    dataset_sha256(dataset, file ? in_file : in_memory);
    mlp_cl_dataset_destroy(dataset);
  }
  ck_assert_str_eq(in_memory, in_file);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bulk");
  TCase *cases = tcase_create("bulk");
  tcase_add_checked_fixture(cases, begin, end);
  tcase_add_test(cases, the_limit_is_told_in_mebibytes);
  tcase_add_test(cases, an_array_keeps_its_content_as_it_grows);
  tcase_add_test(cases, no_room_is_told_and_changes_nothing);
  tcase_add_test(cases, data_sets_are_the_same_in_memory_and_in_files);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
