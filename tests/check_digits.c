/* The built-in digits: complete, scaled, and held out as digits.c says. The figures come from another program. */
#include <stdlib.h>

#include "data/dataset.h"
#include "test.h"

static void expect_part(const mlp_cl_dataset *part, size_t rows, uint64_t pixel_sum, const size_t counts[10]) {
  ck_assert_uint_eq(mlp_cl_dataset_rows(part), rows);
  ck_assert_uint_eq(mlp_cl_dataset_width(part), 64);
  ck_assert_uint_eq(mlp_cl_dataset_classes(part), 10);
  ck_assert(mlp_cl_dataset_scale(part) == 0.0625f);
  ck_assert_str_eq(mlp_cl_dataset_class_name(part, 9), "9");
  ck_assert_int_eq(part->element, MLP_CL_UINT8);
  uint64_t sum = 0;
  for (size_t i = 0; i < rows * 64; i++) {
    ck_assert_uint_le(((const uint8_t *)part->features)[i], 16);
    sum += ((const uint8_t *)part->features)[i];
  }
  ck_assert_uint_eq(sum, pixel_sum);
  size_t seen[10] = {0};
  for (size_t i = 0; i < rows; i++) seen[mlp_cl_dataset_labels(part)[i]]++;
  for (size_t c = 0; c < 10; c++) ck_assert_uint_eq(seen[c], counts[c]);
}

START_TEST(both_parts_are_as_written) {
  static const size_t train_counts[10] = {143, 146, 142, 147, 145, 146, 145, 144, 140, 144};
  static const size_t test_counts[10] = {35, 36, 35, 36, 36, 36, 36, 35, 34, 36};
  static const int32_t first[12] = {5, 0, 9, 8, 7, 1, 2, 6, 3, 4, 0, 2};
  mlp_cl_dataset *train, *test;
  ck_ok(mlp_cl_dataset_open("digits", &train, &test, &test_error));
  expect_part(train, 1442, 450566, train_counts);
  expect_part(test, 355, 111152, test_counts);
  for (size_t i = 0; i < 12; i++) ck_assert_int_eq(mlp_cl_dataset_labels(test)[i], first[i]);
  ck_assert_int_eq(((const uint8_t *)train->features)[2], 5);
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(test);
}
END_TEST

START_TEST(test_part_may_be_left_out) {
  mlp_cl_dataset *train;
  ck_ok(mlp_cl_dataset_open("digits", &train, NULL, &test_error));
  ck_assert_uint_eq(mlp_cl_dataset_rows(train), 1442);
  mlp_cl_dataset_destroy(train);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("digits");
  TCase *cases = tcase_create("digits");
  tcase_add_test(cases, both_parts_are_as_written);
  tcase_add_test(cases, test_part_may_be_left_out);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
