/* A table for training: its columns are told apart, its rows divided, an encoding is made from the training part, and
 * all parts become data sets under it. */
#ifndef DATA_TABLE_H
#define DATA_TABLE_H

#include "data/csv.h"
#include "data/dataset.h"
#include "data/encoding.h"

/* Different values of a one-hot column: each is a feature of every row. */
#define TABLE_VALUES_MAX ((size_t)1 << 16)

typedef enum column_role { ROLE_NUMBER, ROLE_TEXT, ROLE_CLASS, ROLE_TARGET, ROLE_IGNORED } column_role;

/* A column of the file. */
typedef struct table_column {
  char *name; /* owned */
  column_role role;
  size_t slot; /* NUMBER, TARGET: in a row of numbers; TEXT, CLASS: in a row of texts, and in values */
} table_column;

typedef struct table {
  const mlp_cl_data_options *options;
  csv_reader csv;
  bool named, waiting; /* the first record is data and still to be taken */
  table_column *columns;
  size_t columns_count;
  size_t rows, room;
  double *numbers; /* (rows, numbers_count), NaN where missing */
  size_t numbers_count;
  uint32_t *texts; /* (rows, texts_count): numbers in `values`, or NAME_NONE */
  size_t texts_count;
  name_set *values; /* texts_count */
} table;

/* Reads the whole file; close it in the end. Errors: as table_open. */
mlp_cl_status table_read(const char *path, const mlp_cl_data_options *options, table *t, mlp_cl_error *error);
void table_close(table *t);

/* `parts` gets the training part and those that are to be drawn, whatever the options say of them. Errors: BAD_FILE and
 * BAD_ARGUMENT with file, line, column and remedy; IO; NO_MEMORY. */
mlp_cl_status table_open(const char *path, const mlp_cl_data_options *options, const mlp_cl_split *split,
                         mlp_cl_parts *parts, mlp_cl_error *error);

/* One that says where: "FILE: line 3, column 2 ("age"): …". `name` is NULL without a heading. */
__attribute__((format(printf, 5, 6))) mlp_cl_status table_fail_cell(const csv_reader *csv, size_t position,
                                                                    const char *name, mlp_cl_error *error,
                                                                    const char *format, ...);

#endif
