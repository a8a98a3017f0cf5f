/* Data sets in memory: what they accept, what they answer, and how they are split. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "test.h"

static void expect_rejected(const void *features, mlp_cl_element element, size_t rows, size_t width, float scale,
                            const int32_t *labels, size_t classes, mlp_cl_status status, const char *part) {
  int garbage;
  mlp_cl_dataset *dataset = (mlp_cl_dataset *)&garbage;
  ck_fails(mlp_cl_dataset_from_arrays(features, element, rows, width, scale, labels, classes, &dataset, &test_error),
           status, part);
  ck_assert_ptr_null(dataset);
}

START_TEST(copies_and_answers) {
  int16_t features[3][2] = {{1, -2}, {32767, -32768}, {0, 5}};
  int32_t labels[3] = {2, 0, 11};
  mlp_cl_dataset *dataset;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_INT16, 3, 2, 0.5f, labels, 12, &dataset, &test_error));
  memset(features, 0, sizeof features);
  memset(labels, 0, sizeof labels);
  ck_assert_uint_eq(mlp_cl_dataset_rows(dataset), 3);
  ck_assert_uint_eq(mlp_cl_dataset_width(dataset), 2);
  ck_assert_uint_eq(mlp_cl_dataset_classes(dataset), 12);
  ck_assert(mlp_cl_dataset_scale(dataset) == 0.5f);
  ck_assert_int_eq(mlp_cl_dataset_labels(dataset)[2], 11);
  ck_assert_str_eq(mlp_cl_dataset_class_name(dataset, 0), "0");
  ck_assert_str_eq(mlp_cl_dataset_class_name(dataset, 11), "11");
  ck_assert_ptr_null(mlp_cl_dataset_class_name(dataset, 12));
  ck_assert_int_eq(((int16_t *)dataset->features)[3], -32768);
  mlp_cl_dataset_destroy(dataset);
  mlp_cl_dataset_destroy(NULL);
}
END_TEST

START_TEST(works_without_labels) {
  uint8_t one = 7;
  mlp_cl_dataset *dataset;
  ck_ok(mlp_cl_dataset_from_arrays(&one, MLP_CL_UINT8, 1, 1, 1, NULL, 10, &dataset, &test_error));
  ck_assert_uint_eq(mlp_cl_dataset_classes(dataset), 0);
  ck_assert_ptr_null(mlp_cl_dataset_labels(dataset));
  ck_assert_ptr_null(mlp_cl_dataset_class_name(dataset, 0));
  mlp_cl_dataset_destroy(dataset);
}
END_TEST

START_TEST(rejects_bad_arrays) {
  float features[4] = {1, 2, 3, 4};
  int32_t labels[2] = {0, 2};
  expect_rejected(features, MLP_CL_FLOAT32, 0, 2, 1, NULL, 0, MLP_CL_BAD_ARGUMENT, "0 rows");
  expect_rejected(features, MLP_CL_FLOAT32, 2, 0, 1, NULL, 0, MLP_CL_BAD_ARGUMENT, "0 features");
  expect_rejected(NULL, MLP_CL_FLOAT32, 2, 2, 1, NULL, 0, MLP_CL_BAD_ARGUMENT, "NULL");
  expect_rejected(features, (mlp_cl_element)17, 2, 2, 1, NULL, 0, MLP_CL_BAD_ARGUMENT, "17");
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, NAN, NULL, 0, MLP_CL_BAD_ARGUMENT, "scale");
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, 0, NULL, 0, MLP_CL_BAD_ARGUMENT, "scale");
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, 1, labels, 2, MLP_CL_BAD_ARGUMENT, "label 2 of row 1");
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, 1, labels, 0, MLP_CL_BAD_ARGUMENT, "0 classes");
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, 1, labels, SIZE_MAX, MLP_CL_BAD_ARGUMENT, "classes");
  expect_rejected(features, MLP_CL_FLOAT32, SIZE_MAX, 2, 1, NULL, 0, MLP_CL_BAD_SHAPE, "rows");
  expect_rejected(features, MLP_CL_FLOAT32, 1u << 30, SIZE_MAX / 4, 1, NULL, 0, MLP_CL_BAD_SHAPE, "too large");
  expect_rejected(features, MLP_CL_UINT8, 2, SIZE_MAX / 2, 1, NULL, 0, MLP_CL_NO_MEMORY, "data set");
  labels[1] = -1;
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, 1, labels, 2, MLP_CL_BAD_ARGUMENT, "label -1 of row 1");
  features[3] = -INFINITY;
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, 1, NULL, 0, MLP_CL_BAD_ARGUMENT, "feature 1 of row 1 is -inf");
  features[2] = NAN;
  expect_rejected(features, MLP_CL_FLOAT32, 2, 2, 1, NULL, 0, MLP_CL_BAD_ARGUMENT, "feature 0 of row 1");
}
END_TEST

START_TEST(targets_are_copied_checked_and_split) {
  float features[5] = {0, 1, 2, 3, 4}, targets[5][2] = {{0, -1}, {1, -2}, {2, -3}, {3, -4}, {4, -5}};
  mlp_cl_dataset *dataset, *kept, *held_out;
  ck_ok(mlp_cl_dataset_from_targets(features, MLP_CL_FLOAT32, 5, 1, 1, &targets[0][0], 2, &dataset, &test_error));
  targets[4][1] = NAN;
  ck_assert_uint_eq(mlp_cl_dataset_outputs(dataset), 2);
  ck_assert_uint_eq(mlp_cl_dataset_classes(dataset), 0);
  ck_assert_ptr_null(mlp_cl_dataset_labels(dataset));
  ck_assert_float_eq(mlp_cl_dataset_targets(dataset)[9], -5.0f);
  ck_ok(mlp_cl_dataset_split(dataset, 0.4, 3, &kept, &held_out, &test_error));
  ck_assert_uint_eq(mlp_cl_dataset_rows(kept), 3);
  ck_assert_uint_eq(mlp_cl_dataset_rows(held_out), 2);
  const mlp_cl_dataset *parts[] = {kept, held_out};
  for (size_t p = 0; p < 2; p++)
    for (size_t i = 0; i < parts[p]->rows; i++) {
      float feature = ((const float *)parts[p]->features)[i];
      ck_assert_float_eq(parts[p]->targets[2 * i], feature);
      ck_assert_float_eq(parts[p]->targets[2 * i + 1], -1.0f - feature);
    }
  mlp_cl_dataset_destroy(held_out);
  mlp_cl_dataset_destroy(kept);
  mlp_cl_dataset_destroy(dataset);
  ck_fails(mlp_cl_dataset_from_targets(features, MLP_CL_FLOAT32, 5, 1, 1, &targets[0][0], 2, &dataset, &test_error),
           MLP_CL_BAD_ARGUMENT, "target 1 of row 4 is nan");
  ck_assert_ptr_null(dataset);
  ck_fails(mlp_cl_dataset_from_targets(features, MLP_CL_FLOAT32, 5, 1, 1, &targets[0][0], 0, &dataset, &test_error),
           MLP_CL_BAD_ARGUMENT, "0 targets");
  ck_fails(mlp_cl_dataset_from_targets(features, MLP_CL_FLOAT32, 5, 1, 1, NULL, 1, &dataset, &test_error),
           MLP_CL_BAD_ARGUMENT, "NULL");
}
END_TEST

/* Row i has the features (i, 1000 - i), so that rows can be told apart. */
static mlp_cl_dataset *numbered_rows(size_t rows, size_t classes, const int32_t *labels) {
  int16_t *features = calloc(rows * 2, sizeof *features);
  for (size_t i = 0; i < rows; i++) {
    features[2 * i] = (int16_t)i;
    features[2 * i + 1] = (int16_t)(1000 - i);
  }
  mlp_cl_dataset *dataset;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_INT16, rows, 2, 0.25f, labels, classes, &dataset, &test_error));
  free(features);
  return dataset;
}

