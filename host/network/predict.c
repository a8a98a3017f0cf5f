/* Class probabilities, or predicted numbers, of rows that come from the host. */
#include "base/size.h"
#include "data/dataset.h"
#include "network/forward.h"
#include "network/host_copy.h"

/* What is to be predicted: rows, whose features are looked at if they are `unchecked` float32, in passes of `chunk`
 * rows, of which so many have places for their answers. */
typedef struct prediction {
  mlp_cl_network *network;
  forward_rows from;
  bool unchecked;
  size_t rows, chunk, places;
  float *outputs;
} prediction;

/* The host looks at the features while the device already works with them. */
static mlp_cl_status begin_pass(prediction *p, size_t first, size_t i, mlp_cl_error *error) {
  size_t rows = size_min(p->chunk, p->rows - first);
  TRY(forward_answer(p->network, &p->from, first, rows, i, error));
  return p->unchecked ? network_check_features(p->network, p->from.features, first, rows, error) : MLP_CL_OK;
}

static mlp_cl_status end_pass(const prediction *p, size_t first, size_t i, mlp_cl_error *error) {
  backend *on = p->network->backend;
  return on->op->tensor_read(on, p->network->forward.answers[i], 0, size_min(p->chunk, p->rows - first),
                             p->outputs + first * network_outputs(p->network), error);
}

/* As many passes as there are places for answers, before the first is waited for. */
static mlp_cl_status run_passes(prediction *p, size_t first, mlp_cl_error *error) {
  size_t end = size_min(p->rows, first + p->places * p->chunk);
  for (size_t at = first, i = 0; at < end; at += p->chunk, i++) TRY(begin_pass(p, at, i, error));
  for (size_t at = first, i = 0; at < end; at += p->chunk, i++) TRY(end_pass(p, at, i, error));
  return MLP_CL_OK;
}

/* Fills in chunk and places. What a call makes is kept for the next one, but for memory that is shared, and sources of
 * rows that are no float32. */
static mlp_cl_status predict(prediction *p, mlp_cl_error *error) {
  TRY(host_copy_for_rows(p->network, p->rows, &p->network, error));
  mlp_cl_network *network = p->network;
  backend *on = network->backend;
  if (network->task == MLP_CL_CLASSIFICATION) TRY(context_prove(network->context, "softmax", error));
  TRY(forward_reserve(network, p->rows, &p->chunk, error));
  TRY(forward_reserve_passes(network, size_divide_up(p->rows, p->chunk), &p->places, error));
  forward_rows_ask(&p->from, on, p->rows);
  bool several = p->rows > p->chunk, kept = p->from.element == TENSOR_FLOAT32;
  tensor_set set;
  tensor_set_begin(&set, on, error);
  for (size_t i = 0; kept && i < (several ? 2 : 1); i++) p->from.turns[i] = network->forward.sources[i];
  if (several || !kept) forward_rows_add(&p->from, &set, p->rows, p->chunk, false);
  for (size_t first = 0; set.status == MLP_CL_OK && first < p->rows; first += p->places * p->chunk)
    set.status = run_passes(p, first, error);
  if (set.status != MLP_CL_OK) on->op->finish(on, NULL); /* what is under way reads the caller's rows */
  return tensor_set_end(&set);
}

mlp_cl_status mlp_cl_network_predict(mlp_cl_network *network, const float *features, size_t rows, float *probabilities,
                                     mlp_cl_error *error) {
  if (network == NULL || features == NULL || probabilities == NULL || rows == 0)
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "predict: give a network, at least one row, and arrays for features and probabilities");
  size_t values;
  if (!size_multiply(rows, network_inputs(network) * sizeof(float), &values) ||
      !size_multiply(rows, network_outputs(network) * sizeof(float), &values))
    return fail(error, MLP_CL_BAD_ARGUMENT, "predict: %zu rows are more than memory can be", rows);
  prediction all = {
      .network = network,
      .from = {.features = features, .width = network_inputs(network), .element = TENSOR_FLOAT32, .scale = 1.0f},
      .unchecked = true,
      .rows = rows,
      .outputs = probabilities};
  return predict(&all, error);
}

mlp_cl_status mlp_cl_network_predict_dataset(mlp_cl_network *network, const mlp_cl_dataset *dataset, size_t first,
                                             size_t rows, float *probabilities, mlp_cl_error *error) {
  TRY(network_check_dataset(network, dataset, "the data set", error));
  if (probabilities == NULL || rows == 0 || first >= dataset->rows || rows > dataset->rows - first)
    return fail(error, MLP_CL_BAD_ARGUMENT, "predict: rows %zu to %zu of a data set of %zu", first, first + rows,
                dataset->rows);
  size_t row_bytes = dataset->width * dataset_element_bytes(dataset->element);
  prediction part = {.network = network,
                     .from = {.features = (const char *)dataset->features + first * row_bytes,
                              .width = dataset->width,
                              .element = (tensor_element)dataset->element,
                              .scale = dataset->scale},
                     .rows = rows,
                     .outputs = probabilities};
  return predict(&part, error);
}
