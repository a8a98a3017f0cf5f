/* Class probabilities, or predicted numbers, of rows that come from the host. */
#include "base/finite.h"
#include "base/size.h"
#include "data/dataset.h"
#include "network/forward.h"
#include "network/host_copy.h"

/* Rows on the host, in their own element type. */
typedef struct host_rows {
  const void *features;
  size_t count;
  tensor_element element;
  float scale;
} host_rows;

/* What the network computes of rows [first, first + count) of the tensor. */
static mlp_cl_status predict_chunk(mlp_cl_network *network, const tensor *source, size_t first, size_t count,
                                   float scale, float *outputs, mlp_cl_error *error) {
  backend *on = network->backend;
  const tensor *final;
  TRY(forward_run(network, source, first, count, scale, error));
  TRY(forward_finish(network, count, &final, error));
  return on->op->tensor_read(on, final, 0, count, outputs, error);
}

/* A chunk at a time is written to the device, unless it reads many rows where they are. */
static mlp_cl_status predict(mlp_cl_network *network, const host_rows *rows, float *outputs, mlp_cl_error *error) {
  size_t width = network_inputs(network), row_bytes = width * tensor_element_bytes(rows->element), chunk;
  TRY(host_copy_for_rows(network, rows->count, &network, error));
  if (network->task == MLP_CL_CLASSIFICATION) TRY(context_prove(network->context, "softmax", error));
  TRY(forward_reserve(network, rows->count, &chunk, error));
  tensor_set set;
  tensor_set_begin(&set, network->backend, error);
  tensor *shared = NULL, *source;
  if (rows->count > chunk) shared = tensor_set_share(&set, rows->element, rows->count, width, rows->features);
  source = shared;
  if (source == NULL && rows->element == TENSOR_FLOAT32) source = network->forward.source;
  if (source == NULL) source = tensor_set_add(&set, TENSOR_PLAIN, rows->element, chunk, width, NULL);
  for (size_t first = 0; set.status == MLP_CL_OK && first < rows->count; first += chunk) {
    size_t count = size_min(chunk, rows->count - first);
    if (shared == NULL) DO(&set, tensor_write, source, 0, count, (const char *)rows->features + first * row_bytes);
    if (set.status == MLP_CL_OK)
      set.status = predict_chunk(network, source, shared != NULL ? first : 0, count, rows->scale,
                                 outputs + first * network_classes(network), error);
  }
  return tensor_set_end(&set);
}

static mlp_cl_status check_finite(const float *features, size_t rows, size_t width, mlp_cl_error *error) {
  size_t i = finite_count(features, rows * width);
  if (i == rows * width) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "feature %zu of row %zu is %g: give finite values", i % width, i / width,
              (double)features[i]);
}

mlp_cl_status mlp_cl_network_predict(mlp_cl_network *network, const float *features, size_t rows, float *probabilities,
                                     mlp_cl_error *error) {
  if (network == NULL || features == NULL || probabilities == NULL || rows == 0)
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "predict: give a network, at least one row, and arrays for features and probabilities");
  size_t values;
  if (!size_multiply(rows, network_inputs(network) * sizeof(float), &values) ||
      !size_multiply(rows, network_classes(network) * sizeof(float), &values))
    return fail(error, MLP_CL_BAD_ARGUMENT, "predict: %zu rows are more than memory can be", rows);
  TRY(check_finite(features, rows, network_inputs(network), error));
  const host_rows all = {.features = features, .count = rows, .element = TENSOR_FLOAT32, .scale = 1.0f};
  return predict(network, &all, probabilities, error);
}

mlp_cl_status mlp_cl_network_predict_dataset(mlp_cl_network *network, const mlp_cl_dataset *dataset, size_t first,
                                             size_t rows, float *probabilities, mlp_cl_error *error) {
  TRY(network_check_dataset(network, dataset, "the data set", error));
  if (probabilities == NULL || rows == 0 || first >= dataset->rows || rows > dataset->rows - first)
    return fail(error, MLP_CL_BAD_ARGUMENT, "predict: rows %zu to %zu of a data set of %zu", first, first + rows,
                dataset->rows);
  size_t row_bytes = dataset->width * dataset_element_bytes(dataset->element);
  const host_rows part = {.features = (const char *)dataset->features + first * row_bytes,
                          .count = rows,
                          .element = (tensor_element)dataset->element,
                          .scale = dataset->scale};
  return predict(network, &part, probabilities, error);
}
