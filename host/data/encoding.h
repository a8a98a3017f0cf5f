/* How the columns of a table become features and labels: the numbers of scaling, the values of columns of text, the
 * names of classes. Made from a training part once, stored in the model, applied to whatever table comes later. */
#ifndef DATA_ENCODING_H
#define DATA_ENCODING_H

#include <locale.h>
#include <stdatomic.h>

#include "data/name_set.h"

typedef struct encoding_column {
  char *name;      /* of the heading, else the column's number from 1; owned */
  size_t position; /* in the file it was made from, from 0 */
  mlp_cl_column_kind kind;
  double offset, divisor; /* NUMBER, TARGET: feature = (value - offset) / divisor */
  bool filled;
  double fill;     /* NUMBER: the value that stands for a missing one, when filled; ONE_HOT: a missing one has no 1 */
  name_set values; /* ONE_HOT: one feature each; CLASSES */
} encoding_column;

/* Immutable once made, shared by data sets and models. */
struct mlp_cl_encoding {
  atomic_uint owners;
  bool named; /* the table had a heading */
  size_t file_columns;
  locale_t c_locale;        /* for number_read */
  encoding_column *columns; /* of the features, in the order of the features */
  size_t columns_count;
  encoding_column *labels; /* one of kind CLASSES, or any number of TARGETs */
  size_t labels_count;
};

/* With one owner and room for the columns, all {0}; the owner fills them before sharing. Error: NO_MEMORY. */
mlp_cl_status encoding_create(size_t columns, size_t labels, mlp_cl_encoding **encoding, mlp_cl_error *error);
/* One more owner; returns its argument, which may be NULL. */
mlp_cl_encoding *encoding_share(mlp_cl_encoding *encoding);
void encoding_release(mlp_cl_encoding *encoding);

/* Whether a model can keep it: as JSON in a header of at most 100 MB (model_file/safetensors.h), so that what is
 * learned is not lost. Error: BAD_ARGUMENT. */
mlp_cl_status encoding_check(const mlp_cl_encoding *encoding, mlp_cl_error *error);

/* Features of one column. */
size_t encoding_column_width(const encoding_column *column);

/* feature = (value - offset) / divisor in double, rounded to float32 at the end; NaN is a missing value. False when
 * that is not finite, or missing where nothing stands for it. */
bool encode_number(const encoding_column *column, double value, float *feature);
/* A 1 among zeros; NAME_NONE is a missing value. */
void encode_value(const encoding_column *column, uint32_t value, float *features);

/* A column of numbers whose offset, divisor and fill are to be found. */
typedef struct column_fit {
  encoding_column *column;
  mlp_cl_scaling scaling;
  /* The rest is encoding_fit's own and begins as 0. */
  size_t count;
  double sum, least, most, squares;
} column_fit;

/* What stands in a row of `from` for the column of fits[i]; NaN where it is missing. */
typedef double column_value(const void *from, size_t row, size_t i);

/* From the rows where marks[row] is MLP_CL_PART_TRAIN, or all without marks; two passes over the
 * rows, which may lie in a file, for all columns together. mean = sum / n, the sum in row order; standard: deviation =
 * sqrt(sum of (value - mean)² / n), each square by fma; minmax: offset = minimum, divisor = maximum - minimum. A
 * constant column has offset = its value, divisor 1. NaN is left out. Error: BAD_ARGUMENT (no value at all). */
mlp_cl_status encoding_fit(column_fit *fits, size_t count, column_value *value, const void *from, size_t rows,
                           const unsigned char *marks, mlp_cl_error *error);

#endif
