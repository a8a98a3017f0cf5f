/* Tables: what becomes of their columns, how rows are divided and scaled, and that what is wrong is named with its
 * place. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/encoding.h"
#include "files.h"
#include "people.h"
#include "test.h"

static mlp_cl_parts open_table(const char *text, const mlp_cl_data_options *options) {
  mlp_cl_parts parts;
  ck_ok(mlp_cl_dataset_open_parts(test_text_write("t.csv", text), options, &parts, &test_error));
  return parts;
}

static void refuse(const char *text, const mlp_cl_data_options *options, mlp_cl_status wanted, const char *part) {
  mlp_cl_parts parts = {.train = (mlp_cl_dataset *)&parts};
  ck_fails(mlp_cl_dataset_open_parts(test_text_write("t.csv", text), options, &parts, &test_error), wanted, part);
  ck_assert_ptr_null(parts.train);
}

static const float *features_of(const mlp_cl_dataset *dataset) {
  return dataset->features;
}

START_TEST(tells_columns_apart) {
  const mlp_cl_data_options options = {.one_hot = "all", .scaling = MLP_CL_SCALE_NONE, .holdout = 0.3, .seed = 1};
  mlp_cl_parts parts = open_table(PEOPLE, &options);
  ck_assert_uint_eq(mlp_cl_dataset_width(parts.train), 5);
  ck_assert_uint_eq(mlp_cl_dataset_classes(parts.train), 3);
  ck_assert_str_eq(mlp_cl_dataset_class_name(parts.train, 0), "A,b");
  ck_assert_str_eq(mlp_cl_dataset_class_name(parts.train, 1), "Bonn");
  ck_assert_str_eq(mlp_cl_dataset_class_name(parts.train, 2), "Köln");
  ck_assert_ptr_null(mlp_cl_dataset_class_name(parts.train, 3));
  ck_assert_uint_eq(mlp_cl_dataset_rows(parts.train), 3);
  ck_assert_uint_eq(mlp_cl_dataset_rows(parts.test), 2);
  const mlp_cl_dataset *both[2] = {parts.train, parts.test};
  for (int part = 0; part < 2; part++) {
    for (size_t row = 0; row < both[part]->rows; row++) {
      const float *f = features_of(both[part]) + 5 * row;
      /* age, baker, clerk, smith, pay */
      bool baker = f[0] == 20, clerk = f[0] == 30 || f[0] == 40, smith = f[0] == 50 || f[0] == 60;
      ck_assert(f[1] == baker && f[2] == clerk && f[3] == smith);
      ck_assert_int_eq(both[part]->labels[row], baker ? 0 : clerk ? 1 : 2);
    }
  }
  mlp_cl_column column;
  const mlp_cl_encoding *encoding = mlp_cl_dataset_encoding(parts.train);
  ck_assert_uint_eq(mlp_cl_encoding_columns(encoding), 4);
  ck_assert(mlp_cl_encoding_column(encoding, 1, &column));
  ck_assert_str_eq(column.name, "job");
  ck_assert_uint_eq(column.values_count, 3);
  ck_assert_str_eq(column.values[2], "smith");
  ck_assert(!mlp_cl_encoding_column(encoding, 4, &column));
  mlp_cl_parts_destroy(&parts);
}
END_TEST

