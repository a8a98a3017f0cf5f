/* Networks to model files and back, through the public functions of networks. The library keeps weights as (in, out),
 * the file as (out, in), the orientation of torch.nn.Linear. */
#include "model_file/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

/* to (cols, rows) = fromᵀ, from (rows, cols); in blocks, so that both sides stay in cache. */
static void transpose(const float *from, size_t rows, size_t cols, float *to) {
  enum { BLOCK = 32 };
  for (size_t top = 0; top < rows; top += BLOCK) {
    for (size_t left = 0; left < cols; left += BLOCK) {
      for (size_t row = top; row < size_min(top + BLOCK, rows); row++) {
        for (size_t col = left; col < size_min(left + BLOCK, cols); col++)
          to[col * rows + row] = from[row * cols + col];
      }
    }
  }
}

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
  transpose(weight, in, out, tensor->values);
  if (!mlp_cl_network_has_bias(network)) return MLP_CL_OK;
  snprintf(name, sizeof name, "%zu.bias", number);
  TRY(safetensors_add(content, name, &out, 1, &tensor, error));
  return mlp_cl_network_get(network, layer, NULL, tensor->values, error);
}

/* No date, no host, no path: the same run gives the same bytes. */
static mlp_cl_status add_metadata(const mlp_cl_recipe *recipe, const mlp_cl_dataset *dataset, const char *sha256_hex,
                                  safetensors *content, mlp_cl_error *error) {
  char numerics[16];
  snprintf(numerics, sizeof numerics, "%d", mlp_cl_numerics_version());
  TRY(safetensors_add_metadata(content, MODEL_FORMAT, "pt", error));
  TRY(safetensors_add_metadata(content, MODEL_VERSION, mlp_cl_version(), error));
  TRY(safetensors_add_metadata(content, MODEL_NUMERICS, numerics, error));
  TRY(model_info_add(content, recipe, dataset, error));
  return safetensors_add_metadata(content, MODEL_WEIGHTS_SHA256, sha256_hex, error);
}

