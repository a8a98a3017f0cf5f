/* Recipe, classes and scale in a model file's metadata. Numbers go through JSON, which knows no locale. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "data/encoding.h"
#include "model_file/model.h"

mlp_cl_status model_json_add(safetensors *content, const char *key, json_t *value, size_t digits, mlp_cl_error *error) {
  char *text = json_text(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
  json_decref(value);
  if (text == NULL) return fail_memory(error, 256, "a model's metadata");
  mlp_cl_status status = safetensors_add_metadata(content, key, text, error);
  free(text);
  return status;
}

static mlp_cl_status add_json(safetensors *content, const char *key, json_t *value, mlp_cl_error *error) {
  return model_json_add(content, key, value, 9, error);
}

/* What is not asked for is not told. */
static bool add_rest(json_t *told, const mlp_cl_recipe *r) {
  bool step = r->schedule == MLP_CL_STEP;
  int failed = 0;
  if (r->schedule != MLP_CL_CONSTANT)
    failed |= json_object_set_new(told, "schedule", json_string(mlp_cl_schedule_name(r->schedule)));
  if (step) failed |= json_object_set_new(told, "decay_epochs", json_integer((json_int_t)r->decay_epochs));
  if (step) failed |= json_object_set_new(told, "decay_factor", json_real((double)r->decay_factor));
  if (r->warmup_epochs > 0)
    failed |= json_object_set_new(told, "warmup_epochs", json_integer((json_int_t)r->warmup_epochs));
  if (r->clip_norm > 0.0f) failed |= json_object_set_new(told, "clip_norm", json_real((double)r->clip_norm));
  if (r->label_smoothing > 0.0f)
    failed |= json_object_set_new(told, "label_smoothing", json_real((double)r->label_smoothing));
  if (r->class_weights_count > 0) {
    json_t *weights = json_array();
    for (size_t i = 0; i < r->class_weights_count; i++)
      failed |= json_array_append_new(weights, json_real((double)r->class_weights[i]));
    failed |= json_object_set_new(told, "class_weights", weights);
  }
  if (r->patience > 0) failed |= json_object_set_new(told, "patience", json_integer((json_int_t)r->patience));
  return failed == 0;
}

/* The seed is a string: JSON readers lose bits of large integers. */
static json_t *describe_recipe(const mlp_cl_recipe *recipe) {
  char seed[24];
  snprintf(seed, sizeof seed, "%" PRIu64, recipe->seed);
  json_t *made = json_pack("{s:s, s:I, s:I, s:f, s:f, s:b, s:f, s:f, s:b, s:s, s:b}", "seed", seed, "epochs",
                           (json_int_t)recipe->epochs, "batch", (json_int_t)recipe->batch, "learning_rate",
                           (double)recipe->learning_rate, "momentum", (double)recipe->momentum, "nesterov",
                           (int)recipe->nesterov, "weight_decay", (double)recipe->weight_decay, "dropout",
                           (double)recipe->dropout, "dropout_unscaled", (int)recipe->dropout_unscaled, "reduction",
                           recipe->reduction == MLP_CL_SUM ? "sum" : "mean", "no_shuffle", (int)recipe->no_shuffle);
  if (made != NULL && !add_rest(made, recipe)) {
    json_decref(made);
    return NULL;
  }
  if (made == NULL || recipe->optimiser == MLP_CL_SGD) return made;
  json_t *adam = json_pack("{s:s, s:f, s:f, s:f}", "optimiser", mlp_cl_optimiser_name(recipe->optimiser), "beta1",
                           (double)recipe->beta1, "beta2", (double)recipe->beta2, "epsilon", (double)recipe->epsilon);
  if (adam == NULL || json_object_update(made, adam) != 0) {
    json_decref(made);
    made = NULL;
  }
  json_decref(adam);
  return made;
}

