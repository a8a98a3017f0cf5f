/* From the columns of a table to data sets: values sorted, rows divided by lot, an encoding made from the training
 * part, and each part written under it. */
#include <stdlib.h>

#include "base/bulk.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/table.h"

/* ---- Values of text ---------------------------------------------------------------------------------------------- */

/* Measured numbers, names and dates make poor classes, hardly one occurs twice; and one class alone teaches nothing. */
static mlp_cl_status check_classes(const table *t, const table_column *label, bool numbers, mlp_cl_error *error) {
  enum { UNSUSPICIOUS = 50 };
  const name_set *values = &t->values[label->slot];
  if (values->count == 1) {
    return fail(
        error, MLP_CL_BAD_ARGUMENT,
        "%s: the label column \"%.80s\" has \"%.80s\" in every row, so there is nothing to tell apart; to learn "
        "another give --label",
        t->csv.source.path, label->name, values->texts[0]);
  }
  if (t->options->many_classes || values->count <= UNSUSPICIOUS || values->count <= t->rows / (numbers ? 4 : 2))
    return MLP_CL_OK;
  return fail(
      error, MLP_CL_BAD_ARGUMENT,
      "%s: the label column \"%.80s\" has %zu different %s in %zu rows; to learn %s, or --task classification if "
      "these are classes",
      t->csv.source.path, label->name, values->count, numbers ? "numbers" : "texts", t->rows,
      numbers ? "numbers give --task regression" : "another give --label");
}

/* Numbers the values of a column of text anew: by value where all are numbers, else by their bytes. */
static mlp_cl_status sort_values(table *t, const table_column *column, mlp_cl_error *error) {
  name_set *values = &t->values[column->slot];
  double *by_value = malloc((values->count + 1) * sizeof *by_value);
  uint32_t *ranks = malloc((values->count + 1) * sizeof *ranks);
  mlp_cl_status status = MLP_CL_OK;
  bool numbers = true;
  if (by_value == NULL || ranks == NULL) status = fail_memory(error, values->count * 12, "the values of a column");
  for (size_t i = 0; status == MLP_CL_OK && numbers && i < values->count; i++) {
    numbers = number_read(values->texts[i], t->csv.c_locale, &by_value[i]);
  }
  if (status == MLP_CL_OK && column->role == ROLE_CLASS) status = check_classes(t, column, numbers, error);
  if (status == MLP_CL_OK && values->count == 0)
    status = fail(error, MLP_CL_BAD_ARGUMENT, "%s: column \"%.80s\" has no value in any row; leave it away: --ignore",
                  t->csv.source.path, column->name);
  if (status == MLP_CL_OK) status = name_set_sort(values, numbers ? by_value : NULL, ranks, error);
  for (size_t row = 0; status == MLP_CL_OK && row < t->rows; row++) {
    uint32_t *value = &t->texts[row * t->texts_count + column->slot];
    if (*value != NAME_NONE) *value = ranks[*value];
  }
  free(by_value);
  free(ranks);
  return status;
}

/* ---- Encoding ---------------------------------------------------------------------------------------------------- */

/* Takes the column's name and values out of the table; numbers are fitted afterwards, all columns together. */
static void take_column(table *t, size_t position, column_fit *fits, encoding_column *column) {
  static const mlp_cl_column_kind kinds[] = {[ROLE_NUMBER] = MLP_CL_COLUMN_NUMBER,
                                             [ROLE_TEXT] = MLP_CL_COLUMN_ONE_HOT,
                                             [ROLE_CLASS] = MLP_CL_COLUMN_CLASSES,
                                             [ROLE_TARGET] = MLP_CL_COLUMN_TARGET};
  table_column *from = &t->columns[position];
  column->kind = kinds[from->role];
  column->position = position;
  column->name = from->name;
  from->name = NULL;
  column->filled = (from->role == ROLE_TEXT || from->role == ROLE_NUMBER) && t->options->missing_mean;
  if (from->role == ROLE_TEXT || from->role == ROLE_CLASS) {
    column->values = t->values[from->slot];
    t->values[from->slot] = (name_set){0};
    return;
  }
  mlp_cl_scaling scaling = t->options->scaling == MLP_CL_SCALE_USUAL ? MLP_CL_SCALE_STANDARD : t->options->scaling;
  if (from->role == ROLE_TARGET && !t->options->scale_targets) scaling = MLP_CL_SCALE_NONE;
  fits[from->slot] = (column_fit){.column = column, .scaling = scaling};
}

