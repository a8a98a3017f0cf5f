/* Networks to model files and back, through the public functions of networks. The library keeps weights as (in, out),
 * the file as (out, in), the orientation of torch.nn.Linear. */
#include "model_file/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

static size_t largest_weight(mlp_cl_network *network) {
  size_t largest = 0;
  for (size_t i = 0; i < mlp_cl_network_layers(network); i++) {
    largest = size_max(largest, mlp_cl_network_width(network, i) * mlp_cl_network_width(network, i + 1));
  }
  return largest;
}

/* `weight` is scratch of the layer's size. */
static mlp_cl_status add_layer(mlp_cl_network *network, size_t layer, size_t number, float *weight,
                               safetensors *content, mlp_cl_error *error) {
  size_t in = mlp_cl_network_width(network, layer), out = mlp_cl_network_width(network, layer + 1);
  char name[40];
  safetensors_tensor *tensor;
  TRY(mlp_cl_network_get(network, layer, weight, NULL, error));
  snprintf(name, sizeof name, "%zu.weight", number);
  TRY(safetensors_add(content, name, (size_t[]){out, in}, 2, &tensor, error));
  model_transpose(weight, in, out, tensor->values);
  if (!mlp_cl_network_has_bias(network)) return MLP_CL_OK;
  snprintf(name, sizeof name, "%zu.bias", number);
  TRY(safetensors_add(content, name, &out, 1, &tensor, error));
  return mlp_cl_network_get(network, layer, NULL, tensor->values, error);
}

size_t model_layer_number(const mlp_cl_recipe *recipe, size_t layer) {
  /* Linear, ReLU, then Dropout where there is one. */
  return layer * (recipe != NULL && recipe->dropout > 0 ? 3 : 2);
}

/* No date, no host, no path: the same run gives the same bytes. */
static mlp_cl_status add_metadata(const mlp_cl_network *network, const mlp_cl_recipe *recipe,
                                  const mlp_cl_dataset *dataset, safetensors *content, mlp_cl_error *error) {
  char numerics[16];
  snprintf(numerics, sizeof numerics, "%d", mlp_cl_numerics_version());
  TRY(safetensors_add_metadata(content, MODEL_FORMAT, "pt", error));
  TRY(safetensors_add_metadata(content, MODEL_VERSION, mlp_cl_version(), error));
  TRY(safetensors_add_metadata(content, MODEL_NUMERICS, numerics, error));
  return model_info_add(content, network, recipe, dataset, error);
}

mlp_cl_status model_add(safetensors *content, mlp_cl_network *network, const mlp_cl_recipe *recipe,
                        const mlp_cl_dataset *dataset, mlp_cl_error *error) {
  TRY(add_metadata(network, recipe, dataset, content, error));
  float *weight = malloc(largest_weight(network) * sizeof *weight);
  if (weight == NULL) return fail_memory(error, largest_weight(network) * sizeof *weight, "a layer's weights");
  mlp_cl_status status = MLP_CL_OK;
  for (size_t i = 0; status == MLP_CL_OK && i < mlp_cl_network_layers(network); i++) {
    status = add_layer(network, i, model_layer_number(recipe, i), weight, content, error);
  }
  free(weight);
  return status;
}

mlp_cl_status model_read(const char *path, safetensors *content, mlp_cl_error *error) {
  TRY(safetensors_read(path, content, error));
  size_t kept = 0;
  for (size_t i = 0; i < content->tensors_count; i++) {
    safetensors_tensor *tensor = &content->tensors[i];
    if (strncmp(tensor->name, MODEL_RUN_PREFIX, strlen(MODEL_RUN_PREFIX)) == 0) {
      free(tensor->name);
      free(tensor->values);
    } else {
      content->tensors[kept++] = *tensor;
    }
  }
  content->tensors_count = kept;
  return MLP_CL_OK;
}

