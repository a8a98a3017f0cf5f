/* See encoding.h. */
#include "data/encoding.h"

#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"

mlp_cl_status encoding_create(size_t columns, size_t labels, mlp_cl_encoding **encoding, mlp_cl_error *error) {
  mlp_cl_encoding *made = calloc(1, sizeof *made);
  encoding_column *room = calloc(columns + labels + 1, sizeof *room);
  if (made == NULL || room == NULL) {
    free(made);
    free(room);
    return fail_memory(error, (columns + labels) * sizeof *room, "the description of columns");
  }
  made->columns = room;
  made->columns_count = columns;
  made->labels = room + columns;
  made->labels_count = labels;
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
  free(encoding->columns);
  free(encoding);
}

size_t encoding_column_width(const encoding_column *column) {
  return column->kind == MLP_CL_COLUMN_ONE_HOT ? column->values.count : 1;
}

size_t encoding_width(const mlp_cl_encoding *encoding) {
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

typedef struct sums {
  size_t count;
  double sum, least, most;
} sums;

static sums add_up(const double *values, size_t stride, size_t rows, const unsigned char *marks) {
  sums s = {0, 0.0, INFINITY, -INFINITY};
  for (size_t i = 0; i < rows; i++) {
    double value = values[i * stride];
    if (marks[i] != SPLIT_TRAIN || isnan(value)) continue;
    s.count++;
    s.sum += value;
    if (value < s.least) s.least = value;
    if (value > s.most) s.most = value;
  }
  return s;
}

static double deviation(const double *values, size_t stride, size_t rows, const unsigned char *marks, double mean,
                        size_t count) {
  double squares = 0.0;
  for (size_t i = 0; i < rows; i++) {
    double value = values[i * stride];
    if (marks[i] != SPLIT_TRAIN || isnan(value)) continue;
    squares = fma(value - mean, value - mean, squares);
  }
  return sqrt(squares / (double)count);
}

mlp_cl_status encoding_fit(encoding_column *column, const double *values, size_t stride, size_t rows,
                           const unsigned char *marks, mlp_cl_scaling scaling, mlp_cl_error *error) {
  sums s = add_up(values, stride, rows, marks);
  if (s.count == 0) {
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "column \"%.80s\" has no value in the training part; leave it away: --ignore", column->name);
  }
  double mean = s.least == s.most ? s.least : s.sum / (double)s.count;
  column->fill = mean;
  column->offset = 0.0;
  column->divisor = 1.0;
  if (scaling == MLP_CL_SCALE_NONE) return MLP_CL_OK;
  column->offset = scaling == MLP_CL_SCALE_MINMAX ? s.least : mean;
  if (s.least == s.most) return MLP_CL_OK;
  column->divisor =
      scaling == MLP_CL_SCALE_MINMAX ? s.most - s.least : deviation(values, stride, rows, marks, mean, s.count);
  /* Values so close to each other that their distance is no normal number. */
  if (!(column->divisor >= 0x1p-1022)) column->divisor = 1.0;
  return MLP_CL_OK;
}

size_t mlp_cl_encoding_columns(const mlp_cl_encoding *encoding) {
  return encoding->columns_count + encoding->labels_count;
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
