/* Class probabilities, or predicted numbers, of rows that come from the host. */
#include "base/finite.h"
#include "base/size.h"
#include "data/dataset.h"
#include "network/forward.h"
#include "network/host_copy.h"

/* Writes rows to `source`, runs them and reads their probabilities. */
static mlp_cl_status predict_chunk(mlp_cl_network *network, tensor *source, const void *features, size_t rows,
                                   float scale, float *probabilities, mlp_cl_error *error) {
  backend *on = network->backend;
  const tensor *outputs;
  TRY(on->op->tensor_write(on, source, 0, rows, features, error));
  TRY(forward_run(network, source, 0, rows, scale, error));
  TRY(forward_finish(network, rows, &outputs, error));
  return on->op->tensor_read(on, outputs, 0, rows, probabilities, error);
}

static mlp_cl_status check_finite(const float *features, size_t rows, size_t width, mlp_cl_error *error) {
  size_t i = finite_count(features, rows * width);
  if (i == rows * width) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "feature %zu of row %zu is %g: give finite values", i % width, i / width,
              (double)features[i]);
}

mlp_cl_status mlp_cl_network_predict(mlp_cl_network *network, const float *features, size_t rows, float *probabilities,
                                     mlp_cl_error *error) {
  size_t width = network_inputs(network), classes = network_classes(network), chunk;
  if (features == NULL || probabilities == NULL || rows == 0)
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "predict: give at least one row, and arrays for features and probabilities");
  TRY(check_finite(features, rows, width, error));
  TRY(host_copy_for_rows(network, rows, &network, error));
  TRY(forward_reserve(network, rows, &chunk, error));
  for (size_t first = 0; first < rows; first += chunk)
    TRY(predict_chunk(network, network->forward.source, features + first * width, size_min(chunk, rows - first), 1.0f,
                      probabilities + first * classes, error));
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_network_predict_dataset(mlp_cl_network *network, const mlp_cl_dataset *dataset, size_t first,
                                             size_t rows, float *probabilities, mlp_cl_error *error) {
  TRY(network_check_dataset(network, dataset, "the data set", error));
  if (probabilities == NULL || rows == 0 || first >= dataset->rows || rows > dataset->rows - first)
    return fail(error, MLP_CL_BAD_ARGUMENT, "predict: rows %zu to %zu of a data set of %zu", first, first + rows,
                dataset->rows);
  size_t chunk, classes = network_classes(network);
  TRY(host_copy_for_rows(network, rows, &network, error));
  TRY(forward_reserve(network, rows, &chunk, error));
  tensor_element element = (tensor_element)dataset->element;
  size_t row_bytes = dataset->width * tensor_element_bytes(element);
  tensor_set set;
  tensor_set_begin(&set, network->backend, error);
  tensor *source = tensor_set_add(&set, TENSOR_PLAIN, element, chunk, dataset->width, NULL);
  for (size_t done = 0; set.status == MLP_CL_OK && done < rows; done += chunk)
    set.status = predict_chunk(network, source, (const char *)dataset->features + (first + done) * row_bytes,
                               size_min(chunk, rows - done), dataset->scale, probabilities + done * classes, error);
  return tensor_set_end(&set);
}
