/* A model file on its device, and what it says. */
#ifndef MODEL_H
#define MODEL_H

#include "mlp_cl.h"
#include "terminal/options.h"

/* A model file (the command's first operand) on its device. */
typedef struct opened_model {
  mlp_cl_context *context;
  mlp_cl_network *network;
  mlp_cl_model_info *info;
} opened_model;

/* These return an exit status, after a complaint unless it is STATUS_OK. Close in any case. */
int open_model(const options *o, opened_model *m);
void close_model(opened_model *m);

/* What the file says under that key; NULL when it does not. */
const char *model_metadata(const mlp_cl_model_info *info, const char *wanted);
/* Of a class or target: from the file, else the number; `buffer` holds that. */
const char *model_class_name(const mlp_cl_model_info *info, size_t class_index, char buffer[24]);

/* The network's outputs, and whether they are the probabilities of classes. */
size_t model_outputs(const mlp_cl_model_info *info);
bool model_has_classes(const mlp_cl_model_info *info);
/* A number to learn, by its column: value = output · *divisor + *offset; false where it has none. */
bool model_target(const mlp_cl_model_info *info, size_t output, mlp_cl_column *column);

#endif