/* Each row of the source is in exactly one part, whole, in order; counts[class] rows of each class are in held_out. */
static void expect_parts(const mlp_cl_dataset *source, const mlp_cl_dataset *kept, const mlp_cl_dataset *held_out,
                         size_t *counts) {
  const mlp_cl_dataset *parts[2] = {kept, held_out};
  size_t next[2] = {0, 0};
  for (size_t row = 0; row < source->rows; row++) {
    size_t from = next[1] < held_out->rows && ((int16_t *)held_out->features)[2 * next[1]] == (int16_t)row;
    const mlp_cl_dataset *part = parts[from];
    size_t place = next[from]++;
    ck_assert_uint_lt(place, part->rows);
    ck_assert_int_eq(((int16_t *)part->features)[2 * place], (int16_t)row);
    ck_assert_int_eq(((int16_t *)part->features)[2 * place + 1], (int16_t)(1000 - row));
    ck_assert_int_eq(part->labels[place], source->labels[row]);
    if (from == 1) counts[source->labels[row]]++;
  }
  ck_assert_uint_eq(next[0], kept->rows);
  ck_assert_uint_eq(next[1], held_out->rows);
}

static void fill_labels(int32_t *labels, size_t rows) {
  for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)((i * i + i / 7) % 5);
}

/* Drawn by an independent program from the rule in split.c. */
START_TEST(split_follows_the_written_rule) {
  static const int16_t wanted[16] = {3, 6, 8, 9, 12, 13, 19, 20, 38, 41, 42, 50, 51, 52, 54, 59};
  int32_t labels[60];
  fill_labels(labels, 60);
  mlp_cl_dataset *source = numbered_rows(60, 5, labels), *kept, *held_out;
  ck_ok(mlp_cl_dataset_split(source, 0.25, 0x123456789abcdef0u, &kept, &held_out, &test_error));
  ck_assert_uint_eq(held_out->rows, 16);
  for (size_t i = 0; i < 16; i++) ck_assert_int_eq(((int16_t *)held_out->features)[2 * i], wanted[i]);
  ck_assert(held_out->scale == 0.25f && kept->scale == 0.25f);
  ck_assert_uint_eq(held_out->classes, 5);
  ck_assert_str_eq(mlp_cl_dataset_class_name(held_out, 4), "4");
  mlp_cl_dataset_destroy(source);
  mlp_cl_dataset_destroy(kept);
  mlp_cl_dataset_destroy(held_out);
}
END_TEST

