/* Reads a table: which column is what, then all values. See table.h. */
#include "data/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bulk.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/utf8.h"
#include "data/heading.h"

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

mlp_cl_status table_fail_cell(const csv_reader *csv, size_t position, const char *name, mlp_cl_error *error,
                              const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (name == NULL) {
    return fail(error, MLP_CL_BAD_FILE, "%s: line %zu, column %zu: %s", csv->source.path, csv->line, position + 1,
                text);
  }
  return fail(error, MLP_CL_BAD_FILE, "%s: line %zu, column %zu (\"%.80s\"): %s", csv->source.path, csv->line,
              position + 1, name, text);
}

static const char *shown_name(const table *t, size_t position) {
  return t->named ? t->columns[position].name : NULL;
}

/* ---- Columns ----------------------------------------------------------------------------------------------------- */

static mlp_cl_status name_columns(table *t, mlp_cl_error *error) {
  csv_reader *csv = &t->csv;
  name_set names;
  mlp_cl_status status = heading_read(csv, t->named, &names, error);
  t->columns = calloc(csv->fields_count, sizeof *t->columns);
  if (status == MLP_CL_OK && t->columns == NULL)
    status = fail_memory(error, csv->fields_count * sizeof *t->columns, "the columns of a table");
  for (size_t i = 0; status == MLP_CL_OK && i < names.count; i++) {
    if (!utf8_is_valid(names.texts[i]))
      status = table_fail_cell(csv, i, NULL, error, "the name is not UTF-8; convert the file with iconv -t utf-8");
    t->columns[t->columns_count++].name = names.texts[i];
    names.texts[i] = NULL;
  }
  name_set_destroy(&names);
  return status;
}

/* Gives `role` to each column of the list. */
static mlp_cl_status assign(table *t, const char *option, const char *list, column_role role, mlp_cl_error *error) {
  const name_list columns = {&t->columns[0].name, sizeof *t->columns, t->columns_count};
  for (size_t found; list != NULL;) {
    TRY(heading_find(&columns, t->csv.source.path, option, &list, &found, error));
    if (t->columns[found].role != ROLE_NUMBER) {
      return fail(error, MLP_CL_BAD_ARGUMENT, "%s: column \"%.80s\" is given to %s and to another option, or twice",
                  t->csv.source.path, t->columns[found].name, option);
    }
    t->columns[found].role = role;
  }
  return MLP_CL_OK;
}

/* For "all": every column with a value that is no number becomes one of text. Reads the whole file. */
static mlp_cl_status find_texts(table *t, mlp_cl_error *error) {
  csv_reader csv;
  bool found;
  TRY(csv_open(&csv, t->csv.source.path, error));
  mlp_cl_status status = csv_next(&csv, &found, error);
  if (status == MLP_CL_OK && t->named) status = csv_next(&csv, &found, error);
  while (status == MLP_CL_OK && found) {
    for (size_t i = 0; i < size_min(t->columns_count, csv.fields_count); i++) {
      double value;
      if (t->columns[i].role == ROLE_NUMBER && !number_read(csv.fields[i], csv.c_locale, &value) &&
          !number_is_missing(csv.fields[i])) {
        t->columns[i].role = ROLE_TEXT;
      }
    }
    status = csv_next(&csv, &found, error);
  }
  csv_close(&csv);
  return status;
}

static mlp_cl_status assign_labels(table *t, mlp_cl_error *error) {
  const mlp_cl_data_options *o = t->options;
  column_role role = o->targets ? ROLE_TARGET : ROLE_CLASS;
  if (o->label == NULL) {
    size_t last = t->columns_count - 1;
    while (last > 0 && t->columns[last].role != ROLE_NUMBER) last--;
    t->columns[last].role = role;
    return MLP_CL_OK;
  }
  TRY(assign(t, "--label", o->label, role, error));
  if (o->targets || strchr(o->label, ',') == NULL) return MLP_CL_OK;
  size_t classes = 0;
  for (size_t i = 0; i < t->columns_count; i++) classes += t->columns[i].role == ROLE_CLASS;
  if (classes == 1) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT,
              "--label %.80s names %zu columns, but a class is one; --task regression and multi-label take several",
              o->label, classes);
}

