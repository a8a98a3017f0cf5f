/* The layers that a model file's tensors make: names, shapes, chaining. Whatever does not fit is named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
#include "base/size.h"
#include "exact_math.h"
#include "model_file/model.h"

/* In blocks, so that both sides stay in cache. */
void model_transpose(const float *from, size_t rows, size_t cols, float *to) {
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

/* Splits "12.weight" into 12 and "weight"; false for other names. */
static bool parse_name(const char *name, unsigned *number, const char **kind) {
  size_t digits = strspn(name, "0123456789");
  if (digits == 0 || digits > 9 || (name[0] == '0' && digits > 1) || name[digits] != '.') return false;
  *number = (unsigned)strtoul(name, NULL, 10);
  *kind = name + digits + 1;
  return strcmp(*kind, "weight") == 0 || strcmp(*kind, "bias") == 0;
}

static int compare_numbers(const void *a, const void *b) {
  const model_layer *left = a, *right = b;
  return left->number < right->number ? -1 : left->number > right->number;
}

/* Fills layers (room for one per tensor), sorted by number. */
static mlp_cl_status collect_weights(const char *path, const safetensors *content, model_layer *layers, size_t *count,
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
    if (strcmp(kind, "weight") == 0) layers[(*count)++] = (model_layer){.number = number, .weight = tensor};
  }
  if (*count == 0) return fail(error, MLP_CL_BAD_FILE, "%s: has no tensor <number>.weight: not a model", path);
  qsort(layers, *count, sizeof *layers, compare_numbers);
  return MLP_CL_OK;
}

static mlp_cl_status collect_biases(const char *path, const safetensors *content, model_layer *layers, size_t count,
                                    mlp_cl_error *error) {
  size_t biases = 0;
  for (size_t i = 0; i < content->tensors_count; i++) {
    const char *kind;
    model_layer wanted;
    if (!parse_name(content->tensors[i].name, &wanted.number, &kind) || strcmp(kind, "bias") != 0) continue;
    model_layer *layer = bsearch(&wanted, layers, count, sizeof *layers, compare_numbers);
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

static mlp_cl_status check_layer(const char *path, const model_layer *layer, const model_layer *before,
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

mlp_cl_status model_layers(const char *path, const safetensors *content, model_layer **layers, size_t *count,
                           mlp_cl_error *error) {
  model_layer *made = calloc(content->tensors_count + 1, sizeof *made);
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

static void add_canonical(sha256 *state, float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = canonical(values[i], FLOOR_VALUE);
  sha256_add_floats(state, values, count);
}

mlp_cl_status model_sha256(const model_layer *layers, size_t count, char hex[65], mlp_cl_error *error) {
  size_t largest = 0;
  for (size_t i = 0; i < count; i++) largest = size_max(largest, layers[i].weight->count);
  float *values = malloc(largest * sizeof *values);
  if (values == NULL) return fail_memory(error, largest * sizeof *values, "a layer's weights");
  sha256 state;
  sha256_begin(&state);
  for (size_t i = 0; i < count; i++) {
    const safetensors_tensor *weight = layers[i].weight, *bias = layers[i].bias;
    model_transpose(weight->values, weight->sizes[0], weight->sizes[1], values);
    add_canonical(&state, values, weight->count);
    if (bias == NULL) continue;
    memcpy(values, bias->values, bias->count * sizeof *values);
    add_canonical(&state, values, bias->count);
  }
  sha256_end(&state, hex);
  free(values);
  return MLP_CL_OK;
}

mlp_cl_status model_check_sha256(const char *path, const safetensors *content, const char *hex, mlp_cl_error *error) {
  const char *promised = safetensors_find_metadata(content, MODEL_WEIGHTS_SHA256);
  if (promised == NULL || strcmp(hex, promised) == 0) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE,
              "%s: the weights have SHA-256 %s, but metadata \"" MODEL_WEIGHTS_SHA256
              "\" promises %.64s: damaged or edited",
              path, hex, promised);
}
