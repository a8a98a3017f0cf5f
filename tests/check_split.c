/* The parts that were drawn for a training can be had again: a model keeps how, and other rows are refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "files.h"
#include "test.h"

enum { ROWS = 40, WIDTH = 3 };

/* What a model file says after a training on these parts. */
static mlp_cl_model_info *saved(const mlp_cl_parts *parts) {
  mlp_cl_context *context = test_open_reference();
  mlp_cl_network *network;
  mlp_cl_model_info *info;
  size_t classes = mlp_cl_dataset_classes(parts->train), outputs = mlp_cl_dataset_outputs(parts->train);
  const mlp_cl_shape shape = {.widths_count = 2,
                              .widths = (size_t[]){mlp_cl_dataset_width(parts->train), classes + outputs},
                              .bias = true,
                              .task = classes > 0 ? MLP_CL_CLASSIFICATION : MLP_CL_REGRESSION};
  ck_ok(mlp_cl_network_create(context, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_network_save(network, test_path("m"), NULL, parts->train, &test_error));
  mlp_cl_network_destroy(network);
  mlp_cl_context_destroy(context);
  ck_ok(mlp_cl_model_info_open(test_path("m"), &info, &test_error));
  return info;
}

/* All rows, split as the model says; false where they are not those that it tells of. */
static bool open_again(const char *source, const mlp_cl_data_options *o, const mlp_cl_model_info *info,
                       mlp_cl_parts *parts) {
  bool found;
  ck_ok(mlp_cl_dataset_open_parts_as(source, o->labels_path, mlp_cl_model_info_encoding(info), o->header, o->targets,
                                     parts, &test_error));
  unsigned char *part_of_row = malloc(mlp_cl_dataset_rows(parts->train));
  ck_assert_ptr_nonnull(part_of_row);
  ck_ok(mlp_cl_dataset_find_parts(parts->train, mlp_cl_model_info_split(info), part_of_row, &found, &test_error));
  if (found) ck_ok(mlp_cl_parts_split(parts, part_of_row, &test_error));
  free(part_of_row);
  return found;
}

static void same_part(const mlp_cl_dataset *got, const mlp_cl_dataset *wanted) {
  char a[65], b[65];
  ck_assert_int_eq(got == NULL, wanted == NULL);
  if (wanted == NULL) return;
  dataset_sha256(got, a);
  dataset_sha256(wanted, b);
  ck_assert_str_eq(a, b);
}

/* Draws parts of a source, keeps them in a model and draws them again. */
static void draw_twice(const char *source, const mlp_cl_data_options *o) {
  mlp_cl_parts first, again;
  ck_ok(mlp_cl_dataset_open_parts(source, o, &first, &test_error));
  mlp_cl_model_info *info = saved(&first);
  const mlp_cl_split *split = mlp_cl_model_info_split(info);
  ck_assert_ptr_nonnull(split);
  ck_assert(split->validation == o->validation && split->seed == o->seed);
  ck_assert(open_again(source, o, info, &again));
  same_part(again.train, first.train);
  same_part(again.validation, first.validation);
  same_part(again.test, first.test);
  mlp_cl_model_info_destroy(info);
  mlp_cl_parts_destroy(&first);
  mlp_cl_parts_destroy(&again);
}

/* A row for each of some ages, jobs and towns. */
static const char *write_table(void) {
  static const char *const jobs[] = {"clerk", "smith", "baker"}, *const towns[] = {"Bonn", "Köln"};
  char text[4096] = "age,job,pay,town\n";
  for (size_t row = 0; row < ROWS; row++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%zu,%s,%zu.5,%s\n", 20 + 7 * row % 50, jobs[row % 3],
             row * row % 17, towns[row * row % 5 % 2]);
  return test_text_write("t.csv", text);
}

START_TEST(parts_are_drawn_again) {
  const mlp_cl_data_options towns = {.one_hot = "job", .holdout = 0.3, .validation = 0.3, .seed = UINT64_MAX};
  draw_twice(write_table(), &towns);
  const mlp_cl_data_options ages = {.label = "age", .one_hot = "all", .targets = true, .scale_targets = true};
  draw_twice(write_table(), &ages);
  const mlp_cl_data_options validation_alone = {.validation = 1.0 / 3.0, .seed = 3};
  draw_twice("digits", &validation_alone);
  const mlp_cl_data_options both = {.validation = 0.125, .holdout = 0.3, .seed = 5};
  draw_twice("digits", &both);
}
END_TEST

START_TEST(parts_of_arrays_are_drawn_again) {
  float x[ROWS * WIDTH], y[ROWS];
  test_random r = {.state = 7};
  test_random_fill(&r, x, ROWS * WIDTH, 90.0f);
  test_random_fill(&r, y, ROWS, 1e4f);
  test_array_write("x.npy", "(40, 3)", x, ROWS * WIDTH);
  test_array_write("y.npy", "(40,)", y, ROWS);
  char labels[512];
  snprintf(labels, sizeof labels, "%s", test_path("y.npy"));
  mlp_cl_data_options o = {.labels_path = labels, .targets = true, .holdout = 0.25, .validation = 0.2, .seed = 9};
  draw_twice(test_path("x.npy"), &o);
  o.scaling = MLP_CL_SCALE_STANDARD;
  o.scale_targets = true;
  draw_twice(test_path("x.npy"), &o);
}
END_TEST

/* Whichever row a value belongs to. */
START_TEST(other_rows_are_refused) {
  const mlp_cl_data_options o = {.one_hot = "job", .holdout = 0.3, .validation = 0.3, .header = MLP_CL_HEADER_YES};
  mlp_cl_parts first, again;
  const char *path = write_table();
  ck_ok(mlp_cl_dataset_open_parts(path, &o, &first, &test_error));
  mlp_cl_model_info *info = saved(&first);
  size_t count, changed = 0;
  char *text = (char *)test_file_read(path, &count);
  for (size_t at = strcspn(text, "\n") + 1; at < count; at++) {
    if (text[at] < '0' || text[at] > '8') continue;
    text[at]++;
    test_file_write(path, text, count);
    ck_assert(!open_again(path, &o, info, &again));
    mlp_cl_parts_destroy(&again);
    text[at]--;
    changed++;
  }
  ck_assert_uint_gt(changed, ROWS);
  test_text_write("t.csv", "age,job,pay,town\n30,clerk,1.5,Bonn\n50,smith,2.5,Bonn\n");
  ck_assert(!open_again(path, &o, info, &again)); /* so few that none would be drawn */
  mlp_cl_parts_destroy(&again);
  free(text);
  mlp_cl_model_info_destroy(info);
  mlp_cl_parts_destroy(&first);
}
END_TEST

/* Each row's part is told, so that whoever reads the file knows it again. */
START_TEST(parts_of_rows_are_told) {
  const mlp_cl_data_options o = {.one_hot = "job", .holdout = 0.3, .validation = 0.2, .seed = 4};
  mlp_cl_parts first;
  mlp_cl_dataset *all;
  unsigned char parts[ROWS];
  size_t counts[3] = {0};
  bool found;
  ck_ok(mlp_cl_dataset_open_parts(write_table(), &o, &first, &test_error));
  mlp_cl_model_info *info = saved(&first);
  ck_ok(mlp_cl_dataset_open_as(test_path("t.csv"), NULL, mlp_cl_model_info_encoding(info), o.header, false, &all,
                               &test_error));
  ck_ok(mlp_cl_dataset_find_parts(all, mlp_cl_model_info_split(info), parts, &found, &test_error));
  ck_assert(found);
  const mlp_cl_dataset *of[] = {first.train, first.test, first.validation};
  for (size_t row = 0; row < ROWS; row++) {
    const mlp_cl_dataset *part = of[parts[row]];
    ck_same_bits((const float *)part->features + counts[parts[row]]++ * part->width,
                 (const float *)all->features + row * all->width, all->width, "a row");
  }
  for (size_t i = 0; i < 3; i++) ck_assert_uint_eq(counts[i], mlp_cl_dataset_rows(of[i]));
  ck_ok(mlp_cl_dataset_find_parts(first.train, mlp_cl_model_info_split(info), parts, &found, &test_error));
  ck_assert(!found);
  mlp_cl_dataset_destroy(all);
  mlp_cl_model_info_destroy(info);
  mlp_cl_parts_destroy(&first);
}
END_TEST

START_TEST(splits_leave_rows_to_train) {
  mlp_cl_parts parts = {0};
  const float x[] = {1, 2, 3};
  ck_ok(mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, 3, 1, 1.0f, (int32_t[]){0, 1, 0}, 2, &parts.train, &test_error));
  ck_fails(mlp_cl_parts_split(&parts, (unsigned char[]){1, 2, 1}, &test_error), MLP_CL_BAD_ARGUMENT, "no row to train");
  ck_fails(mlp_cl_parts_split(&parts, (unsigned char[]){0, 3, 1}, &test_error), MLP_CL_BAD_ARGUMENT,
           "row 1 is in part 3");
  ck_assert_uint_eq(mlp_cl_dataset_rows(parts.train), 3);
  ck_ok(mlp_cl_parts_split(&parts, (unsigned char[]){0, 2, 0}, &test_error));
  ck_assert_uint_eq(mlp_cl_dataset_rows(parts.train), 2);
  ck_assert_uint_eq(mlp_cl_dataset_rows(parts.validation), 1);
  ck_assert_ptr_null(parts.test);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

START_TEST(a_test_part_is_named_once) {
  mlp_cl_parts parts;
  const mlp_cl_data_options both = {.holdout = 0.3, .test_path = write_table()};
  ck_fails(mlp_cl_dataset_open_parts(both.test_path, &both, &parts, &test_error), MLP_CL_BAD_ARGUMENT, "give one of");
}
END_TEST

/* Nothing was drawn: there is nothing to tell. */
START_TEST(what_was_not_split_says_so) {
  mlp_cl_parts parts;
  ck_ok(mlp_cl_dataset_open_parts("digits", NULL, &parts, &test_error));
  mlp_cl_model_info *info = saved(&parts);
  ck_assert_ptr_null(mlp_cl_model_info_split(info));
  mlp_cl_model_info_destroy(info);
  mlp_cl_parts_destroy(&parts);
  const mlp_cl_data_options all = {.one_hot = "job", .keep_all = true};
  ck_ok(mlp_cl_dataset_open_parts(write_table(), &all, &parts, &test_error));
  info = saved(&parts);
  ck_assert_ptr_null(mlp_cl_model_info_split(info));
  mlp_cl_model_info_destroy(info);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("split");
  TCase *cases = tcase_create("split");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_add_test(cases, parts_are_drawn_again);
  tcase_add_test(cases, parts_of_arrays_are_drawn_again);
  tcase_add_test(cases, other_rows_are_refused);
  tcase_add_test(cases, parts_of_rows_are_told);
  tcase_add_test(cases, splits_leave_rows_to_train);
  tcase_add_test(cases, a_test_part_is_named_once);
  tcase_add_test(cases, what_was_not_split_says_so);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
