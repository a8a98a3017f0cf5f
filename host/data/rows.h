/* Rows of a file under an encoding that exists already, a few at a time. */
#ifndef DATA_ROWS_H
#define DATA_ROWS_H

#include "data/csv.h"
#include "data/dataset.h"
#include "data/encoding.h"

struct mlp_cl_rows {
  const char *path;
  size_t width;
  size_t taken; /* rows so far */
  /* A table. */
  bool is_table, waiting; /* the first record is data and still to be taken */
  csv_reader csv;
  mlp_cl_encoding *encoding; /* shared; NULL: each field is a feature, times scale */
  float scale;
  size_t fields_count;
  size_t *positions; /* of the encoding's columns, then of its labels, in a record; ROWS_ABSENT */
  /* Anything else, whole. */
  mlp_cl_dataset *dataset;
};

#define ROWS_ABSENT SIZE_MAX

/* The next row of a table. Unless NULL, *label or targets get what the row is to be recognised as; the label columns
 * must be there then. *found false at the end. */
mlp_cl_status rows_take(mlp_cl_rows *rows, float *features, int32_t *label, float *targets, bool *found,
                        mlp_cl_error *error);
/* All rows of a table with their labels or targets. */
mlp_cl_status rows_gather(mlp_cl_rows *rows, mlp_cl_dataset **dataset, mlp_cl_error *error);

#endif
