/* The encoding of a table in a model file's metadata, as JSON:
 * {"heading": true, "file_columns": 3, "columns": [{"name": "age", "position": 0, "kind": "number", "offset": 40.5,
 * "divisor": 11.2, "fill": 40.5}, {…, "kind": "one-hot", "values": ["blue", "red"], "filled": true}], "labels": [{…,
 * "kind": "classes"}]}. The names of classes are not told twice: they are the model's. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv.h"
#include "data/encoding.h"
#include "model_file/model.h"

static const char *const kinds[] = {[MLP_CL_COLUMN_NUMBER] = "number",
                                    [MLP_CL_COLUMN_ONE_HOT] = "one-hot",
                                    [MLP_CL_COLUMN_CLASSES] = "classes",
                                    [MLP_CL_COLUMN_TARGET] = "target"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool is_scaled(const encoding_column *column) {
  return column->kind == MLP_CL_COLUMN_NUMBER || column->kind == MLP_CL_COLUMN_TARGET;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* What does not fit into memory shows as NULL at the end: jansson takes NULL for an error everywhere. */
static json_t *describe_column(const encoding_column *column) {
  json_t *object = json_pack("{s:s, s:I, s:s}", "name", column->name, "position", (json_int_t)column->position, "kind",
                             kinds[column->kind]);
  bool good = object != NULL;
  if (is_scaled(column)) {
    good = good && json_object_set_new(object, "offset", json_real(column->offset)) == 0 &&
           json_object_set_new(object, "divisor", json_real(column->divisor)) == 0 &&
           (!column->filled || json_object_set_new(object, "fill", json_real(column->fill)) == 0);
  } else if (column->kind == MLP_CL_COLUMN_ONE_HOT) {
    json_t *values = json_array();
    for (size_t i = 0; i < column->values.count; i++) {
      good = good && json_array_append_new(values, json_string(column->values.texts[i])) == 0;
    }
    good = good && json_object_set(object, "values", values) == 0 &&
           json_object_set_new(object, "filled", json_boolean(column->filled)) == 0;
    json_decref(values);
  }
  if (good) return object;
  json_decref(object);
  return NULL;
}

static json_t *describe_columns(const encoding_column *columns, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) {
    if (json_array_append_new(list, describe_column(&columns[i])) == 0) continue;
    json_decref(list);
    return NULL;
  }
  return list;
}

mlp_cl_status model_table_add(safetensors *content, const mlp_cl_encoding *encoding, mlp_cl_error *error) {
  json_t *object = json_pack("{s:b, s:I, s:o, s:o}", "heading", (int)encoding->named, "file_columns",
                             (json_int_t)encoding->file_columns, "columns",
                             describe_columns(encoding->columns, encoding->columns_count), "labels",
                             describe_columns(encoding->labels, encoding->labels_count));
  return model_json_add(content, MODEL_TABLE, object, 17, error);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* What is being read, for the texts of errors. */
typedef struct reading {
  const char *path;
  mlp_cl_error *error;
} reading;

static mlp_cl_status fail_table(const reading *r, const char *what) {
  return fail(r->error, MLP_CL_BAD_FILE, "%s: metadata \"" MODEL_TABLE "\": %s; the file is damaged or edited", r->path,
              what);
}

static mlp_cl_status add_value(const reading *r, const char *text, name_set *values) {
  uint32_t number;
  size_t count = values->count;
  TRY(name_set_add(values, text, &number, r->error));
  return number == count ? MLP_CL_OK : fail_table(r, "a value or class is there twice");
}

static mlp_cl_status read_values(const reading *r, const json_t *list, name_set *values) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *text = json_string_value(json_array_get(list, i));
    if (text == NULL) return fail_table(r, "a value is no string");
    TRY(add_value(r, text, values));
  }
  return values->count > 0 ? MLP_CL_OK : fail_table(r, "a one-hot column without values");
}

