/* See rows.h. */
#include "data/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bulk.h"
#include "base/size.h"
#include "data/array_scale.h"
#include "data/field.h"
#include "data/format.h"
#include "data/heading.h"
#include "data/table.h"

/* ---- Which field is which column --------------------------------------------------------------------------------- */

/* By the names in the record that `csv` stands at. False unless all features are there; *missing is the first that is
 * not. */
static bool match_names(mlp_cl_rows *r, const name_set *names, const char **missing) {
  const mlp_cl_encoding *e = r->encoding;
  for (size_t i = 0; i < e->columns_count + e->labels_count; i++) {
    uint32_t place = name_set_find(names, e->columns[i].name);
    r->positions[i] = place == NAME_NONE ? ROWS_ABSENT : place;
    if (place != NAME_NONE || i >= e->columns_count) continue;
    *missing = e->columns[i].name;
    return false;
  }
  return true;
}

/* How many of the label columns come before `position` in the file of the training. */
static size_t labels_before(const mlp_cl_encoding *e, size_t position) {
  size_t count = 0;
  for (size_t i = 0; i < e->labels_count; i++) count += e->labels[i].position < position;
  return count;
}

/* By order: all columns as in training, or all but the labels, or the features alone. False for another number. */
static bool match_places(mlp_cl_rows *r) {
  const mlp_cl_encoding *e = r->encoding;
  size_t fields = r->csv.fields_count, all = e->file_columns;
  if (fields != all && fields != all - e->labels_count && fields != e->columns_count) return false;
  for (size_t i = 0; i < e->columns_count + e->labels_count; i++) {
    size_t position = e->columns[i].position;
    bool label = i >= e->columns_count;
    if (fields == all) {
      r->positions[i] = position;
    } else if (label) {
      r->positions[i] = ROWS_ABSENT;
    } else {
      r->positions[i] = fields == e->columns_count ? i : position - labels_before(e, position);
    }
  }
  return true;
}

static mlp_cl_status fail_names(const mlp_cl_rows *r, const char *missing, mlp_cl_error *error) {
  const mlp_cl_encoding *e = r->encoding;
  const name_list wanted = {&e->columns[0].name, sizeof *e->columns, e->columns_count};
  const name_list there = {r->csv.fields, sizeof *r->csv.fields, r->csv.fields_count};
  char has[NAMES_LISTED_BYTES], wants[NAMES_LISTED_BYTES];
  return fail(error, MLP_CL_BAD_FILE, "%s: line %zu: has no column \"%.80s\"; the model wants %s; the file has %s",
              r->path, r->csv.line, missing, names_list(&wanted, wants), names_list(&there, has));
}

static mlp_cl_status fail_count(const mlp_cl_rows *r, mlp_cl_error *error) {
  const mlp_cl_encoding *e = r->encoding;
  const name_list wanted = {&e->columns[0].name, sizeof *e->columns, e->columns_count};
  char wants[NAMES_LISTED_BYTES];
  return fail(error, MLP_CL_BAD_FILE,
              "%s: line %zu: %zu fields and no heading; the model wants %zu, in this order: %s (or all %zu of its "
              "training)",
              r->path, r->csv.line, r->csv.fields_count, e->columns_count, names_list(&wanted, wants), e->file_columns);
}

/* Under a model whose table had a heading. A heading of numbers, too, is one when it is the model's. */
static mlp_cl_status match_heading(mlp_cl_rows *r, bool heading, bool *matched, mlp_cl_error *error) {
  const char *missing = NULL;
  name_set names;
  mlp_cl_status status = heading_read(&r->csv, true, &names, error);
  *matched = status == MLP_CL_OK && match_names(r, &names, &missing);
  name_set_destroy(&names);
  if (heading && status == MLP_CL_OK && !*matched) return fail_names(r, missing, error);
  return status == MLP_CL_BAD_FILE && !heading ? MLP_CL_OK : status;
}

static bool is_value_of(const mlp_cl_rows *r, const encoding_column *column, const char *text) {
  double value;
  bool number = column->kind == MLP_CL_COLUMN_NUMBER || column->kind == MLP_CL_COLUMN_TARGET;
  if (number) return number_is_missing(text) || number_read(text, r->csv.c_locale, &value);
  return text_is_missing(text) || name_set_find(&column->values, text) != NAME_NONE;
}

