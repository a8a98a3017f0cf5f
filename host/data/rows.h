/* Rows of a file under an encoding that exists already, a few at a time. */
#ifndef DATA_ROWS_H
#define DATA_ROWS_H

#include "data/csv.h"
#include "data/dataset.h"
#include "data/encoding.h"

/* Fields that stay beside the features, as text: those of the rows that were given last. */
typedef struct kept_fields {
  size_t count;      /* of columns */
  size_t *positions; /* in a record; owned, as all here */
  char **names;
  char *text; /* the fields one after the other, each with its NUL */
  size_t used, room;
  size_t *starts; /* (rows, count), in `text` */
  size_t rows, rows_room;
} kept_fields;

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
  bool begun;        /* the first record may be gone */
  bool passable;     /* what failed last was a record's content: the next one can be had */
  kept_fields kept;
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

/* Adds the fields of the record that the table stands at. Error: NO_MEMORY. */
mlp_cl_status kept_add(kept_fields *kept, const csv_reader *csv, mlp_cl_error *error);
void kept_destroy(kept_fields *kept);

#endif