/* A file that says of its network what is not so could not be read again. */
static mlp_cl_status check_dataset(const mlp_cl_network *network, const mlp_cl_dataset *dataset, mlp_cl_error *error) {
  size_t inputs = mlp_cl_network_width(network, 0), width = mlp_cl_dataset_width(dataset);
  size_t outputs = mlp_cl_network_width(network, mlp_cl_network_layers(network));
  size_t classes = mlp_cl_dataset_classes(dataset), targets = mlp_cl_dataset_outputs(dataset);
  mlp_cl_task task = mlp_cl_network_task(network);
  if (width != inputs)
    return fail(error, MLP_CL_BAD_SHAPE, "a network of %zu inputs cannot be saved with a data set of %zu features",
                inputs, width);
  if (classes != 0 && (classes != outputs || task != MLP_CL_CLASSIFICATION))
    return fail(error, MLP_CL_BAD_SHAPE,
                "a network of %zu outputs for %s cannot be saved with a data set of %zu classes", outputs,
                mlp_cl_task_name(task), classes);
  if (targets != 0 && (targets != outputs || task == MLP_CL_CLASSIFICATION))
    return fail(error, MLP_CL_BAD_SHAPE,
                "a network of %zu outputs for %s cannot be saved with a data set of %zu targets", outputs,
                mlp_cl_task_name(task), targets);
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_network_save(mlp_cl_network *network, const char *path, const mlp_cl_recipe *recipe,
                                  const mlp_cl_dataset *dataset, mlp_cl_error *error) {
  if (path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the output path is NULL; name a file");
  if (dataset != NULL) TRY(check_dataset(network, dataset, error));
  char hex[65];
  TRY(mlp_cl_network_sha256(network, hex, error));
  safetensors content = {0};
  mlp_cl_status status = model_add(&content, network, recipe, dataset, error);
  if (status == MLP_CL_OK && dataset != NULL) status = model_split_add(&content, dataset, NULL, error);
  if (status == MLP_CL_OK) status = safetensors_add_metadata(&content, MODEL_WEIGHTS_SHA256, hex, error);
  if (status == MLP_CL_OK) status = safetensors_write(path, &content, error);
  safetensors_destroy(&content);
  return status;
}

static mlp_cl_status create_network(mlp_cl_context *context, const char *path, const safetensors *content,
                                    const model_layer *layers, size_t count, mlp_cl_network **network,
                                    mlp_cl_error *error) {
  mlp_cl_shape shape = {.widths_count = count + 1, .bias = layers[0].bias != NULL, .init = MLP_CL_INIT_ZERO};
  TRY(model_functions(path, content, &shape.activation, &shape.task, error));
  size_t *widths = malloc((count + 1) * sizeof *widths);
  if (widths == NULL) return fail_memory(error, (count + 1) * sizeof *widths, "a model's widths");
  widths[0] = layers[0].weight->sizes[1];
  for (size_t i = 0; i < count; i++) widths[i + 1] = layers[i].weight->sizes[0];
  shape.widths = widths;
  mlp_cl_status status = mlp_cl_network_create(context, &shape, 0, network, error);
  free(widths);
  return status;
}

static mlp_cl_status fill_network(mlp_cl_network *network, const model_layer *layers, size_t count,
                                  mlp_cl_error *error) {
  float *weight = malloc(largest_weight(network) * sizeof *weight);
  if (weight == NULL) return fail_memory(error, largest_weight(network) * sizeof *weight, "a layer's weights");
  mlp_cl_status status = MLP_CL_OK;
  for (size_t i = 0; status == MLP_CL_OK && i < count; i++) {
    model_transpose(layers[i].weight->values, layers[i].weight->sizes[0], layers[i].weight->sizes[1], weight);
    status = mlp_cl_network_set(network, i, weight, layers[i].bias == NULL ? NULL : layers[i].bias->values, error);
  }
  free(weight);
  return status;
}

static mlp_cl_status check_sha256(const char *path, const safetensors *content, mlp_cl_network *network,
                                  mlp_cl_error *error) {
  char hex[65];
  if (safetensors_find_metadata(content, MODEL_WEIGHTS_SHA256) == NULL) return MLP_CL_OK;
  TRY(mlp_cl_network_sha256(network, hex, error));
  return model_check_sha256(path, content, hex, error);
}

static mlp_cl_status load_content(mlp_cl_context *context, const char *path, safetensors *content,
                                  mlp_cl_network **network, mlp_cl_model_info **info, mlp_cl_error *error) {
  model_layer *layers = NULL;
  size_t count = 0;
  TRY(model_layers(path, content, &layers, &count, error));
  mlp_cl_network *made = NULL;
  mlp_cl_status status = create_network(context, path, content, layers, count, &made, error);
  if (status == MLP_CL_OK) status = fill_network(made, layers, count, error);
  if (status == MLP_CL_OK) status = check_sha256(path, content, made, error);
  mlp_cl_model_info *said = NULL;
  if (status == MLP_CL_OK) {
    status = model_info_read(path, content, layers, count, &said, error);
  }
  free(layers);
  if (status != MLP_CL_OK) {
    mlp_cl_network_destroy(made);
    return status;
  }
  *network = made;
  if (info != NULL) {
    *info = said;
  } else {
    mlp_cl_model_info_destroy(said);
  }
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_network_load(mlp_cl_context *context, const char *path, mlp_cl_network **network,
                                  mlp_cl_model_info **info, mlp_cl_error *error) {
  *network = NULL;
  if (info != NULL) *info = NULL;
  if (path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the model's path is NULL; name a file");
  safetensors content;
  TRY(model_read(path, &content, error));
  mlp_cl_status status = load_content(context, path, &content, network, info, error);
  safetensors_destroy(&content);
  return status;
}