static mlp_cl_status assign_roles(table *t, mlp_cl_error *error) {
  const mlp_cl_data_options *o = t->options;
  bool all = o->one_hot != NULL && strcmp(o->one_hot, "all") == 0;
  if (o->ignore != NULL) TRY(assign(t, "--ignore", o->ignore, ROLE_IGNORED, error));
  TRY(assign_labels(t, error));
  if (o->one_hot != NULL && !all) TRY(assign(t, "--one-hot", o->one_hot, ROLE_TEXT, error));
  if (all) TRY(find_texts(t, error));
  size_t features = 0;
  for (size_t i = 0; i < t->columns_count; i++) {
    table_column *column = &t->columns[i];
    features += column->role == ROLE_NUMBER || column->role == ROLE_TEXT;
    if (column->role == ROLE_NUMBER || column->role == ROLE_TARGET) column->slot = t->numbers_count++;
    if (column->role == ROLE_TEXT || column->role == ROLE_CLASS) column->slot = t->texts_count++;
  }
  if (features == 0) {
    return fail(error, MLP_CL_BAD_FILE, "%s: has %zu column%s and none is left to learn from; %s", t->csv.source.path,
                t->columns_count, t->columns_count == 1 ? "" : "s",
                t->columns_count == 1 ? "are fields separated by comma, tab, semicolon, bar or blanks?"
                                      : "give --label and --ignore fewer");
  }
  t->values = calloc(t->texts_count + 1, sizeof *t->values);
  return t->values == NULL ? fail_memory(error, t->texts_count * sizeof *t->values, "the columns of a table")
                           : MLP_CL_OK;
}

/* Reads the first record and knows the columns from it. */
static mlp_cl_status begin_table(table *t, mlp_cl_error *error) {
  bool found;
  TRY(csv_next(&t->csv, &found, error));
  if (!found) return fail(error, MLP_CL_BAD_FILE, "%s: is empty; a table is wanted", t->csv.source.path);
  t->named = t->options->header == MLP_CL_HEADER_YES ||
             (t->options->header == MLP_CL_HEADER_DETECT && heading_is_there(&t->csv));
  t->waiting = !t->named;
  TRY(name_columns(t, error));
  return assign_roles(t, error);
}

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

/* What to do about a text where a number is wanted. */
static const char *number_remedy(const table *t, bool target) {
  bool first = t->rows == 0 && t->waiting && t->options->header == MLP_CL_HEADER_DETECT;
  if (first) return "; if this line names the columns: --header yes";
  return target ? ", but --task regression and multi-label learn numbers"
                : "; --label learns the column, --one-hot encodes it, --ignore leaves it away";
}

static mlp_cl_status take_number(table *t, size_t position, double *value, mlp_cl_error *error) {
  const char *text = t->csv.fields[position], *name = shown_name(t, position);
  bool target = t->columns[position].role == ROLE_TARGET;
  if (number_read(text, t->csv.c_locale, value)) return MLP_CL_OK;
  if (number_is_missing(text)) {
    *value = NAN;
    if (t->options->missing_mean && !target) return MLP_CL_OK;
    return table_fail_cell(&t->csv, position, name, error, "\"%s\": a value is missing%s", text,
                           target ? "; a target is needed in every row"
                                  : "; --missing mean takes the column's mean for it (texts: --one-hot)");
  }
  return table_fail_cell(&t->csv, position, name, error, "\"%.40s\" %s%s", text, number_fault(text, t->csv.c_locale),
                         number_remedy(t, target));
}

