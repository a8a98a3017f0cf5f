/* What several commands open alike: the device, the data, a model file. */
#ifndef OPEN_H
#define OPEN_H

#include "mlp_cl.h"
#include "options.h"

/* --data and --labels, for the tables of commands. */
#define OPTION_ROW_DATA             \
  OPTION_VALUE("data", OPTION_DATA, \
               "'digits' (built in), a folder in the MNIST layout, or an IDX file (default: digits)", "SOURCE")
#define OPTION_ROW_LABELS OPTION_VALUE("labels", OPTION_LABELS, "the labels, when --data is a single IDX file", "FILE")
#define OPTION_ROW_PART \
  OPTION_VALUE("part", OPTION_PART, "part of the data: test or train (default: test, if there is one)", "NAME")

/* Opens the device that --device names and says which it is. */
mlp_cl_status open_device(const options *o, mlp_cl_context **context, mlp_cl_error *error);
/* Opens --data. *test is NULL when the source has no such part. */
mlp_cl_status open_data(const options *o, mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error);

/* A model file (the command's operand) on its device, beside the part of the data that --part names. */
typedef struct opened_model {
  mlp_cl_context *context;
  mlp_cl_network *network;
  mlp_cl_model_info *info;
  mlp_cl_dataset *data;
} opened_model;

/* Returns an exit status, after a complaint unless it is STATUS_OK; close in any case. */
int open_model(const options *o, opened_model *m);
void close_model(opened_model *m);
/* From the file, else from the data, else the number; `buffer` holds the last. */
const char *open_class_name(const opened_model *m, size_t class_index, char buffer[24]);

#endif