mlp_cl_status mlp_cl_network_save(mlp_cl_network *network, const char *path, const mlp_cl_recipe *recipe,
                                  const mlp_cl_dataset *dataset, mlp_cl_error *error) {
  if (path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the output path is NULL; name a file");
  size_t outputs = mlp_cl_network_width(network, mlp_cl_network_layers(network));
  size_t classes = dataset == NULL ? 0 : mlp_cl_dataset_classes(dataset);
  if (classes != 0 && classes != outputs) {
    return fail(error, MLP_CL_BAD_SHAPE, "a network of %zu outputs cannot be saved with a data set of %zu classes",
                outputs, classes);
  }
  char hex[65];
  TRY(mlp_cl_network_sha256(network, hex, error));
  float *weight = malloc(largest_weight(network) * sizeof *weight);
  if (weight == NULL) return fail_memory(error, largest_weight(network) * sizeof *weight, "a layer's weights");

  safetensors content = {0};
  /* The numbers that the modules have in torch.nn.Sequential: Linear, ReLU, then Dropout where there is one. */
  size_t stride = recipe != NULL && recipe->dropout > 0 ? 3 : 2;
  mlp_cl_status status = add_metadata(recipe, dataset, hex, &content, error);
  for (size_t i = 0; status == MLP_CL_OK && i < mlp_cl_network_layers(network); i++) {
    status = add_layer(network, i, i * stride, weight, &content, error);
  }
  if (status == MLP_CL_OK) status = safetensors_write(path, &content, error);
  safetensors_destroy(&content);
  free(weight);
  return status;
}

/* One layer of a file. */
typedef struct stored_layer {
  unsigned number;
  const safetensors_tensor *weight, *bias;
} stored_layer;

/* Splits "12.weight" into 12 and "weight"; false for other names. */
static bool parse_name(const char *name, unsigned *number, const char **kind) {
  size_t digits = strspn(name, "0123456789");
  if (digits == 0 || digits > 9 || (name[0] == '0' && digits > 1) || name[digits] != '.') return false;
  *number = (unsigned)strtoul(name, NULL, 10);
  *kind = name + digits + 1;
  return strcmp(*kind, "weight") == 0 || strcmp(*kind, "bias") == 0;
}

static int compare_numbers(const void *a, const void *b) {
  const stored_layer *left = a, *right = b;
  return left->number < right->number ? -1 : left->number > right->number;
}

/* Fills layers (room for one per tensor), sorted by number. */
static mlp_cl_status collect_weights(const char *path, const safetensors *content, stored_layer *layers, size_t *count,
                                     mlp_cl_error *error) {
  *count = 0;
  for (size_t i = 0; i < content->tensors_count; i++) {
    const safetensors_tensor *tensor = &content->tensors[i];
    const char *kind;
    unsigned number;
    if (!parse_name(tensor->name, &number, &kind)) {
      return fail(error, MLP_CL_BAD_FILE,
                  "%s: tensor \"%.200s\" is no layer of a perceptron; names are <number>.weight and <number>.bias, as "
                  "torch.nn.Sequential gives them",
                  path, tensor->name);
    }
    if (strcmp(kind, "weight") == 0) layers[(*count)++] = (stored_layer){.number = number, .weight = tensor};
  }
  if (*count == 0) return fail(error, MLP_CL_BAD_FILE, "%s: has no tensor <number>.weight: not a model", path);
  qsort(layers, *count, sizeof *layers, compare_numbers);
  return MLP_CL_OK;
}

static mlp_cl_status collect_biases(const char *path, const safetensors *content, stored_layer *layers, size_t count,
                                    mlp_cl_error *error) {
  size_t biases = 0;
  for (size_t i = 0; i < content->tensors_count; i++) {
    const char *kind;
    stored_layer wanted;
    if (!parse_name(content->tensors[i].name, &wanted.number, &kind) || strcmp(kind, "bias") != 0) continue;
    stored_layer *layer = bsearch(&wanted, layers, count, sizeof *layers, compare_numbers);
    if (layer == NULL) {
      return fail(error, MLP_CL_BAD_FILE, "%s: tensor \"%s\" has no weight beside it", path, content->tensors[i].name);
    }
    layer->bias = &content->tensors[i];
    biases++;
  }
  for (size_t i = 0; biases != 0 && i < count; i++) {
    if (layers[i].bias != NULL) continue;
    return fail(error, MLP_CL_BAD_FILE, "%s: \"%u.bias\" is missing; either all layers have a bias or none", path,
                layers[i].number);
  }
  return MLP_CL_OK;
}

/* "[3, 4]" */
static const char *shape_text(const safetensors_tensor *tensor, char text[256]) {
  size_t used = 0;
  text[used++] = '[';
  for (size_t i = 0; i < tensor->rank; i++) {
    used += (size_t)snprintf(text + used, 256 - used, i == 0 ? "%zu" : ", %zu", tensor->sizes[i]);
  }
  snprintf(text + used, 256 - used, "]");
  return text;
}

static mlp_cl_status check_layer(const char *path, const stored_layer *layer, const stored_layer *before,
                                 mlp_cl_error *error) {
  char shape[256], other[256];
  const safetensors_tensor *weight = layer->weight, *bias = layer->bias;
  if (weight->rank != 2 || weight->count == 0) {
    return fail(error, MLP_CL_BAD_FILE, "%s: tensor \"%s\" has shape %s; wanted [out, in], each at least 1", path,
                weight->name, shape_text(weight, shape));
  }
  if (bias != NULL && (bias->rank != 1 || bias->sizes[0] != weight->sizes[0])) {
    return fail(error, MLP_CL_BAD_FILE, "%s: tensor \"%s\" has shape %s, but \"%s\" has %s: wanted [%zu]", path,
                bias->name, shape_text(bias, shape), weight->name, shape_text(weight, other), weight->sizes[0]);
  }
  if (before != NULL && before->weight->sizes[0] != weight->sizes[1]) {
    return fail(
        error, MLP_CL_BAD_FILE,
        "%s: tensor \"%s\" of shape %s takes %zu values, but \"%s\" of shape %s gives %zu: the layers do not chain",
        path, weight->name, shape_text(weight, shape), weight->sizes[1], before->weight->name,
        shape_text(before->weight, other), before->weight->sizes[0]);
  }
  return MLP_CL_OK;
}

/* The layers of the file, freed by the caller. */
static mlp_cl_status collect_layers(const char *path, const safetensors *content, stored_layer **layers, size_t *count,
                                    mlp_cl_error *error) {
  stored_layer *made = calloc(content->tensors_count + 1, sizeof *made);
  if (made == NULL) return fail_memory(error, content->tensors_count * sizeof *made, "a model's layers");
  mlp_cl_status status = collect_weights(path, content, made, count, error);
  if (status == MLP_CL_OK) status = collect_biases(path, content, made, *count, error);
  for (size_t i = 0; status == MLP_CL_OK && i < *count; i++) {
    status = check_layer(path, &made[i], i == 0 ? NULL : &made[i - 1], error);
  }
  if (status != MLP_CL_OK) {
    free(made);
    return status;
  }
  *layers = made;
  return MLP_CL_OK;
}

static mlp_cl_status create_network(mlp_cl_context *context, const stored_layer *layers, size_t count,
                                    mlp_cl_network **network, mlp_cl_error *error) {
  size_t *widths = malloc((count + 1) * sizeof *widths);
  if (widths == NULL) return fail_memory(error, (count + 1) * sizeof *widths, "a model's widths");
  widths[0] = layers[0].weight->sizes[1];
  for (size_t i = 0; i < count; i++) widths[i + 1] = layers[i].weight->sizes[0];
  mlp_cl_shape shape = {
      .widths_count = count + 1, .widths = widths, .bias = layers[0].bias != NULL, .init = MLP_CL_INIT_ZERO};
  mlp_cl_status status = mlp_cl_network_create(context, &shape, 0, network, error);
  free(widths);
  return status;
}

static mlp_cl_status fill_network(mlp_cl_network *network, const stored_layer *layers, size_t count,
                                  mlp_cl_error *error) {
  float *weight = malloc(largest_weight(network) * sizeof *weight);
  if (weight == NULL) return fail_memory(error, largest_weight(network) * sizeof *weight, "a layer's weights");
  mlp_cl_status status = MLP_CL_OK;
  for (size_t i = 0; status == MLP_CL_OK && i < count; i++) {
    transpose(layers[i].weight->values, layers[i].weight->sizes[0], layers[i].weight->sizes[1], weight);
    status = mlp_cl_network_set(network, i, weight, layers[i].bias == NULL ? NULL : layers[i].bias->values, error);
  }
  free(weight);
  return status;
}

/* A file that carries a receipt must keep it. */
static mlp_cl_status check_sha256(const char *path, const safetensors *content, mlp_cl_network *network,
                                  mlp_cl_error *error) {
  const char *promised = safetensors_find_metadata(content, MODEL_WEIGHTS_SHA256);
  if (promised == NULL) return MLP_CL_OK;
  char hex[65];
  TRY(mlp_cl_network_sha256(network, hex, error));
  if (strcmp(hex, promised) == 0) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE,
              "%s: the weights have SHA-256 %s, but metadata \"" MODEL_WEIGHTS_SHA256
              "\" promises %.64s: damaged or edited",
              path, hex, promised);
}

static mlp_cl_status load_content(mlp_cl_context *context, const char *path, const safetensors *content,
                                  mlp_cl_network **network, mlp_cl_model_info **info, mlp_cl_error *error) {
  stored_layer *layers = NULL;
  size_t count = 0;
  TRY(collect_layers(path, content, &layers, &count, error));
  mlp_cl_network *made = NULL;
  mlp_cl_status status = create_network(context, layers, count, &made, error);
  if (status == MLP_CL_OK) status = fill_network(made, layers, count, error);
  if (status == MLP_CL_OK) status = check_sha256(path, content, made, error);
  mlp_cl_model_info *said = NULL;
  if (status == MLP_CL_OK) {
    status = model_info_read(path, content, layers[count - 1].weight->sizes[0], &said, error);
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
  TRY(safetensors_read(path, &content, error));
  mlp_cl_status status = load_content(context, path, &content, network, info, error);
  safetensors_destroy(&content);
  return status;
}