static double number_at(const void *from, size_t row, size_t slot) {
  const table *t = from;
  return t->numbers[row * t->numbers_count + slot];
}

/* Takes names and values out of the table. */
static mlp_cl_status make_encoding(table *t, const unsigned char *marks, mlp_cl_encoding **encoding,
                                   mlp_cl_error *error) {
  size_t features = 0, labels = 0;
  for (size_t i = 0; i < t->columns_count; i++) {
    features += t->columns[i].role == ROLE_NUMBER || t->columns[i].role == ROLE_TEXT;
    labels += t->columns[i].role == ROLE_CLASS || t->columns[i].role == ROLE_TARGET;
  }
  mlp_cl_encoding *made;
  TRY(encoding_create(features, labels, &made, error));
  made->named = t->named;
  made->file_columns = t->columns_count;
  encoding_column *feature = made->columns, *label = made->labels;
  column_fit *fits = calloc(t->numbers_count + 1, sizeof *fits);
  mlp_cl_status status =
      fits == NULL ? fail_memory(error, t->numbers_count * sizeof *fits, "the columns of a table") : MLP_CL_OK;
  for (size_t i = 0; fits != NULL && i < t->columns_count; i++) {
    column_role role = t->columns[i].role;
    if (role == ROLE_IGNORED) continue;
    bool is_label = role == ROLE_CLASS || role == ROLE_TARGET;
    take_column(t, i, fits, is_label ? label++ : feature++);
  }
  if (status == MLP_CL_OK) status = encoding_check(made, error);
  if (status == MLP_CL_OK) status = encoding_fit(fits, t->numbers_count, number_at, t, t->rows, marks, error);
  free(fits);
  if (status != MLP_CL_OK) {
    encoding_release(made);
    return status;
  }
  *encoding = made;
  return MLP_CL_OK;
}

/* ---- Parts ------------------------------------------------------------------------------------------------------- */

static mlp_cl_status encode_row(const table *t, const mlp_cl_encoding *encoding, size_t row, float *features,
                                mlp_cl_error *error) {
  for (size_t i = 0; i < encoding->columns_count; i++) {
    const encoding_column *column = &encoding->columns[i];
    size_t slot = t->columns[column->position].slot;
    if (column->kind == MLP_CL_COLUMN_ONE_HOT) {
      encode_value(column, t->texts[row * t->texts_count + slot], features);
    } else if (!encode_number(column, t->numbers[row * t->numbers_count + slot], features)) {
      return fail(error, MLP_CL_BAD_FILE,
                  "%s: row %zu, column \"%.80s\": %g scales to more than float32 holds; mend it, or give --ignore",
                  t->csv.source.path, row + 1, column->name, t->numbers[row * t->numbers_count + slot]);
    }
    features += encoding_column_width(column);
  }
  return MLP_CL_OK;
}

/* Labels or targets of one row, to place `next` of its part. */
static mlp_cl_status encode_labels(const table *t, const mlp_cl_encoding *encoding, size_t row, size_t next,
                                   dataset_parts *made, mlp_cl_error *error) {
  for (size_t i = 0; i < encoding->labels_count; i++) {
    size_t slot = t->columns[encoding->labels[i].position].slot;
    if (made->labels != NULL) made->labels[next] = (int32_t)t->texts[row * t->texts_count + slot];
    if (made->targets != NULL && !encode_number(&encoding->labels[i], t->numbers[row * t->numbers_count + slot],
                                                &made->targets[next * made->outputs + i])) {
      return fail(error, MLP_CL_BAD_FILE,
                  "%s: row %zu, column \"%.80s\": %g scales to more than float32 holds; mend it", t->csv.source.path,
                  row + 1, encoding->labels[i].name, t->numbers[row * t->numbers_count + slot]);
    }
  }
  return MLP_CL_OK;
}