START_TEST(split_is_stratified_and_complete) {
  static const double fractions[] = {0.01, 0.2, 0.5, 0.9, 0.9999};
  static const size_t sizes[] = {17, 60, 255, 256, 257};
  for (size_t f = 0; f < 5; f++) {
    for (size_t s = 0; s < 5; s++) {
      int32_t labels[257];
      fill_labels(labels, sizes[s]);
      size_t in_class[5] = {0}, counts[5] = {0};
      for (size_t i = 0; i < sizes[s]; i++) in_class[labels[i]]++;
      mlp_cl_dataset *source = numbered_rows(sizes[s], 5, labels), *kept = NULL, *held_out = NULL;
      mlp_cl_status status = mlp_cl_dataset_split(source, fractions[f], s, &kept, &held_out, &test_error);
      if (f > 0 || s > 1) ck_ok(status);
      if (status == MLP_CL_OK) expect_parts(source, kept, held_out, counts);
      for (size_t c = 0; c < 5; c++) {
        double share = fractions[f] * (double)in_class[c];
        ck_assert(fabs((double)counts[c] - share) <= 0.5 || counts[c] == in_class[c] - 1);
      }
      mlp_cl_dataset_destroy(source);
      mlp_cl_dataset_destroy(kept);
      mlp_cl_dataset_destroy(held_out);
    }
  }
}
END_TEST

/* Over many seeds each row is held out about equally often: 400 · 0.25 = 100 times, standard deviation 8.7. */
START_TEST(split_is_fair) {
  int32_t labels[40];
  for (size_t i = 0; i < 40; i++) labels[i] = i % 2 == 0;
  mlp_cl_dataset *source = numbered_rows(40, 2, labels);
  size_t times[40] = {0};
  for (uint64_t seed = 0; seed < 400; seed++) {
    mlp_cl_dataset *kept, *held_out;
    ck_ok(mlp_cl_dataset_split(source, 0.25, seed, &kept, &held_out, &test_error));
    for (size_t i = 0; i < held_out->rows; i++) times[((int16_t *)held_out->features)[2 * i]]++;
    mlp_cl_dataset_destroy(kept);
    mlp_cl_dataset_destroy(held_out);
  }
  for (size_t i = 0; i < 40; i++) {
    ck_assert_uint_gt(times[i], 60);
    ck_assert_uint_lt(times[i], 140);
  }
  mlp_cl_dataset_destroy(source);
}
END_TEST

START_TEST(split_rejects_what_it_cannot_do) {
  int32_t labels[4] = {0, 1, 2, 3};
  mlp_cl_dataset *singles = numbered_rows(4, 4, labels), *unlabelled = numbered_rows(4, 0, NULL);
  mlp_cl_dataset *kept, *held_out;
  static const double bad[] = {0.0, 1.0, -0.5, 2.0, NAN, INFINITY};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_fails(mlp_cl_dataset_split(singles, bad[i], 1, &kept, &held_out, &test_error), MLP_CL_BAD_ARGUMENT,
             "to hold out");
  }
  ck_fails(mlp_cl_dataset_split(singles, 0.9, 1, &kept, &held_out, &test_error), MLP_CL_BAD_ARGUMENT, "no row out");
  ck_fails(mlp_cl_dataset_split(unlabelled, 0.5, 1, &kept, &held_out, &test_error), MLP_CL_BAD_ARGUMENT, "no labels");
  ck_assert_ptr_null(kept);
  ck_assert_ptr_null(held_out);
  mlp_cl_dataset_destroy(singles);
  mlp_cl_dataset_destroy(unlabelled);
}
END_TEST

START_TEST(open_explains_itself) {
  mlp_cl_dataset *train, *test;
  ck_fails(mlp_cl_dataset_open("/nonexistent", &train, &test, &test_error), MLP_CL_IO, "\"digits\", a table");
  ck_fails(mlp_cl_dataset_open("", &train, NULL, &test_error), MLP_CL_IO, "No such file");
  ck_fails(mlp_cl_dataset_open(NULL, &train, &test, &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dataset");
  TCase *cases = tcase_create("dataset");
  tcase_add_test(cases, copies_and_answers);
  tcase_add_test(cases, works_without_labels);
  tcase_add_test(cases, rejects_bad_arrays);
  tcase_add_test(cases, targets_are_copied_checked_and_split);
  tcase_add_test(cases, split_follows_the_written_rule);
  tcase_add_test(cases, split_is_stratified_and_complete);
  tcase_add_test(cases, split_is_fair);
  tcase_add_test(cases, split_rejects_what_it_cannot_do);
  tcase_add_test(cases, open_explains_itself);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
