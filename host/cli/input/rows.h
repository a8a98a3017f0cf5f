/* The rows that a model is asked about: all of a source, or a part of it. */
#ifndef ROWS_H
#define ROWS_H

#include "input/model.h"

#define OPTION_ROW_PART                                                                                              \
  OPTION_VALUE("part", OPTION_PART,                                                                                  \
               "a part of the training's data, also of a table: test, train or validation (default: all of a file, " \
               "test of digits and folders)",                                                                        \
               "NAME")

/* The labelled --data, read as the model's data were, or the part of it that --part names: *part, NULL for all. */
int open_labelled(const options *o, const opened_model *m, mlp_cl_dataset **data, const char **part);

/* Rows to predict: all of them or, with marks, those that are marked with `part`. */
typedef struct opened_rows {
  mlp_cl_rows *rows;
  unsigned char *marks;
  size_t marks_count;
  mlp_cl_part part;
} opened_rows;

/* The rows of `source`: a file, "-" or what --data takes. */
int open_rows(const options *o, const opened_model *m, const char *source, opened_rows *rows);
void close_rows(opened_rows *rows);

#endif