static mlp_cl_status take_text(table *t, size_t position, uint32_t *value, mlp_cl_error *error) {
  const char *text = t->csv.fields[position], *name = shown_name(t, position);
  bool class = t->columns[position].role == ROLE_CLASS;
  size_t most = class ? DATASET_CLASSES_MAX : TABLE_VALUES_MAX;
  name_set *values = &t->values[t->columns[position].slot];
  if (text_is_missing(text)) {
    *value = NAME_NONE;
    if (t->options->missing_mean && !class) return MLP_CL_OK;
    return table_fail_cell(&t->csv, position, name, error, "\"%s\": a value is missing%s", text,
                           class ? "; a class is needed in every row" : "; --missing mean makes all its features 0");
  }
  if (!utf8_is_valid(text)) {
    return table_fail_cell(&t->csv, position, name, error, "is not UTF-8; convert the file with iconv -t utf-8");
  }
  TRY(name_set_add(values, text, value, error));
  if (values->count <= most) return MLP_CL_OK;
  return table_fail_cell(&t->csv, position, name, error, "more than %zu different values%s", most,
                         class ? "" : "; leave the column away with --ignore");
}

static mlp_cl_status reserve_row(table *t, mlp_cl_error *error) {
  if (t->rows < t->room) return MLP_CL_OK;
  if (t->rows == DATASET_ROWS_MAX) {
    return fail(error, MLP_CL_BAD_FILE, "%s: line %zu: more than %zu rows", t->csv.source.path, t->csv.line,
                DATASET_ROWS_MAX);
  }
  size_t room = t->room == 0 ? 64 : size_min(2 * t->room, DATASET_ROWS_MAX);
  size_t bytes = room * (t->numbers_count * sizeof *t->numbers + t->texts_count * sizeof *t->texts);
  double *numbers = bulk_resize(t->numbers, room * t->numbers_count * sizeof *numbers);
  if (numbers != NULL) t->numbers = numbers;
  uint32_t *texts = bulk_resize(t->texts, room * t->texts_count * sizeof *texts);
  if (texts != NULL) t->texts = texts;
  if (numbers == NULL || texts == NULL) return bulk_fail(error, bytes, t->csv.source.path);
  t->room = room;
  return MLP_CL_OK;
}

static mlp_cl_status take_row(table *t, mlp_cl_error *error) {
  if (t->csv.fields_count != t->columns_count) {
    return fail(error, MLP_CL_BAD_FILE, "%s: line %zu: %zu fields, but the first line has %zu", t->csv.source.path,
                t->csv.line, t->csv.fields_count, t->columns_count);
  }
  TRY(reserve_row(t, error));
  for (size_t i = 0; i < t->columns_count; i++) {
    const table_column *column = &t->columns[i];
    if (column->role == ROLE_IGNORED) continue;
    if (column->role == ROLE_NUMBER || column->role == ROLE_TARGET) {
      TRY(take_number(t, i, &t->numbers[t->rows * t->numbers_count + column->slot], error));
    } else {
      TRY(take_text(t, i, &t->texts[t->rows * t->texts_count + column->slot], error));
    }
  }
  t->rows++;
  return MLP_CL_OK;
}

static mlp_cl_status read_rows(table *t, mlp_cl_error *error) {
  bool found = true;
  if (t->waiting) TRY(take_row(t, error));
  for (;;) {
    TRY(csv_next(&t->csv, &found, error));
    if (!found) break;
    TRY(take_row(t, error));
  }
  if (t->rows > 0) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE, "%s: has a heading but no row", t->csv.source.path);
}

mlp_cl_status table_read(const char *path, const mlp_cl_data_options *options, table *t, mlp_cl_error *error) {
  *t = (table){.options = options};
  TRY(csv_open(&t->csv, path, error));
  mlp_cl_status status = begin_table(t, error);
  if (status == MLP_CL_OK) status = read_rows(t, error);
  if (status != MLP_CL_OK) table_close(t);
  return status;
}

void table_close(table *t) {
  for (size_t i = 0; i < t->columns_count; i++) free(t->columns[i].name);
  for (size_t i = 0; t->values != NULL && i < t->texts_count; i++) name_set_destroy(&t->values[i]);
  free(t->columns);
  free(t->values);
  bulk_free(t->numbers);
  bulk_free(t->texts);
  csv_close(&t->csv);
}