/* The rows whose mark is `mark`; *dataset stays NULL when there are none. */
static mlp_cl_status make_part(const table *t, mlp_cl_encoding *encoding, const unsigned char *marks,
                               unsigned char mark, mlp_cl_dataset **dataset, mlp_cl_error *error) {
  bool classes = encoding->labels[0].kind == MLP_CL_COLUMN_CLASSES;
  dataset_parts made = {.width = mlp_cl_encoding_width(encoding),
                        .element = MLP_CL_FLOAT32,
                        .scale = 1.0f,
                        .classes = classes ? encoding->labels[0].values.count : 0,
                        .outputs = classes ? 0 : encoding->labels_count,
                        .encoding = encoding};
  for (size_t row = 0; row < t->rows; row++) made.rows += marks[row] == mark;
  if (made.rows == 0) return MLP_CL_OK;
  /* Many values of a one-hot column make much of a small file: then memory must hold it. */
  bool blown_up = made.width / 16 > t->columns_count;
  size_t bytes;
  if (!size_multiply(made.rows, made.width * sizeof(float), &bytes) || (blown_up && bytes > memory_total_bytes())) {
    return fail(error, MLP_CL_NO_MEMORY,
                "%s: %zu rows of %zu features are more than memory holds; --ignore some columns", t->csv.source.path,
                made.rows, made.width);
  }
  TRY(dataset_parts_allocate(&made, t->csv.source.path, error));
  mlp_cl_status status = MLP_CL_OK;
  for (size_t row = 0, next = 0; status == MLP_CL_OK && row < t->rows; row++) {
    if (marks[row] != mark) continue;
    status = encode_row(t, encoding, row, (float *)made.features + next * made.width, error);
    if (status == MLP_CL_OK) status = encode_labels(t, encoding, row, next++, &made, error);
  }
  if (status == MLP_CL_OK) return dataset_adopt(&made, dataset, error);
  dataset_parts_free(&made);
  return status;
}

/* Which row goes to which part, by lot. */
static mlp_cl_status draw_parts(const table *t, const mlp_cl_split *split, unsigned char *marks, mlp_cl_error *error) {
  int32_t *labels = NULL;
  size_t classes = 1;
  for (size_t i = 0; i < t->columns_count; i++) {
    if (t->columns[i].role != ROLE_CLASS) continue;
    size_t slot = t->columns[i].slot;
    labels = malloc(t->rows * sizeof *labels);
    if (labels == NULL) return fail_memory(error, t->rows * sizeof *labels, "a split");
    for (size_t row = 0; row < t->rows; row++) labels[row] = (int32_t)t->texts[row * t->texts_count + slot];
    classes = t->values[slot].count;
  }
  mlp_cl_status status = split_parts(labels, t->rows, classes, split, marks, error);
  free(labels);
  return status;
}

static mlp_cl_status make_parts(table *t, const mlp_cl_split *split, mlp_cl_parts *parts, mlp_cl_error *error) {
  unsigned char *marks = calloc(t->rows, 1);
  if (marks == NULL) return fail_memory(error, t->rows, "a split");
  mlp_cl_encoding *encoding = NULL;
  mlp_cl_status status = MLP_CL_OK;
  for (size_t i = 0; status == MLP_CL_OK && i < t->columns_count; i++) {
    column_role role = t->columns[i].role;
    if (role == ROLE_TEXT || role == ROLE_CLASS) status = sort_values(t, &t->columns[i], error);
  }
  if (status == MLP_CL_OK) status = draw_parts(t, split, marks, error);
  if (status == MLP_CL_OK) status = make_encoding(t, marks, &encoding, error);
  if (status == MLP_CL_OK) status = make_part(t, encoding, marks, MLP_CL_PART_TRAIN, &parts->train, error);
  if (status == MLP_CL_OK) status = make_part(t, encoding, marks, MLP_CL_PART_TEST, &parts->test, error);
  if (status == MLP_CL_OK) status = make_part(t, encoding, marks, MLP_CL_PART_VALIDATION, &parts->validation, error);
  encoding_release(encoding);
  free(marks);
  return status;
}

mlp_cl_status table_open(const char *path, const mlp_cl_data_options *options, const mlp_cl_split *split,
                         mlp_cl_parts *parts, mlp_cl_error *error) {
  table t;
  *parts = (mlp_cl_parts){0};
  TRY(table_read(path, options, &t, error));
  mlp_cl_status status = make_parts(&t, split, parts, error);
  table_close(&t);
  if (status != MLP_CL_OK) mlp_cl_parts_destroy(parts);
  return status;
}
