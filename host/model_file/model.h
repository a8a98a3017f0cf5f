/* A network as a model file: which tensors and metadata it has, beside safetensors.h, which knows only the format. */
#ifndef MODEL_FILE_MODEL_H
#define MODEL_FILE_MODEL_H

#include <jansson.h>

#include "model_file/safetensors.h"

/* Keys of the metadata. All values are strings, as the format wants; those in JSON say so. */
#define MODEL_FORMAT "format" /* "pt": PyTorch's names and orientation */
#define MODEL_VERSION "mlp_cl.version"
#define MODEL_NUMERICS "mlp_cl.numerics"
#define MODEL_ACTIVATION "mlp_cl.activation" /* as mlp_cl_activation_name tells it; none: relu */
#define MODEL_TASK "mlp_cl.task"             /* as mlp_cl_task_name tells it; none: classification */
#define MODEL_RECIPE "mlp_cl.recipe"         /* JSON object */
#define MODEL_CLASSES "mlp_cl.classes"       /* JSON list of strings */
#define MODEL_SCALE "mlp_cl.scale"           /* JSON number */
#define MODEL_TABLE "mlp_cl.table"           /* JSON object, see model_table.c */
#define MODEL_SPLIT "mlp_cl.split"           /* JSON object, see model_split.c */
#define MODEL_WEIGHTS_SHA256 "mlp_cl.weights_sha256"
#define MODEL_NOTE "mlp_cl.note" /* in checkpoints: what a program says to itself */
#define MODEL_RUN "mlp_cl.run"   /* JSON object, in checkpoints: how far the run has come */
/* Tensors that belong to a run and not to the model, in checkpoints. */
#define MODEL_RUN_PREFIX "run."

struct mlp_cl_model_info {
  size_t layers;
  size_t *widths; /* layers + 1, owned */
  bool bias;
  mlp_cl_activation activation;
  mlp_cl_task task;
  size_t classes;
  char **class_names;        /* in one allocation with the pointers, owned */
  float scale;               /* 0 when the file does not say */
  mlp_cl_encoding *encoding; /* of the table it was trained on, shared, or NULL */
  mlp_cl_split split;        /* of the data it was trained on; no shares where none were drawn */
  char sha256[65];           /* of the parameters in the file, or "" */
  safetensors_entry *metadata;
  size_t metadata_count;
};

/* One layer of a file: its number in the names, its tensors, owned by the file's content. */
typedef struct model_layer {
  unsigned number;
  const safetensors_tensor *weight; /* (out, in) */
  const safetensors_tensor *bias;   /* (out), or NULL; all layers have one or none has */
} model_layer;

/* The layers in the order of their numbers, at least one, checked to chain; *layers is freed by the caller.
 * Errors: BAD_FILE (`path` is for the text), NO_MEMORY. */
mlp_cl_status model_layers(const char *path, const safetensors *content, model_layer **layers, size_t *count,
                           mlp_cl_error *error);
/* to (cols, rows) = fromᵀ, from (rows, cols) */
void model_transpose(const float *from, size_t rows, size_t cols, float *to);
/* The receipt that a network of these layers has, computed without a device. Error: NO_MEMORY. */
mlp_cl_status model_sha256(const model_layer *layers, size_t count, char hex[65], mlp_cl_error *error);
/* A file that carries a receipt must keep it. Error: BAD_FILE unless `hex` is the receipt or the file has none. */
mlp_cl_status model_check_sha256(const char *path, const safetensors *content, const char *hex, mlp_cl_error *error);

/* The activation and the task that the metadata name. Error: BAD_FILE (`path` is for the text). */
mlp_cl_status model_functions(const char *path, const safetensors *content, mlp_cl_activation *activation,
                              mlp_cl_task *task, mlp_cl_error *error);

/* What the file says; takes the metadata out of `content`. Classes without names are "0", "1", …
 * Errors: BAD_FILE (`path` is for the text), NO_MEMORY. */
mlp_cl_status model_info_read(const char *path, safetensors *content, const model_layer *layers, size_t count,
                              mlp_cl_model_info **info, mlp_cl_error *error);
/* Number of layer `layer` in the names of tensors, the one that the module has in torch.nn.Sequential. */
size_t model_layer_number(const mlp_cl_recipe *recipe, size_t layer);
/* Adds the parameters and what is said of them but the receipt; recipe and dataset may be NULL. Waits. */
mlp_cl_status model_add(safetensors *content, mlp_cl_network *network, const mlp_cl_recipe *recipe,
                        const mlp_cl_dataset *dataset, mlp_cl_error *error);
/* safetensors_read without the tensors of a checkpoint's run: what is left is a model. */
mlp_cl_status model_read(const char *path, safetensors *content, mlp_cl_error *error);
/* Adds activation, task, recipe, classes and scale; recipe and dataset may be NULL. Error: NO_MEMORY. */
mlp_cl_status model_info_add(safetensors *content, const mlp_cl_network *network, const mlp_cl_recipe *recipe,
                             const mlp_cl_dataset *dataset, mlp_cl_error *error);
/* Adds `value` as JSON text, whose reals have so many digits: 9 bring every float32 back, 17 every double. Releases it;
 * NULL is no memory. Error: NO_MEMORY. */
mlp_cl_status model_json_add(safetensors *content, const char *key, json_t *value, size_t digits, mlp_cl_error *error);
/* The encoding of a table; reading sets info->encoding, when the rest of *info is known.
 * Errors: BAD_FILE (`path` is for the text), NO_MEMORY. */
mlp_cl_status model_table_add(safetensors *content, const mlp_cl_encoding *encoding, mlp_cl_error *error);
mlp_cl_status model_table_read(const char *path, const char *text, mlp_cl_model_info *info, mlp_cl_error *error);
/* How its data were divided, where they were; train_sha256 is of dataset_sha256, NULL to have it computed. Errors: as
 * for tables. */
mlp_cl_status model_split_add(safetensors *content, const mlp_cl_dataset *dataset, const char *train_sha256,
                              mlp_cl_error *error);
mlp_cl_status model_split_read(const char *path, const char *text, mlp_cl_split *split, mlp_cl_error *error);

#endif