START_TEST(chooses_label_and_ignores) {
  const mlp_cl_data_options by_name = {.label = "job", .ignore = "city,1", .holdout = 0.3};
  mlp_cl_parts parts = open_table(PEOPLE, &by_name);
  ck_assert_uint_eq(mlp_cl_dataset_width(parts.train), 1);
  ck_assert_str_eq(mlp_cl_dataset_class_name(parts.train, 0), "baker");
  mlp_cl_parts_destroy(&parts);
  const mlp_cl_data_options last_kept = {.ignore = "4", .one_hot = "job", .targets = true};
  parts = open_table(PEOPLE, &last_kept);
  ck_assert_uint_eq(mlp_cl_dataset_width(parts.train), 4);
  ck_assert_uint_eq(mlp_cl_dataset_outputs(parts.train), 1);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

START_TEST(finds_the_heading) {
  const mlp_cl_data_options plain = {.scaling = MLP_CL_SCALE_NONE, .holdout = 0.4};
  mlp_cl_parts parts = open_table("1,2,x\n3,4,y\n5,6,x\n7,8,y\n", &plain);
  ck_assert_uint_eq(parts.train->rows + parts.test->rows, 4);
  ck_assert(!mlp_cl_dataset_encoding(parts.train)->named);
  mlp_cl_parts_destroy(&parts);
  const mlp_cl_data_options forced = {.header = MLP_CL_HEADER_YES, .holdout = 0.4};
  parts = open_table("1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,1,x\n", &forced);
  ck_assert_uint_eq(parts.train->rows + parts.test->rows, 4);
  ck_assert_str_eq(mlp_cl_dataset_encoding(parts.train)->columns[0].name, "1");
  mlp_cl_parts_destroy(&parts);
  const mlp_cl_data_options none = {.header = MLP_CL_HEADER_NO, .one_hot = "all", .holdout = 0.4};
  parts = open_table("a,b\nc,d\na,b\nc,d\n", &none);
  ck_assert_uint_eq(parts.train->rows + parts.test->rows, 4);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

START_TEST(classes_that_are_numbers_are_sorted_by_value) {
  const mlp_cl_data_options options = {.holdout = 0.3};
  mlp_cl_parts parts = open_table("1 10\n2 9\n3 10\n4 9\n5 -1\n6 -1\n", &options);
  ck_assert_str_eq(mlp_cl_dataset_class_name(parts.train, 0), "-1");
  ck_assert_str_eq(mlp_cl_dataset_class_name(parts.train, 1), "9");
  ck_assert_str_eq(mlp_cl_dataset_class_name(parts.train, 2), "10");
  mlp_cl_parts_destroy(&parts);
}
END_TEST

/* Rows (i, i², 7, i mod 2), one value missing; the training part alone gives the numbers. */
START_TEST(scales_by_the_training_part) {
  enum { ROWS = 257 };
  char *text = malloc(ROWS * 64);
  size_t used = 0;
  for (int i = 0; i < ROWS; i++)
    used += (size_t)(i == 9 ? sprintf(text + used, "%d,NA,7,%d\n", i, i % 2)
                            : sprintf(text + used, "%d,%d.25,7,%d\n", i, i * i, i % 2));
  for (int scaling = MLP_CL_SCALE_STANDARD; scaling <= MLP_CL_SCALE_NONE; scaling++) {
    const mlp_cl_data_options options = {
        .scaling = (mlp_cl_scaling)scaling, .missing_mean = true, .holdout = 0.25, .validation = 0.1, .seed = 3};
    mlp_cl_parts parts = open_table(text, &options);
    ck_assert_uint_eq(parts.train->rows + parts.test->rows + parts.validation->rows, ROWS);
    ck_assert_uint_eq(parts.test->rows, 64);
    ck_assert_uint_eq(parts.validation->rows, 20);
    const encoding_column *columns = mlp_cl_dataset_encoding(parts.train)->columns;
    /* What the training rows were, from the features. */
    double sum[2] = {0, 0}, squares[2] = {0, 0}, least[2] = {1e9, 1e9}, most[2] = {-1, -1};
    size_t count[2] = {0, 0};
    for (size_t row = 0; row < parts.train->rows; row++) {
      const float *f = features_of(parts.train) + 3 * row;
      double i = round((double)f[0] * columns[0].divisor + columns[0].offset);
      double value[2] = {i, i == 9 ? columns[1].fill : i * i + 0.25};
      for (int c = 0; c < 2; c++) {
        ck_assert_float_eq(f[c], (float)((value[c] - columns[c].offset) / columns[c].divisor));
        if (c == 1 && i == 9) continue;
        count[c]++;
        sum[c] += value[c];
        squares[c] += value[c] * value[c];
        least[c] = fmin(least[c], value[c]);
        most[c] = fmax(most[c], value[c]);
      }
      ck_assert_float_eq(f[2], scaling == MLP_CL_SCALE_NONE ? 7.0f : 0.0f);
    }
    for (int c = 0; c < 2; c++) {
      double n = (double)count[c], mean = sum[c] / n, deviation = sqrt(squares[c] / n - mean * mean);
      ck_assert_double_eq_tol(columns[c].fill, mean, 1e-9 * mean);
      double offset = scaling == MLP_CL_SCALE_STANDARD ? mean : scaling == MLP_CL_SCALE_MINMAX ? least[c] : 0;
      double divisor = scaling == MLP_CL_SCALE_STANDARD ? deviation
                       : scaling == MLP_CL_SCALE_MINMAX ? most[c] - least[c]
                                                        : 1;
      ck_assert_double_eq_tol(columns[c].offset, offset, 1e-9 * (mean + 1));
      ck_assert_double_eq_tol(columns[c].divisor, divisor, 1e-9 * divisor);
    }
    mlp_cl_parts_destroy(&parts);
  }
  free(text);
}
END_TEST

START_TEST(parts_are_stratified_and_disjoint) {
  char text[4000];
  size_t used = 0;
  for (int i = 0; i < 200; i++) used += (size_t)sprintf(text + used, "%d,%c\n", i, i % 10 == 0 ? 'b' : 'a');
  const mlp_cl_data_options options = {
      .scaling = MLP_CL_SCALE_NONE, .holdout = 0.2, .validation = 0.25, .seed = 5, .header = MLP_CL_HEADER_NO};
  mlp_cl_parts parts = open_table(text, &options);
  const mlp_cl_dataset *all[3] = {parts.train, parts.validation, parts.test};
  static const size_t wanted[3][2] = {{108, 12}, {36, 4}, {36, 4}};
  int seen[200] = {0};
  for (int part = 0; part < 3; part++) {
    size_t counts[2] = {0, 0};
    for (size_t row = 0; row < all[part]->rows; row++) {
      counts[all[part]->labels[row]]++;
      seen[(int)features_of(all[part])[row]]++;
    }
    ck_assert_uint_eq(counts[0], wanted[part][0]);
    ck_assert_uint_eq(counts[1], wanted[part][1]);
  }
  for (int i = 0; i < 200; i++) ck_assert_int_eq(seen[i], 1);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

START_TEST(names_what_is_wrong) {
  const mlp_cl_data_options plain = {.holdout = 0.3};
  refuse("", &plain, MLP_CL_BAD_FILE, "is empty");
  refuse("a,b\n", &plain, MLP_CL_BAD_FILE, "a heading but no row");
  refuse("a\n1\n2\n", &plain, MLP_CL_BAD_FILE, "none is left to learn from");
  refuse("a,b\n1,x\n2\n", &plain, MLP_CL_BAD_FILE, "t.csv: line 3: 1 fields, but the first line has 2");
  refuse("a,b\n1,x\nred,y\n", &plain, MLP_CL_BAD_FILE,
         "t.csv: line 3, column 1 (\"a\"): \"red\" is not a number; --label learns the column, --one-hot");
  refuse("1,x\nred,y\n", &plain, MLP_CL_BAD_FILE, "line 2, column 1: \"red\" is not a number");
  refuse("a,b\n1,x\n,y\n", &plain, MLP_CL_BAD_FILE,
         "line 3, column 1 (\"a\"): \"\": a value is missing; --missing mean");
  refuse("a,b\n1,x\n2,\n", &plain, MLP_CL_BAD_FILE, "line 3, column 2 (\"b\"): \"\": a value is missing; a class");
  refuse("a,b,c\n1,?,x\n2,?,y\n", &(mlp_cl_data_options){.one_hot = "b", .missing_mean = true}, MLP_CL_BAD_ARGUMENT,
         "t.csv: column \"b\" has no value in any row; leave it away");
  refuse("a,b\n1,x\n1e39,y\n", &plain, MLP_CL_BAD_FILE, "\"1e39\" is more than float32 holds; --label");
  refuse("a;b\n1;x\n0,5;y\n", &plain, MLP_CL_BAD_FILE, "\"0,5\" is not a number, which has a point and no comma");
  refuse("a,a,b\n1,2,x\n2,3,y\n", &plain, MLP_CL_BAD_FILE,
         "line 1, column 1: \"a\" is not a number; if this line names");
  refuse("a,2015,b\n1,2,x\n2,3,y\n", &plain, MLP_CL_BAD_FILE, "if this line names the columns: --header yes");
  refuse("a,a,b\n1,2,x\n2,3,y\n", &(mlp_cl_data_options){.header = MLP_CL_HEADER_YES}, MLP_CL_BAD_FILE,
         "t.csv: line 1: columns 1 and 2 are both called \"a\"; rename one");
  refuse("a,b\n1,x\n2,x\n", &plain, MLP_CL_BAD_ARGUMENT, "column \"b\" has \"x\" in every row");
  refuse("a,b\n1,\xe9\n2,y\n", &plain, MLP_CL_BAD_FILE, "line 2, column 2 (\"b\"): is not UTF-8");
  refuse("a,b\n1,x\n2,x\n", &(mlp_cl_data_options){.label = "c"}, MLP_CL_BAD_ARGUMENT,
         "no column \"c\" for --label; the 2 columns are: a, b");
  refuse("a,b\n1,x\n2,x\n", &(mlp_cl_data_options){.label = "3"}, MLP_CL_BAD_ARGUMENT, "no column \"3\"");
  refuse("a,b\n1,x\n2,x\n", &(mlp_cl_data_options){.label = "a", .ignore = "1"}, MLP_CL_BAD_ARGUMENT, "twice");
  refuse("a,b,c\n1,x,y\n2,x,y\n", &(mlp_cl_data_options){.label = "b,c"}, MLP_CL_BAD_ARGUMENT, "a class is one");
  refuse("a,b\n1,x\n2,y\n", &(mlp_cl_data_options){.targets = true}, MLP_CL_BAD_FILE, "learn numbers");
  refuse("a,b\n1,x\n2,y\n", &(mlp_cl_data_options){.holdout = 0.1}, MLP_CL_BAD_ARGUMENT,
         "a share of 0.1 of 2 rows in 2 classes holds no row out");
  char text[4000] = "a,b\n";
  size_t used = 4;
  for (int i = 0; i < 100; i++) used += (size_t)sprintf(text + used, "%d,%d.5\n", i, i);
  refuse(text, &plain, MLP_CL_BAD_ARGUMENT,
         "100 different numbers in 100 rows; to learn numbers give --task regression");
  used = 4;
  for (int i = 0; i < 100; i++) used += (size_t)sprintf(text + used, "%d,id %d\n", i, i);
  refuse(text, &plain, MLP_CL_BAD_ARGUMENT, "100 different texts in 100 rows; to learn another give --label");
  mlp_cl_parts parts;
  used = 4;
  for (int i = 0; i < 180; i++) used += (size_t)sprintf(text + used, "%d,%d\n", i, i % 60);
  refuse(text, &plain, MLP_CL_BAD_ARGUMENT, "or --task classification if these are classes");
  parts = open_table(text, &(mlp_cl_data_options){.many_classes = true});
  ck_assert_uint_eq(mlp_cl_dataset_classes(parts.train), 60);
  mlp_cl_parts_destroy(&parts);
  ck_fails(mlp_cl_dataset_open_parts(test_path("nowhere"), &plain, &parts, &test_error), MLP_CL_IO, "nowhere");
}
END_TEST

/* Every byte of a table is changed in turn: there is an error or a result, and no harm. */
START_TEST(survives_any_byte) {
  static const char bytes[] = {'\0', '"', ',', '\n', '\r', 'e', '9', (char)0x80, (char)0xff};
  const mlp_cl_data_options options = {.one_hot = "all", .missing_mean = true, .holdout = 0.3};
  char text[] = PEOPLE;
  for (size_t i = 0; i < sizeof text - 1; i++) {
    for (size_t b = 0; b < sizeof bytes; b++) {
      char changed[sizeof text];
      memcpy(changed, text, sizeof text);
      changed[i] = bytes[b];
      mlp_cl_parts parts;
      test_file_write(test_path("h.csv"), changed, sizeof text - 1);
      mlp_cl_status status = mlp_cl_dataset_open_parts(test_path("h.csv"), &options, &parts, &test_error);
      ck_assert(status == MLP_CL_OK || status == MLP_CL_BAD_FILE || status == MLP_CL_BAD_ARGUMENT);
      mlp_cl_parts_destroy(&parts);
    }
  }
}
END_TEST

/* ---- Arrays ------------------------------------------------------------------------------------------------------ */

static void same_parts(const mlp_cl_dataset *array, const mlp_cl_dataset *table) {
  ck_assert_uint_eq(array->rows, table->rows);
  ck_same_bits(array->features, table->features, table->rows * table->width, "features");
  ck_same_bits(array->targets, table->targets, table->rows * table->outputs, "targets");
}

/* The same rows as arrays and as a table without heading come to the same bits, whatever the scaling. */
START_TEST(arrays_scale_as_tables_do) {
  enum { ROWS = 40, WIDTH = 3 };
  float x[ROWS * WIDTH], y[ROWS];
  char text[8192] = "";
  test_random r = {.state = 3};
  for (size_t row = 0; row < ROWS; row++) {
    for (size_t i = 0; i < WIDTH; i++) x[row * WIDTH + i] = (float)(int)(test_random_bits(&r) % 2000) / 8.0f;
    y[row] = 1e5f + (float)(int)(test_random_bits(&r) % 1000);
    snprintf(text + strlen(text), sizeof text - strlen(text), "%.9g,%.9g,%.9g,%.9g\n", (double)x[row * WIDTH],
             (double)x[row * WIDTH + 1], (double)x[row * WIDTH + 2], (double)y[row]);
  }
  char labels[512];
  snprintf(labels, sizeof labels, "%s", test_path("y.npy"));
  test_array_write("x.npy", "(40, 3)", x, ROWS * WIDTH);
  test_array_write("y.npy", "(40,)", y, ROWS);
  for (int scaling = MLP_CL_SCALE_STANDARD; scaling <= MLP_CL_SCALE_MINMAX; scaling++) {
    mlp_cl_data_options o = {.scaling = (mlp_cl_scaling)scaling, .holdout = 0.25, .validation = 0.2, .seed = 9};
    o.targets = o.scale_targets = true;
    mlp_cl_parts table = open_table(text, &o), array;
    o.labels_path = labels;
    ck_ok(mlp_cl_dataset_open_parts(test_path("x.npy"), &o, &array, &test_error));
    same_parts(array.train, table.train);
    same_parts(array.validation, table.validation);
    same_parts(array.test, table.test);
    mlp_cl_dataset *again = NULL;
    ck_ok(mlp_cl_dataset_open_as(test_path("x.npy"), labels, table.train->encoding, MLP_CL_HEADER_DETECT, true, &again,
                                 &test_error));
    ck_assert_uint_eq(again->rows, ROWS);
    mlp_cl_dataset_destroy(again);
    mlp_cl_parts_destroy(&array);
    mlp_cl_parts_destroy(&table);
  }
}
END_TEST

/* More scales than a model's file can hold are refused before anything is learned. */
START_TEST(a_model_can_keep_what_is_learned) {
  enum { WIDTH = 500000 };
  float *x = calloc(WIDTH, 2 * sizeof *x), y[] = {1, 2};
  char labels[512];
  snprintf(labels, sizeof labels, "%s", test_path("y.npy"));
  test_array_write("x.npy", "(2, 500000)", x, 2 * WIDTH);
  test_array_write("y.npy", "(2,)", y, 2);
  mlp_cl_data_options o = {.scaling = MLP_CL_SCALE_STANDARD, .holdout = 0.5, .targets = true, .labels_path = labels};
  mlp_cl_parts parts;
  ck_fails(mlp_cl_dataset_open_parts(test_path("x.npy"), &o, &parts, &test_error), MLP_CL_BAD_ARGUMENT,
           "scales of 500001 columns, and can keep 90");
  o.scaling = MLP_CL_SCALE_NONE;
  ck_ok(mlp_cl_dataset_open_parts(test_path("x.npy"), &o, &parts, &test_error));
  mlp_cl_parts_destroy(&parts);
  free(x);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("table");
  TCase *cases = tcase_create("table");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_add_test(cases, tells_columns_apart);
  tcase_add_test(cases, chooses_label_and_ignores);
  tcase_add_test(cases, finds_the_heading);
  tcase_add_test(cases, classes_that_are_numbers_are_sorted_by_value);
  tcase_add_test(cases, scales_by_the_training_part);
  tcase_add_test(cases, parts_are_stratified_and_disjoint);
  tcase_add_test(cases, names_what_is_wrong);
  tcase_add_test(cases, survives_any_byte);
  tcase_add_test(cases, arrays_scale_as_tables_do);
  tcase_add_test(cases, a_model_can_keep_what_is_learned);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
