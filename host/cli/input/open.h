/* What several commands open alike: the device, the data, a model file. */
#ifndef OPEN_H
#define OPEN_H

#include "mlp_cl.h"
#include "terminal/options.h"

#define OPTION_ROW_PROFILE                \
  OPTION_VALUE("profile", OPTION_PROFILE, \
               "write when each kernel ran to FILE (JSON, for ui.perfetto.dev or chrome://tracing)", "FILE")

/* Opens the device that --device names and says which it is. */
mlp_cl_status open_device(const options *o, mlp_cl_context **context, mlp_cl_error *error);
/* The same, with memory for data as in mlp_cl_context_options. */
mlp_cl_status open_device_for(const options *o, uint64_t data_bytes, mlp_cl_context **context, mlp_cl_error *error);
/* Says so where training was slower than is meant for the device. */
void warn_of_refused_steps(const mlp_cl_context *context);
/* Writes --profile, if it was given. */
mlp_cl_status write_profile(const options *o, mlp_cl_context *context, mlp_cl_error *error);

/* A model file (the command's first operand) on its device. */
typedef struct opened_model {
  mlp_cl_context *context;
  mlp_cl_network *network;
  mlp_cl_model_info *info;
} opened_model;

/* These return an exit status, after a complaint unless it is STATUS_OK. Close in any case. */
int open_model(const options *o, opened_model *m);
void close_model(opened_model *m);
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
/* What the file says under that key; NULL when it does not. */
const char *open_metadata(const mlp_cl_model_info *info, const char *wanted);
/* Of a class or target: from the file, else the number; `buffer` holds that. */
const char *open_class_name(const mlp_cl_model_info *info, size_t class_index, char buffer[24]);

/* The network's outputs, and whether they are the probabilities of classes. */
size_t open_outputs(const mlp_cl_model_info *info);
bool open_has_classes(const mlp_cl_model_info *info);
/* A number to learn, by its column: value = output · *divisor + *offset; false where it has none. */
bool open_target(const mlp_cl_model_info *info, size_t output, mlp_cl_column *column);

#define OPTION_ROW_PART                                                                                              \
  OPTION_VALUE("part", OPTION_PART,                                                                                  \
               "a part of the training's data, also of a table: test, train or validation (default: all of a file, " \
               "test of digits and folders)",                                                                        \
               "NAME")

#endif