static json_t *describe_classes(const mlp_cl_dataset *dataset) {
  json_t *list = json_array();
  for (size_t i = 0; i < mlp_cl_dataset_classes(dataset); i++) {
    if (json_array_append_new(list, json_string(mlp_cl_dataset_class_name(dataset, i))) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

mlp_cl_status model_info_add(safetensors *content, const mlp_cl_network *network, const mlp_cl_recipe *recipe,
                             const mlp_cl_dataset *dataset, mlp_cl_error *error) {
  TRY(safetensors_add_metadata(content, MODEL_ACTIVATION, mlp_cl_activation_name(mlp_cl_network_activation(network)),
                               error));
  TRY(safetensors_add_metadata(content, MODEL_TASK, mlp_cl_task_name(mlp_cl_network_task(network)), error));
  if (recipe != NULL) TRY(add_json(content, MODEL_RECIPE, describe_recipe(recipe), error));
  if (dataset == NULL) return MLP_CL_OK;
  const mlp_cl_encoding *encoding = mlp_cl_dataset_encoding(dataset);
  if (encoding != NULL) TRY(model_table_add(content, encoding, error));
  if (mlp_cl_dataset_classes(dataset) > 0) TRY(add_json(content, MODEL_CLASSES, describe_classes(dataset), error));
  return add_json(content, MODEL_SCALE, json_real((double)mlp_cl_dataset_scale(dataset)), error);
}

static mlp_cl_status read_scale(const char *path, const char *text, float *scale, mlp_cl_error *error) {
  json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
  float number = (float)json_number_value(value);
  json_decref(value);
  if (!isfinite(number) || number == 0.0f) {
    return fail(error, MLP_CL_BAD_FILE,
                "%s: metadata \"" MODEL_SCALE "\" is \"%.40s\"; a number that is not 0 is wanted", path, text);
  }
  *scale = number;
  return MLP_CL_OK;
}

/* Pointers and texts in one block. `list` NULL numbers the classes. */
static char **copy_names(const json_t *list, size_t count) {
  enum { NUMBER_BYTES = 24 };
  size_t bytes = count * (sizeof(char *) + (list == NULL ? NUMBER_BYTES : 1));
  for (size_t i = 0; i < json_array_size(list); i++) bytes += json_string_length(json_array_get(list, i));
  char **names = malloc(bytes);
  if (names == NULL) return NULL;
  char *text = (char *)(names + count);
  for (size_t i = 0; i < count; i++) {
    names[i] = text;
    if (list == NULL) {
      text += snprintf(text, NUMBER_BYTES, "%zu", i) + 1;
    } else {
      size_t length = json_string_length(json_array_get(list, i));
      memcpy(text, json_string_value(json_array_get(list, i)), length + 1);
      text += length + 1;
    }
  }
  return names;
}

static bool are_strings(const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    if (!json_is_string(json_array_get(list, i))) return false;
  }
  return json_is_array(list);
}

static mlp_cl_status read_classes(const char *path, const char *text, mlp_cl_model_info *info, mlp_cl_error *error) {
  json_t *list = text == NULL ? NULL : json_loads(text, 0, NULL);
  mlp_cl_status status = MLP_CL_OK;
  if (text != NULL && (!are_strings(list) || json_array_size(list) != info->classes)) {
    status =
        fail(error, MLP_CL_BAD_FILE, "%s: metadata \"" MODEL_CLASSES "\" is not a list of %zu strings, one per output",
             path, info->classes);
  } else {
    info->class_names = copy_names(list, info->classes);
    if (info->class_names == NULL) status = fail_memory(error, info->classes * 32, "the names of classes");
  }
  json_decref(list);
  return status;
}

typedef const char *name_function(int number);

static const char *activation_name(int number) {
  return mlp_cl_activation_name((mlp_cl_activation)number);
}

static const char *task_name(int number) {
  return mlp_cl_task_name((mlp_cl_task)number);
}

/* The number whose name is the value of `key`; the first when there is none. */
static mlp_cl_status read_name(const char *path, const safetensors *content, const char *key, name_function *name_of,
                               int *number, mlp_cl_error *error) {
  const char *text = safetensors_find_metadata(content, key), *name;
  *number = 0;
  for (int i = 0; text != NULL && (name = name_of(i)) != NULL; i++) {
    *number = i;
    if (strcmp(text, name) == 0) return MLP_CL_OK;
  }
  if (text == NULL) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE, "%s: metadata \"%s\" is \"%.40s\", which this version does not know", path, key,
              text);
}

mlp_cl_status model_functions(const char *path, const safetensors *content, mlp_cl_activation *activation,
                              mlp_cl_task *task, mlp_cl_error *error) {
  int number;
  TRY(read_name(path, content, MODEL_ACTIVATION, activation_name, &number, error));
  *activation = (mlp_cl_activation)number;
  TRY(read_name(path, content, MODEL_TASK, task_name, &number, error));
  *task = (mlp_cl_task)number;
  return MLP_CL_OK;
}

static mlp_cl_status copy_shape(const model_layer *layers, size_t count, mlp_cl_model_info *info, mlp_cl_error *error) {
  info->widths = calloc(count + 1, sizeof *info->widths);
  if (info->widths == NULL) return fail_memory(error, (count + 1) * sizeof *info->widths, "a model's widths");
  info->widths[0] = layers[0].weight->sizes[1];
  for (size_t i = 0; i < count; i++) info->widths[i + 1] = layers[i].weight->sizes[0];
  info->layers = count;
  info->bias = layers[0].bias != NULL;
  info->classes = info->widths[count];
  return MLP_CL_OK;
}

mlp_cl_activation mlp_cl_model_info_activation(const mlp_cl_model_info *info) {
  return info->activation;
}

mlp_cl_task mlp_cl_model_info_task(const mlp_cl_model_info *info) {
  return info->task;
}

mlp_cl_status model_info_read(const char *path, safetensors *content, const model_layer *layers, size_t count,
                              mlp_cl_model_info **info, mlp_cl_error *error) {
  mlp_cl_model_info *made = calloc(1, sizeof *made);
  if (made == NULL) return fail_memory(error, sizeof *made, "a model's description");
  const char *scale = safetensors_find_metadata(content, MODEL_SCALE);
  mlp_cl_status status = copy_shape(layers, count, made, error);
  if (status == MLP_CL_OK) status = model_functions(path, content, &made->activation, &made->task, error);
  if (status == MLP_CL_OK && scale != NULL) status = read_scale(path, scale, &made->scale, error);
  if (status == MLP_CL_OK) {
    status = read_classes(path, safetensors_find_metadata(content, MODEL_CLASSES), made, error);
  }
  const char *table = safetensors_find_metadata(content, MODEL_TABLE);
  if (status == MLP_CL_OK && table != NULL) status = model_table_read(path, table, made, error);
  const char *split = safetensors_find_metadata(content, MODEL_SPLIT);
  if (status == MLP_CL_OK && split != NULL) status = model_split_read(path, split, &made->split, error);
  if (status != MLP_CL_OK) {
    mlp_cl_model_info_destroy(made);
    return status;
  }
  made->metadata = content->metadata;
  made->metadata_count = content->metadata_count;
  content->metadata = NULL;
  content->metadata_count = 0;
  *info = made;
  return MLP_CL_OK;
}

static mlp_cl_status read_info(const char *path, safetensors *content, mlp_cl_model_info **info, mlp_cl_error *error) {
  model_layer *layers = NULL;
  size_t count = 0;
  mlp_cl_model_info *made = NULL;
  TRY(model_layers(path, content, &layers, &count, error));
  mlp_cl_status status = model_info_read(path, content, layers, count, &made, error);
  if (status == MLP_CL_OK) status = model_sha256(layers, count, made->sha256, error);
  free(layers);
  if (status != MLP_CL_OK) {
    mlp_cl_model_info_destroy(made);
    return status;
  }
  *info = made;
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_model_info_open(const char *path, mlp_cl_model_info **info, mlp_cl_error *error) {
  *info = NULL;
  if (path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the model's path is NULL; name a file");
  safetensors content;
  TRY(model_read(path, &content, error));
  mlp_cl_status status = read_info(path, &content, info, error);
  safetensors_destroy(&content);
  return status;
}

void mlp_cl_model_info_destroy(mlp_cl_model_info *info) {
  if (info == NULL) return;
  for (size_t i = 0; i < info->metadata_count; i++) {
    free(info->metadata[i].key);
    free(info->metadata[i].value);
  }
  encoding_release(info->encoding);
  free(info->metadata);
  free(info->widths);
  free(info->class_names);
  free(info);
}

size_t mlp_cl_model_info_layers(const mlp_cl_model_info *info) {
  return info->layers;
}

size_t mlp_cl_model_info_width(const mlp_cl_model_info *info, size_t i) {
  return i <= info->layers ? info->widths[i] : 0;
}

bool mlp_cl_model_info_has_bias(const mlp_cl_model_info *info) {
  return info->bias;
}

const char *mlp_cl_model_info_sha256(const mlp_cl_model_info *info) {
  return info->sha256[0] == '\0' ? NULL : info->sha256;
}

const char *mlp_cl_model_info_metadata(const mlp_cl_model_info *info, size_t i, const char **key) {
  if (i >= info->metadata_count) return NULL;
  *key = info->metadata[i].key;
  return info->metadata[i].value;
}

size_t mlp_cl_model_info_classes(const mlp_cl_model_info *info) {
  return info->classes;
}

const char *mlp_cl_model_info_class_name(const mlp_cl_model_info *info, size_t class_index) {
  return class_index < info->classes ? info->class_names[class_index] : NULL;
}

float mlp_cl_model_info_scale(const mlp_cl_model_info *info) {
  return info->scale;
}

const mlp_cl_encoding *mlp_cl_model_info_encoding(const mlp_cl_model_info *info) {
  return info->encoding;
}

const mlp_cl_split *mlp_cl_model_info_split(const mlp_cl_model_info *info) {
  return info->split.holdout > 0.0 || info->split.validation > 0.0 ? &info->split : NULL;
}
