/* See encoding.h. */
#include "data/encoding.h"

#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"

mlp_cl_status encoding_create(size_t columns, size_t labels, mlp_cl_encoding **encoding, mlp_cl_error *error) {
  mlp_cl_encoding *made = calloc(1, sizeof *made);
  encoding_column *room = calloc(columns + labels + 1, sizeof *room);
  locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (made == NULL || room == NULL || c_locale == (locale_t)0) {
    if (c_locale != (locale_t)0) freelocale(c_locale);
    free(made);
    free(room);
    return fail_memory(error, (columns + labels) * sizeof *room, "the description of columns");
  }
  made->columns = room;
  made->columns_count = columns;
  made->labels = room + columns;
  made->labels_count = labels;
  made->c_locale = c_locale;
  atomic_init(&made->owners, 1);
  *encoding = made;
  return MLP_CL_OK;
}

mlp_cl_encoding *encoding_share(mlp_cl_encoding *encoding) {
  if (encoding != NULL) atomic_fetch_add(&encoding->owners, 1);
  return encoding;
}

void encoding_release(mlp_cl_encoding *encoding) {
  if (encoding == NULL || atomic_fetch_sub(&encoding->owners, 1) > 1) return;
  for (size_t i = 0; i < encoding->columns_count + encoding->labels_count; i++) {
    free(encoding->columns[i].name);
    name_set_destroy(&encoding->columns[i].values);
  }
  freelocale(encoding->c_locale);
  free(encoding->columns);
  free(encoding);
}

size_t encoding_column_width(const encoding_column *column) {
  return column->kind == MLP_CL_COLUMN_ONE_HOT ? column->values.count : 1;
}

size_t mlp_cl_encoding_width(const mlp_cl_encoding *encoding) {
  size_t width = 0;
  for (size_t i = 0; i < encoding->columns_count; i++) width += encoding_column_width(&encoding->columns[i]);
  return width;
}

bool encode_number(const encoding_column *column, double value, float *feature) {
  if (isnan(value)) {
    if (!column->filled) return false;
    value = column->fill;
  }
  *feature = (float)((value - column->offset) / column->divisor);
  return isfinite(*feature);
}

void encode_value(const encoding_column *column, uint32_t value, float *features) {
  for (size_t i = 0; i < column->values.count; i++) features[i] = i == value ? 1.0f : 0.0f;
}

static void add_value(column_fit *fit, double value) {
  if (isnan(value)) return;
  fit->count++;
  fit->sum += value;
  if (value < fit->least) fit->least = value;
  if (value > fit->most) fit->most = value;
}

/* At most, of JSON in JSON: with quotes and a comma, and each of its own quotes and control characters escaped twice.
 */
static size_t stored_bytes(const char *text) {
  size_t bytes = 6;
  for (; *text != '\0'; text++) bytes += (unsigned char)*text < ' ' ? 7 : *text == '"' || *text == '\\' ? 4 : 1;
  return bytes;
}

mlp_cl_status encoding_check(const mlp_cl_encoding *encoding, mlp_cl_error *error) {
  enum { COLUMN_BYTES = 200, BYTES_MAX = 90 * 1000 * 1000 };
  size_t bytes = 0, columns = encoding->columns_count + encoding->labels_count;
  for (size_t i = 0; i < columns; i++) {
    const encoding_column *column = &encoding->columns[i];
    bytes += COLUMN_BYTES + stored_bytes(column->name);
    for (size_t k = 0; k < column->values.count; k++) bytes += stored_bytes(column->values.texts[k]);
  }
  if (bytes <= BYTES_MAX) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT,
              "a model would have to keep %zu MB of names, values and scales of %zu columns, and can keep %d: leave "
              "columns away, or do without scaling",
              bytes / 1000000, columns, BYTES_MAX / 1000000);
}

static void add_square(column_fit *fit, double value) {
  if (isnan(value)) return;
  fit->squares = fma(value - fit->column->fill, value - fit->column->fill, fit->squares);
}

static mlp_cl_status find_mean(column_fit *fit, mlp_cl_error *error) {
  encoding_column *column = fit->column;
  if (fit->count == 0) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "column \"%.80s\" has no value in the training part; leave it away: --ignore", column->name);
  }
  column->fill = fit->least == fit->most ? fit->least : fit->sum / (double)fit->count;
  return MLP_CL_OK;
}

static void find_scale(const column_fit *fit) {
  encoding_column *column = fit->column;
  column->offset = 0.0;
  column->divisor = 1.0;
  if (fit->scaling == MLP_CL_SCALE_NONE) return;
  column->offset = fit->scaling == MLP_CL_SCALE_MINMAX ? fit->least : column->fill;
  if (fit->least == fit->most) return;
  column->divisor =
      fit->scaling == MLP_CL_SCALE_MINMAX ? fit->most - fit->least : sqrt(fit->squares / (double)fit->count);
  /* Values so close to each other that their distance is no normal number. */
  if (!(column->divisor >= 0x1p-1022)) column->divisor = 1.0;
}

mlp_cl_status encoding_fit(column_fit *fits, size_t count, column_value *value, const void *from, size_t rows,
                           const unsigned char *marks, mlp_cl_error *error) {
  for (size_t i = 0; i < count; i++) fits[i].least = INFINITY, fits[i].most = -INFINITY;
  for (size_t row = 0; row < rows; row++) {
    if (marks != NULL && marks[row] != MLP_CL_PART_TRAIN) continue;
    for (size_t i = 0; i < count; i++) add_value(&fits[i], value(from, row, i));
  }
  for (size_t i = 0; i < count; i++) TRY(find_mean(&fits[i], error));
  for (size_t row = 0; row < rows; row++) {
    if (marks != NULL && marks[row] != MLP_CL_PART_TRAIN) continue;
    for (size_t i = 0; i < count; i++) add_square(&fits[i], value(from, row, i));
  }
  for (size_t i = 0; i < count; i++) find_scale(&fits[i]);
  return MLP_CL_OK;
}

bool mlp_cl_encoding_named(const mlp_cl_encoding *encoding) {
  return encoding->named;
}

size_t mlp_cl_encoding_columns(const mlp_cl_encoding *encoding) {
  return encoding->columns_count + encoding->labels_count;
}

size_t mlp_cl_encoding_fields(const mlp_cl_encoding *encoding) {
  return encoding->columns_count;
}

bool mlp_cl_encoding_column(const mlp_cl_encoding *encoding, size_t i, mlp_cl_column *column) {
  if (i >= mlp_cl_encoding_columns(encoding)) return false;
  const encoding_column *c = &encoding->columns[i];
  *column = (mlp_cl_column){.name = c->name,
                            .kind = c->kind,
                            .offset = c->offset,
                            .divisor = c->divisor,
                            .filled = c->filled,
                            .fill = c->fill,
                            .values_count = c->values.count,
                            .values = (const char *const *)c->values.texts};
  return true;
}
