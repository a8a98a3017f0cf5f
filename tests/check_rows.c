/* Rows under an encoding that exists: a model takes it along, tables and fields of text are read as it says, and what
 * does not fit is named with both sides. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/encoding.h"
#include "files.h"
#include "people.h"
#include "test.h"

/* A model file takes the encoding along; tables in another order, with other columns, without a heading fit it. */
static mlp_cl_encoding *people_encoding(mlp_cl_parts *parts, mlp_cl_model_info **info) {
  const mlp_cl_data_options options = {.one_hot = "job", .missing_mean = true, .holdout = 0.3};
  ck_ok(mlp_cl_dataset_open_parts(test_text_write("t.csv", PEOPLE), &options, parts, &test_error));
  mlp_cl_context *context = test_open_device();
  mlp_cl_network *network, *loaded;
  const mlp_cl_shape shape = {.widths_count = 2, .widths = (size_t[]){5, 3}, .bias = true};
  ck_ok(mlp_cl_network_create(context, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_network_save(network, test_path("m"), NULL, parts->train, &test_error));
  ck_ok(mlp_cl_network_load(context, test_path("m"), &loaded, info, &test_error));
  mlp_cl_network_destroy(network);
  mlp_cl_network_destroy(loaded);
  mlp_cl_context_destroy(context);
  return (mlp_cl_encoding *)(uintptr_t)mlp_cl_model_info_encoding(*info);
}

START_TEST(a_model_keeps_the_encoding) {
  mlp_cl_parts parts;
  mlp_cl_model_info *info;
  const mlp_cl_encoding *got = people_encoding(&parts, &info), *wanted = mlp_cl_dataset_encoding(parts.train);
  ck_assert_uint_eq(got->columns_count, 3);
  ck_assert_uint_eq(got->labels_count, 1);
  ck_assert_uint_eq(got->file_columns, 4);
  ck_assert(got->named);
  for (size_t i = 0; i < 4; i++) {
    const encoding_column *a = &got->columns[i], *b = &wanted->columns[i];
    ck_assert_str_eq(a->name, b->name);
    ck_assert(a->kind == b->kind && a->position == b->position && a->filled == b->filled);
    if (a->kind == MLP_CL_COLUMN_NUMBER)
      ck_assert(a->offset == b->offset && a->divisor == b->divisor && a->fill == b->fill);
    ck_assert_uint_eq(a->values.count, b->values.count);
    for (size_t v = 0; v < a->values.count; v++) ck_assert_str_eq(a->values.texts[v], b->values.texts[v]);
  }
  mlp_cl_parts_destroy(&parts);
  mlp_cl_model_info_destroy(info);
}
END_TEST

static void expect_rows(const mlp_cl_encoding *encoding, const char *text, const float *wanted, size_t count) {
  mlp_cl_rows *rows;
  float features[64];
  size_t got, done = 0;
  ck_ok(mlp_cl_rows_open(test_text_write("r.csv", text), encoding, MLP_CL_HEADER_DETECT, 1, &rows, &test_error));
  size_t width = mlp_cl_encoding_width(encoding);
  ck_assert_uint_eq(mlp_cl_rows_width(rows), width);
  do {
    ck_ok(mlp_cl_rows_next(rows, 2, features, &got, &test_error));
    ck_assert_uint_le(done + got, count);
    if (got > 0) ck_same_bits(features, wanted + width * done, width * got, text);
    done += got;
  } while (got > 0);
  ck_assert_uint_eq(done, count);
  mlp_cl_rows_close(rows);
}

START_TEST(other_tables_fit_by_name_or_place) {
  mlp_cl_parts parts;
  mlp_cl_model_info *info;
  const mlp_cl_encoding *e = people_encoding(&parts, &info);
  float wanted[15];
  static const double ages[] = {30, 50, 40}, pays[] = {1.5, 2.5, 3.5};
  static const int jobs[] = {1, 2, 1};
  for (size_t i = 0; i < 3; i++) {
    wanted[5 * i] = (float)((ages[i] - e->columns[0].offset) / e->columns[0].divisor);
    for (int j = 0; j < 3; j++) wanted[5 * i + 1 + (size_t)j] = j == jobs[i];
    wanted[5 * i + 4] = (float)((pays[i] - e->columns[2].offset) / e->columns[2].divisor);
  }
  expect_rows(e, "age,job,pay,city\n30,clerk,1.5,Bonn\n50,smith,2.5,?\n40,clerk,3.5,Rome\n", wanted, 3);
  expect_rows(e, "pay;x;job;age\n1.5;y;clerk;30\n2.5;;smith;50\n3.5;z;clerk;4e1\n", wanted, 3);
  expect_rows(e, "30,clerk,1.5\n50,smith,2.5\n40,clerk,3.5\n", wanted, 3);
  expect_rows(e, "30\tclerk\t1.5\tBonn\n", wanted, 1);
  float missing[5] = {(float)((e->columns[0].fill - e->columns[0].offset) / e->columns[0].divisor), 0, 0, 0, wanted[4]};
  expect_rows(e, "age,job,pay\nNA,?,1.5\n", missing, 1);

  mlp_cl_dataset *labelled;
  ck_ok(mlp_cl_dataset_open_as(test_text_write("l.csv", "city,pay,age,job\nKöln,1.5,30,clerk\nBonn,2.5,50,smith\n"),
                               NULL, e, MLP_CL_HEADER_DETECT, false, &labelled, &test_error));
  ck_assert_uint_eq(labelled->rows, 2);
  ck_assert(labelled->labels[0] == 2 && labelled->labels[1] == 1);
  ck_same_bits(labelled->features, wanted, 10, "labelled rows");
  ck_assert_str_eq(mlp_cl_dataset_class_name(labelled, 2), "Köln");
  mlp_cl_dataset_destroy(labelled);
  mlp_cl_parts_destroy(&parts);
  mlp_cl_model_info_destroy(info);
}
END_TEST

/* Where no column is of numbers, a first line is a row when its values are known, whether the training had a heading or
 * not; and a heading when they are not. */
START_TEST(words_are_rows_or_a_heading) {
  static const float wanted[] = {1, 0, 0, 1, 0, 1, 1, 0};
  for (int named = 0; named < 2; named++) {
    const mlp_cl_data_options options = {.one_hot = "all", .header = named ? MLP_CL_HEADER_YES : MLP_CL_HEADER_NO};
    mlp_cl_parts parts;
    const char *text =
        "colour,size,answer\nblue,big,no\nred,small,yes\nblue,big,yes\nred,small,no\nblue,small,no\n"
        "red,big,yes\nblue,small,yes\nred,big,no\nblue,big,no\nred,big,yes\n";
    ck_ok(mlp_cl_dataset_open_parts(test_text_write("t.csv", named ? text : strchr(text, '\n') + 1), &options, &parts,
                                    &test_error));
    const mlp_cl_encoding *e = mlp_cl_dataset_encoding(parts.train);
    ck_assert(mlp_cl_encoding_named(e) == (named == 1));
    expect_rows(e, "blue,small\nred,big\n", wanted, 2);
    expect_rows(e, "blue,small,yes\nred,big,no\n", wanted, 2);
    if (named) expect_rows(e, "size,colour\nsmall,blue\nbig,red\n", wanted, 2);
    if (!named) expect_rows(e, "a,b\nblue,small\nred,big\n", wanted, 2);
    mlp_cl_parts_destroy(&parts);
  }
}
END_TEST

/* Fields in memory become what those of a file become. */
START_TEST(fields_are_a_row) {
  mlp_cl_parts parts;
  mlp_cl_model_info *info;
  const mlp_cl_encoding *e = people_encoding(&parts, &info);
  static const struct {
    const char *fields[3], *text;
  } good[] = {{{"30", "clerk", "1.5"}, "30,clerk,1.5\n"},
              {{"-4e1", "baker", "+.5"}, "-40,baker,0.5\n"},
              {{"NA", "", "7"}, "NA,?,7\n"},
              {{NULL, NULL, NULL}, "?,?,?\n"}};
  static const struct {
    const char *fields[3], *fault;
  } bad[] = {
      {{"x", "clerk", "1.5"}, "column \"age\": \"x\" is not a number"},
      {{"1,5", "clerk", "1.5"}, "column \"age\": \"1,5\" is not a number, which has a point and no comma"},
      {{"30", "pilot", "1.5"}, "column \"job\": \"pilot\" is none of the values that the model knows: baker, cl"},
      {{"30", "clerk", "1e39"}, "column \"pay\": \"1e39\" is more than float32 holds"}};
  ck_assert_uint_eq(mlp_cl_encoding_fields(e), 3);
  ck_assert_uint_eq(mlp_cl_encoding_width(e), 5);
  float features[5];
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    test_canary_fill(features, 5);
    ck_ok(mlp_cl_encoding_row(e, good[i].fields, features, &test_error));
    expect_rows(e, good[i].text, features, 1);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_fails(mlp_cl_encoding_row(e, bad[i].fields, features, &test_error), MLP_CL_BAD_ARGUMENT, bad[i].fault);
  ck_fails(mlp_cl_encoding_row(NULL, good[0].fields, features, &test_error), MLP_CL_BAD_ARGUMENT, "give an encoding");
  ck_fails(mlp_cl_encoding_row(e, NULL, features, &test_error), MLP_CL_BAD_ARGUMENT, "its fields");
  ck_fails(mlp_cl_encoding_row(e, good[0].fields, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "room");
  mlp_cl_parts_destroy(&parts);
  mlp_cl_model_info_destroy(info);
}
END_TEST

static void refuse_rows_with(mlp_cl_header header, const mlp_cl_encoding *encoding, const char *text,
                             const char *part) {
  mlp_cl_rows *rows;
  float features[64];
  size_t got = 1;
  mlp_cl_status status = mlp_cl_rows_open(test_text_write("r.csv", text), encoding, header, 1, &rows, &test_error);
  while (status == MLP_CL_OK && got > 0) status = mlp_cl_rows_next(rows, 1, features, &got, &test_error);
  ck_fails(status, MLP_CL_BAD_FILE, part);
  mlp_cl_rows_close(rows);
}

static void refuse_rows(const mlp_cl_encoding *encoding, const char *text, const char *part) {
  refuse_rows_with(MLP_CL_HEADER_DETECT, encoding, text, part);
}

START_TEST(tables_that_do_not_fit_name_both_sides) {
  mlp_cl_parts parts;
  mlp_cl_model_info *info;
  const mlp_cl_encoding *e = people_encoding(&parts, &info);
  refuse_rows(e, "Age,job,pay\n30,clerk,1\n",
              "has no column \"age\"; the model wants age, job, pay; the file has Age, job, pay");
  refuse_rows(e, "1,2\n3,4\n", "2 fields and no heading; the model wants 3, in this order: age, job, pay (or all 4");
  refuse_rows(e, "age,job,pay\n30,clerk,1\n30,miller,1\n",
              "line 3, column 2 (\"job\"): \"miller\" is none of the values that the model knows: baker, clerk, smith");
  refuse_rows(e, "age,job,pay\n30,clerk,one\n", "line 2, column 3 (\"pay\"): \"one\" is not a number");
  refuse_rows(e, "age,job,pay\n30,clerk,inf\n", "line 2, column 3 (\"pay\"): \"inf\" is not a number");
  refuse_rows(e, "age,job,pay\n30,clerk,-1e400\n", "\"-1e400\" is more than float32 holds");
  refuse_rows(e, "age,job,pay\n30,clerk\n", "line 2: 2 fields, but the first line has 3");
  refuse_rows(e, "", "is empty");
  mlp_cl_dataset *labelled;
  ck_fails(mlp_cl_dataset_open_as(test_text_write("l.csv", "pay,age,job\n1,3,clerk\n"), NULL, e, MLP_CL_HEADER_DETECT,
                                  false, &labelled, &test_error),
           MLP_CL_BAD_FILE, "has no column \"city\", which holds the labels");
  ck_fails(mlp_cl_dataset_open_as(test_text_write("l.csv", "pay,age,job,city\n1,3,clerk,Rom\n"), NULL, e,
                                  MLP_CL_HEADER_DETECT, false, &labelled, &test_error),
           MLP_CL_BAD_FILE, "\"Rom\" is none of the classes that the model knows: A,b, Bonn, Köln");
  mlp_cl_parts_destroy(&parts);
  mlp_cl_model_info_destroy(info);
}
END_TEST

/* Which of two columns of one name is meant cannot be known: a heading that has them is refused, one that is only
 * looked for is taken as a record, which does not fit. */
START_TEST(two_columns_of_one_name_are_refused) {
  mlp_cl_parts parts;
  mlp_cl_model_info *info;
  const mlp_cl_encoding *e = people_encoding(&parts, &info);
  static const char rows[] = "age,job,pay,age\n30,clerk,1.5,31\n";
  refuse_rows_with(MLP_CL_HEADER_YES, e, rows, "r.csv: line 1: columns 1 and 4 are both called \"age\"; rename one");
  refuse_rows(e, rows, "line 1, column 1 (\"age\"): \"age\" is not a number");
  mlp_cl_parts_destroy(&parts);
  mlp_cl_model_info_destroy(info);
}
END_TEST

/* Columns that the heading leaves without a name are called by their numbers, in training and afterwards. */
START_TEST(a_column_may_have_no_name) {
  const mlp_cl_data_options options = {.scaling = MLP_CL_SCALE_NONE, .holdout = 0.4};
  mlp_cl_parts parts;
  const char *path = test_text_write("t.csv", ",b,,c\n1,2,3,x\n4,5,6,y\n7,8,9,x\n1,3,5,y\n");
  ck_ok(mlp_cl_dataset_open_parts(path, &options, &parts, &test_error));
  const mlp_cl_encoding *e = mlp_cl_dataset_encoding(parts.train);
  ck_assert(e->named);
  ck_assert_str_eq(e->columns[0].name, "1");
  ck_assert_str_eq(e->columns[2].name, "3");
  expect_rows(e, ",b,,c\n1,2,3,x\n", (const float[]){1, 2, 3}, 1);
  expect_rows(e, "1,3,b\n1,3,2\n", (const float[]){1, 2, 3}, 1);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

#define LONG_NAME "a name of eighty bytes and more, so that texts have to be moved while they are read, and again"

/* Fields stay with their rows, however many are taken at once, quoted or long. */
START_TEST(columns_are_kept) {
  mlp_cl_parts parts;
  mlp_cl_model_info *info;
  const mlp_cl_encoding *e = people_encoding(&parts, &info);
  char text[4096] = "pay,id,job,age\n", wanted[20][100];
  for (size_t i = 0; i < 20; i++) {
    snprintf(wanted[i], sizeof *wanted, "%zu,%.*s", i, (int)(4 * i), LONG_NAME);
    snprintf(text + strlen(text), sizeof text - strlen(text), "%zu,\"%s\",clerk,30\n", i, wanted[i]);
  }
  const char *path = test_text_write("kept.csv", text);
  for (size_t most = 1; most <= 20; most += 3) {
    mlp_cl_rows *rows;
    float features[20 * 8];
    size_t got, done = 0;
    ck_ok(mlp_cl_rows_open(path, e, MLP_CL_HEADER_DETECT, 1, &rows, &test_error));
    ck_fails(mlp_cl_rows_keep(rows, "id,town", &test_error), MLP_CL_BAD_ARGUMENT, "no column \"town\" for --id");
    ck_assert_uint_eq(mlp_cl_rows_kept_columns(rows), 0);
    ck_fails(mlp_cl_rows_keep(rows, "id,1,2", &test_error), MLP_CL_BAD_ARGUMENT, "\"id\" is given to --id twice");
    ck_fails(mlp_cl_rows_keep(rows, "id, ", &test_error), MLP_CL_BAD_ARGUMENT, "an empty name in --id");
    ck_ok(mlp_cl_rows_keep(rows, "id, 1", &test_error));
    ck_fails(mlp_cl_rows_keep(rows, "3", &test_error), MLP_CL_BAD_ARGUMENT, "once, together");
    ck_assert_uint_eq(mlp_cl_rows_kept_columns(rows), 2);
    ck_assert_str_eq(mlp_cl_rows_kept_name(rows, 1), "pay");
    ck_assert_ptr_null(mlp_cl_rows_kept_name(rows, 2));
    do {
      ck_ok(mlp_cl_rows_next(rows, most, features, &got, &test_error));
      for (size_t i = 0; i < got; i++) {
        ck_assert_str_eq(mlp_cl_rows_kept(rows, i, 0), wanted[done + i]);
        ck_assert_uint_eq(strtoul(mlp_cl_rows_kept(rows, i, 1), NULL, 10), done + i);
      }
      ck_assert_ptr_null(mlp_cl_rows_kept(rows, got, 0));
      done += got;
    } while (got > 0);
    ck_assert_uint_eq(done, 20);
    mlp_cl_rows_close(rows);
    ck_ok(mlp_cl_rows_open(path, e, MLP_CL_HEADER_DETECT, 1, &rows, &test_error));
    ck_ok(mlp_cl_rows_next(rows, 1, features, &got, &test_error));
    ck_fails(mlp_cl_rows_keep(rows, "id", &test_error), MLP_CL_BAD_ARGUMENT, "name them before");
    mlp_cl_rows_close(rows);
  }
  mlp_cl_model_info_destroy(info);
  mlp_cl_rows *rows;
  ck_ok(mlp_cl_rows_from_dataset(parts.train, &rows, &test_error));
  parts.train = NULL;
  ck_fails(mlp_cl_rows_keep(rows, "id", &test_error), MLP_CL_BAD_ARGUMENT, "only a table");
  mlp_cl_rows_close(rows);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

/* Behind a bad row is the next one; a file that cannot be read on says so. */
START_TEST(rows_go_on_behind_bad_ones) {
  mlp_cl_parts parts;
  mlp_cl_model_info *info;
  const mlp_cl_encoding *e = people_encoding(&parts, &info);
  const char *path = test_text_write("bad.csv", "age,job,pay\n30,clerk,1\n30,clerk,x\n30,cook,1\n30\n50,smith,2\n\"");
  mlp_cl_rows *rows;
  float features[8 * 5];
  size_t got;
  ck_ok(mlp_cl_rows_open(path, e, MLP_CL_HEADER_DETECT, 1, &rows, &test_error));
  ck_fails(mlp_cl_rows_next(rows, 8, features, &got, &test_error), MLP_CL_BAD_FILE, "line 3");
  ck_assert_uint_eq(got, 1);
  for (size_t line = 4; line <= 5; line++) {
    ck_assert(mlp_cl_rows_may_go_on(rows));
    ck_fails(mlp_cl_rows_next(rows, 8, features, &got, &test_error), MLP_CL_BAD_FILE, line == 4 ? "line 4" : "line 5");
    ck_assert_uint_eq(got, 0);
  }
  ck_assert(mlp_cl_rows_may_go_on(rows));
  ck_fails(mlp_cl_rows_next(rows, 8, features, &got, &test_error), MLP_CL_BAD_FILE, "line 7");
  ck_assert_uint_eq(got, 1);
  ck_assert(!mlp_cl_rows_may_go_on(rows));
  mlp_cl_rows_close(rows);
  mlp_cl_parts_destroy(&parts);
  mlp_cl_model_info_destroy(info);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rows");
  TCase *cases = tcase_create("rows");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_add_test(cases, a_model_keeps_the_encoding);
  tcase_add_test(cases, other_tables_fit_by_name_or_place);
  tcase_add_test(cases, words_are_rows_or_a_heading);
  tcase_add_test(cases, fields_are_a_row);
  tcase_add_test(cases, tables_that_do_not_fit_name_both_sides);
  tcase_add_test(cases, two_columns_of_one_name_are_refused);
  tcase_add_test(cases, a_column_may_have_no_name);
  tcase_add_test(cases, columns_are_kept);
  tcase_add_test(cases, rows_go_on_behind_bad_ones);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