static mlp_cl_status read_column(const reading *r, const json_t *object, size_t file_columns, encoding_column *column) {
  const char *name = json_string_value(json_object_get(object, "name"));
  const char *kind = json_string_value(json_object_get(object, "kind"));
  json_int_t position = json_integer_value(json_object_get(object, "position"));
  size_t k = 0;
  while (kind != NULL && k < KINDS && strcmp(kind, kinds[k]) != 0) k++;
  if (name == NULL || kind == NULL || k == KINDS) return fail_table(r, "a column without name or of unknown kind");
  if (position < 0 || (uint64_t)position >= file_columns) return fail_table(r, "a column's position is out of range");
  column->kind = (mlp_cl_column_kind)k;
  column->position = (size_t)position;
  column->name = strdup(name);
  if (column->name == NULL) return fail_memory(r->error, strlen(name) + 1, "the name of a column");
  if (column->kind == MLP_CL_COLUMN_ONE_HOT) {
    column->filled = json_is_true(json_object_get(object, "filled"));
    return read_values(r, json_object_get(object, "values"), &column->values);
  }
  if (!is_scaled(column)) return MLP_CL_OK;
  const json_t *fill = json_object_get(object, "fill");
  column->offset = json_number_value(json_object_get(object, "offset"));
  column->divisor = json_number_value(json_object_get(object, "divisor"));
  column->filled = json_is_number(fill);
  column->fill = json_number_value(fill);
  if (isfinite(column->offset) && isfinite(column->fill) && isfinite(column->divisor) && column->divisor > 0) {
    return MLP_CL_OK;
  }
  return fail_table(r, "a column's numbers are out of range");
}

static mlp_cl_status read_columns(const reading *r, const json_t *list, size_t file_columns, encoding_column *columns) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    TRY(read_column(r, json_array_get(list, i), file_columns, &columns[i]));
  }
  return MLP_CL_OK;
}

/* Kinds in their places, and as many features and outputs as the network has. */
static mlp_cl_status check_kinds(const reading *r, const mlp_cl_model_info *info, mlp_cl_encoding *encoding) {
  for (size_t i = 0; i < encoding->columns_count + encoding->labels_count; i++) {
    mlp_cl_column_kind kind = encoding->columns[i].kind;
    bool label = kind == MLP_CL_COLUMN_CLASSES || kind == MLP_CL_COLUMN_TARGET;
    if (label != (i >= encoding->columns_count))
      return fail_table(r, "a label among features or a feature among labels");
    if (kind == MLP_CL_COLUMN_CLASSES && encoding->labels_count != 1) return fail_table(r, "more than one class");
  }
  if (mlp_cl_encoding_width(encoding) != info->widths[0])
    return fail_table(r, "its features are not the network's inputs");
  if (encoding->labels[0].kind == MLP_CL_COLUMN_TARGET) {
    bool fits = encoding->labels_count == info->widths[info->layers];
    return fits ? MLP_CL_OK : fail_table(r, "its targets are not the network's outputs");
  }
  for (size_t i = 0; i < info->classes; i++) TRY(add_value(r, info->class_names[i], &encoding->labels[0].values));
  return MLP_CL_OK;
}

mlp_cl_status model_table_read(const char *path, const char *text, mlp_cl_model_info *info, mlp_cl_error *error) {
  const reading r = {path, error};
  json_t *object = json_loads(text, 0, NULL);
  const json_t *columns = json_object_get(object, "columns"), *labels = json_object_get(object, "labels");
  json_int_t file_columns = json_integer_value(json_object_get(object, "file_columns"));
  mlp_cl_encoding *made = NULL;
  mlp_cl_status status = MLP_CL_OK;
  if (json_array_size(columns) == 0 || json_array_size(labels) == 0 || file_columns < 1 ||
      file_columns > CSV_FIELDS_MAX) {
    status = fail_table(&r, "is not the description of a table");
  }
  if (status == MLP_CL_OK) status = encoding_create(json_array_size(columns), json_array_size(labels), &made, error);
  if (status == MLP_CL_OK) {
    made->named = json_is_true(json_object_get(object, "heading"));
    made->file_columns = (size_t)file_columns;
    status = read_columns(&r, columns, made->file_columns, made->columns);
  }
  if (status == MLP_CL_OK) status = read_columns(&r, labels, made->file_columns, made->labels);
  if (status == MLP_CL_OK) status = check_kinds(&r, info, made);
  json_decref(object);
  if (status == MLP_CL_OK) {
    info->encoding = made;
  } else {
    encoding_release(made);
  }
  return status;
}
