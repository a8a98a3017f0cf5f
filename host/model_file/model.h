/* A network as a model file: which tensors and metadata it has, beside safetensors.h, which knows only the format. */
#ifndef MODEL_FILE_MODEL_H
#define MODEL_FILE_MODEL_H

#include "model_file/safetensors.h"

/* Keys of the metadata. All values are strings, as the format wants; those in JSON say so. */
#define MODEL_FORMAT "format" /* "pt": PyTorch's names and orientation */
#define MODEL_VERSION "mlp_cl.version"
#define MODEL_NUMERICS "mlp_cl.numerics"
#define MODEL_RECIPE "mlp_cl.recipe"   /* JSON object */
#define MODEL_CLASSES "mlp_cl.classes" /* JSON list of strings */
#define MODEL_SCALE "mlp_cl.scale"     /* JSON number */
#define MODEL_WEIGHTS_SHA256 "mlp_cl.weights_sha256"

struct mlp_cl_model_info {
  size_t classes;
  char **class_names; /* in one allocation with the pointers, owned */
  float scale;        /* 0 when the file does not say */
};

/* What the metadata says of a network with `outputs` logits; classes without names are "0", "1", …
 * Errors: BAD_FILE (`path` is for the text), NO_MEMORY. */
mlp_cl_status model_info_read(const char *path, const safetensors *content, size_t outputs, mlp_cl_model_info **info,
                              mlp_cl_error *error);
/* Adds recipe, classes and scale; recipe and dataset may be NULL. Error: NO_MEMORY. */
mlp_cl_status model_info_add(safetensors *content, const mlp_cl_recipe *recipe, const mlp_cl_dataset *dataset,
                             mlp_cl_error *error);

#endif