/* Whether the first record, whose columns are known by their places, has values that the model knows: then it is no
 * heading, though none of them be a number. */
static bool first_is_row(const mlp_cl_rows *r) {
  const mlp_cl_encoding *e = r->encoding;
  for (size_t i = 0; i < e->columns_count + e->labels_count; i++)
    if (r->positions[i] != ROWS_ABSENT && !is_value_of(r, &e->columns[i], r->csv.fields[r->positions[i]])) return false;
  return true;
}

/* With the first record at hand. */
static mlp_cl_status match_columns(mlp_cl_rows *r, mlp_cl_header header, mlp_cl_error *error) {
  const mlp_cl_encoding *e = r->encoding;
  bool heading = header == MLP_CL_HEADER_YES || (header == MLP_CL_HEADER_DETECT && heading_is_there(&r->csv));
  bool matched = false;
  r->fields_count = r->csv.fields_count;
  if (e == NULL) {
    r->waiting = !heading;
    r->width = r->fields_count;
    return MLP_CL_OK;
  }
  r->width = mlp_cl_encoding_width(e);
  r->positions = calloc(e->columns_count + e->labels_count, sizeof *r->positions);
  if (r->positions == NULL)
    return fail_memory(error, e->columns_count * sizeof *r->positions, "the columns of a table");
  if (heading && header == MLP_CL_HEADER_DETECT && match_places(r) && first_is_row(r)) heading = false;
  r->waiting = !heading;
  if (e->named && header != MLP_CL_HEADER_NO) TRY(match_heading(r, heading, &matched, error));
  if (matched) {
    r->waiting = false;
    return MLP_CL_OK;
  }
  return match_places(r) ? MLP_CL_OK : fail_count(r, error);
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

static const char *name_of(const mlp_cl_rows *r, const encoding_column *column) {
  return r->encoding->named ? column->name : NULL;
}

static mlp_cl_status fail_field(const mlp_cl_rows *r, const encoding_column *column, size_t position, const char *fault,
                                mlp_cl_error *error) {
  return table_fail_cell(&r->csv, position, name_of(r, column), error, "%s", fault);
}

static mlp_cl_status take_field(const mlp_cl_rows *r, const encoding_column *column, size_t position, float *features,
                                mlp_cl_error *error) {
  char fault[FIELD_FAULT_BYTES];
  if (field_encode(column, r->csv.fields[position], r->csv.c_locale, features, fault)) return MLP_CL_OK;
  return fail_field(r, column, position, fault, error);
}

static mlp_cl_status take_label(const mlp_cl_rows *r, size_t i, int32_t *label, float *targets, mlp_cl_error *error) {
  const encoding_column *column = &r->encoding->labels[i];
  size_t position = r->positions[r->encoding->columns_count + i];
  if (position == ROWS_ABSENT) {
    return fail(error, MLP_CL_BAD_FILE, "%s: has no column \"%.80s\", which holds the labels", r->path, column->name);
  }
  if (column->kind == MLP_CL_COLUMN_TARGET) {
    return targets == NULL ? MLP_CL_OK : take_field(r, column, position, &targets[i], error);
  }
  char fault[FIELD_FAULT_BYTES];
  int32_t unwanted;
  if (field_class(column, r->csv.fields[position], label != NULL ? label : &unwanted, fault)) return MLP_CL_OK;
  return fail_field(r, column, position, fault, error);
}

static mlp_cl_status take_record(const mlp_cl_rows *r, float *features, int32_t *label, float *targets,
                                 mlp_cl_error *error) {
  static const encoding_column plain = {.kind = MLP_CL_COLUMN_NUMBER, .divisor = 1.0};
  if (r->csv.fields_count != r->fields_count) {
    return fail(error, MLP_CL_BAD_FILE, "%s: line %zu: %zu fields, but the first line has %zu", r->path, r->csv.line,
                r->csv.fields_count, r->fields_count);
  }
  const mlp_cl_encoding *e = r->encoding;
  for (size_t i = 0; e == NULL && i < r->width; i++) {
    double value;
    if (!number_read(r->csv.fields[i], r->csv.c_locale, &value)) {
      return table_fail_cell(&r->csv, i, NULL, error, "\"%.40s\" %s", r->csv.fields[i],
                             number_fault(r->csv.fields[i], r->csv.c_locale));
    }
    encode_number(&plain, value, &features[i]);
    features[i] *= r->scale;
  }
  for (size_t i = 0; e != NULL && i < e->columns_count; i++) {
    const encoding_column *column = &e->columns[i];
    TRY(take_field(r, column, r->positions[i], features, error));
    features += encoding_column_width(column);
  }
  for (size_t i = 0; (label != NULL || targets != NULL) && i < e->labels_count; i++) {
    TRY(take_label(r, i, label, targets, error));
  }
  return MLP_CL_OK;
}

mlp_cl_status rows_take(mlp_cl_rows *r, float *features, int32_t *label, float *targets, bool *found,
                        mlp_cl_error *error) {
  *found = true;
  r->passable = false;
  if (!r->waiting) TRY(csv_next(&r->csv, found, error));
  r->waiting = false;
  if (!*found) return MLP_CL_OK;
  r->passable = true;
  TRY(take_record(r, features, label, targets, error));
  r->taken++;
  return MLP_CL_OK;
}

/* ---- Opening and reading ----------------------------------------------------------------------------------------- */

static mlp_cl_status open_table(mlp_cl_rows *r, const char *path, mlp_cl_header header, mlp_cl_error *error) {
  bool found;
  TRY(csv_open(&r->csv, path, error));
  r->is_table = true;
  r->path = r->csv.source.path;
  TRY(csv_next(&r->csv, &found, error));
  if (!found) return fail(error, MLP_CL_BAD_FILE, "%s: is empty; a table is wanted", r->path);
  return match_columns(r, header, error);
}

static void adopt_dataset(mlp_cl_rows *r, mlp_cl_dataset *dataset) {
  r->dataset = dataset;
  r->width = dataset->width;
}

/* A pipe is read once, so what it holds is looked at where it is read. */
static mlp_cl_status open_any(mlp_cl_rows *r, const char *path, mlp_cl_header header, mlp_cl_error *error) {
  data_format format = DATA_TEXT;
  if (strcmp(path, "-") != 0) TRY(format_find(path, &format, error));
  if (format == DATA_TEXT) return open_table(r, path, header, error);
  r->path = path;
  mlp_cl_dataset *train, *test;
  TRY(format_open(path, format, NULL, DATA_FEATURES, &train, &test, error));
  if (test != NULL) mlp_cl_dataset_destroy(train);
  adopt_dataset(r, test != NULL ? test : train);
  if (r->encoding == NULL) return MLP_CL_OK;
  TRY(array_scale_apply(&r->dataset, r->encoding, path, error));
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_rows_open(const char *path, const mlp_cl_encoding *encoding, mlp_cl_header header, float scale,
                               mlp_cl_rows **rows, mlp_cl_error *error) {
  *rows = NULL;
  if (path == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the path of the rows is NULL; name a file, or - for standard input");
  mlp_cl_rows *made = calloc(1, sizeof *made);
  if (made == NULL) return fail_memory(error, sizeof *made, "reading rows");
  made->encoding = encoding_share((mlp_cl_encoding *)(uintptr_t)encoding);
  made->scale = scale;
  mlp_cl_status status = open_any(made, path, header, error);
  if (status != MLP_CL_OK) {
    mlp_cl_rows_close(made);
    return status;
  }
  *rows = made;
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_rows_from_dataset(mlp_cl_dataset *dataset, mlp_cl_rows **rows, mlp_cl_error *error) {
  *rows = calloc(1, sizeof **rows);
  if (*rows == NULL) {
    mlp_cl_dataset_destroy(dataset);
    return fail_memory(error, sizeof **rows, "reading rows");
  }
  adopt_dataset(*rows, dataset);
  return MLP_CL_OK;
}

void mlp_cl_rows_close(mlp_cl_rows *r) {
  if (r == NULL) return;
  if (r->is_table) csv_close(&r->csv);
  mlp_cl_dataset_destroy(r->dataset);
  encoding_release(r->encoding);
  free(r->positions);
  kept_destroy(&r->kept);
  free(r);
}

size_t mlp_cl_rows_width(const mlp_cl_rows *r) {
  return r->width;
}

bool mlp_cl_rows_may_go_on(const mlp_cl_rows *r) {
  return r->passable;
}

/* Through a pipe the next row may be long in coming: what is complete is given first. */
static bool must_wait(const mlp_cl_rows *r) {
  const csv_reader *csv = &r->csv;
  size_t next = csv->next;
  if (csv->after_return && next < csv->end && csv->buffer[next] == '\n')
    next++; /* the rest of the row that was given */
  return csv->source.size == UINT64_MAX && memchr(csv->buffer + next, '\n', csv->end - next) == NULL;
}

mlp_cl_status mlp_cl_rows_next(mlp_cl_rows *r, size_t most, float *features, size_t *got, mlp_cl_error *error) {
  *got = 0;
  r->begun = true;
  r->kept.used = r->kept.rows = 0;
  if (!r->is_table) {
    *got = size_min(most, r->dataset->rows - r->taken);
    dataset_features(r->dataset, r->taken, *got, features);
    r->taken += *got;
    return MLP_CL_OK;
  }
  for (bool found; *got < most && (*got == 0 || !must_wait(r)); ++*got) {
    mlp_cl_status status = rows_take(r, features + *got * r->width, NULL, NULL, &found, error);
    if (status != MLP_CL_OK || !found) return status;
    r->passable = false; /* it is whole */
    if (r->kept.count > 0) TRY(kept_add(&r->kept, &r->csv, error));
  }
  return MLP_CL_OK;
}

/* ---- A whole labelled table -------------------------------------------------------------------------------------- */

typedef struct gathered {
  dataset_parts parts;
  size_t room;
} gathered;

static mlp_cl_status reserve(gathered *g, const char *path, mlp_cl_error *error) {
  dataset_parts *p = &g->parts;
  if (p->rows < g->room) return MLP_CL_OK;
  size_t room = g->room == 0 ? 64 : size_min(2 * g->room, DATASET_ROWS_MAX), bytes;
  if (p->rows == DATASET_ROWS_MAX || !size_multiply(room, (p->width + p->outputs + 1) * sizeof(float), &bytes))
    return fail(error, MLP_CL_BAD_FILE, "%s: more than %zu rows", path, p->rows);
  void *features = bulk_resize(p->features, room * p->width * sizeof(float));
  if (features != NULL) p->features = features;
  void *labels = bulk_resize(p->classes > 0 ? (void *)p->labels : (void *)p->targets,
                             p->classes > 0 ? room * sizeof(int32_t) : room * p->outputs * sizeof(float));
  if (labels != NULL && p->classes > 0) p->labels = labels;
  if (labels != NULL && p->classes == 0) p->targets = labels;
  if (features == NULL || labels == NULL) return bulk_fail(error, bytes, "a table");
  g->room = room;
  return MLP_CL_OK;
}

static mlp_cl_status gather(mlp_cl_rows *r, gathered *g, mlp_cl_error *error) {
  dataset_parts *p = &g->parts;
  for (bool found = true;; p->rows++) {
    TRY(reserve(g, r->path, error));
    TRY(rows_take(r, (float *)p->features + p->rows * p->width, p->classes > 0 ? &p->labels[p->rows] : NULL,
                  p->classes > 0 ? NULL : &p->targets[p->rows * p->outputs], &found, error));
    if (!found) break;
  }
  return p->rows > 0 ? MLP_CL_OK : fail(error, MLP_CL_BAD_FILE, "%s: has a heading but no row", r->path);
}

mlp_cl_status rows_gather(mlp_cl_rows *r, mlp_cl_dataset **dataset, mlp_cl_error *error) {
  mlp_cl_encoding *e = r->encoding;
  bool classes = e->labels[0].kind == MLP_CL_COLUMN_CLASSES;
  gathered g = {.parts = {.width = r->width,
                          .element = MLP_CL_FLOAT32,
                          .scale = 1.0f,
                          .classes = classes ? e->labels[0].values.count : 0,
                          .outputs = classes ? 0 : e->labels_count,
                          .encoding = e}};
  mlp_cl_status status = gather(r, &g, error);
  if (status == MLP_CL_OK) return dataset_adopt(&g.parts, dataset, error);
  dataset_parts_free(&g.parts);
  return status;
}
