#include "network/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "data/dataset.h"
#include "network/forward.h"

mlp_cl_evaluation evaluation_of(const float *losses, const int32_t *predictions, const int32_t *labels,
                                const uint32_t *order, size_t rows) {
  double loss = 0.0;
  size_t right = 0;
  for (size_t i = 0; i < rows; i++) {
    loss += (double)losses[i];
    right += predictions[i] == labels[order != NULL ? order[i] : i];
  }
  return (mlp_cl_evaluation){.loss = loss / (double)rows, .accuracy = (double)right / (double)rows, .rows = rows};
}

mlp_cl_status evaluator_begin(evaluator *e, mlp_cl_network *network, const mlp_cl_dataset *dataset, bool resident,
                              mlp_cl_error *error) {
  *e = (evaluator){.network = network, .dataset = dataset, .resident = resident};
  if (dataset->labels == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the data set has no labels to evaluate against");
  TRY(network_check_dataset(network, dataset, "the data set", error));
  size_t chunk, rows = dataset->rows;
  TRY(forward_reserve(network, rows, &chunk, error));
  e->host_losses = malloc(rows * sizeof *e->host_losses);
  e->host_predictions = malloc(rows * sizeof *e->host_predictions);
  if (e->host_losses == NULL || e->host_predictions == NULL) {
    evaluator_end(e);
    return fail_memory(error, rows * (sizeof *e->host_losses + sizeof *e->host_predictions), "losses and predictions");
  }
  tensor_set_begin(&e->tensors, network->backend, error);
  e->source = tensor_set_add(&e->tensors, TENSOR_PLAIN, (tensor_element)dataset->element, resident ? rows : chunk,
                             dataset->width, resident ? dataset->features : NULL);
  e->labels = tensor_set_add(&e->tensors, TENSOR_PLAIN, TENSOR_INT32, 1, rows, dataset->labels);
  e->losses = tensor_set_add(&e->tensors, TENSOR_PLAIN, TENSOR_FLOAT32, 1, rows, NULL);
  e->predictions = tensor_set_add(&e->tensors, TENSOR_PLAIN, TENSOR_INT32, 1, rows, NULL);
  mlp_cl_status status = e->tensors.status;
  if (status != MLP_CL_OK) evaluator_end(e);
  return status;
}

void evaluator_end(evaluator *e) {
  (void)tensor_set_end(&e->tensors);
  free(e->host_losses);
  free(e->host_predictions);
  *e = (evaluator){.network = NULL};
}

/* Losses and predictions of rows [first, first + rows) into their slots. */
static mlp_cl_status run_chunk(evaluator *e, size_t first, size_t rows, mlp_cl_error *error) {
  const mlp_cl_dataset *data = e->dataset;
  backend *on = e->network->backend;
  if (!e->resident) {
    size_t row_bytes = data->width * tensor_element_bytes((tensor_element)data->element);
    TRY(on->op->tensor_write(on, e->source, 0, rows, (const char *)data->features + first * row_bytes, error));
  }
  TRY(forward_run(e->network, e->source, e->resident ? first : 0, rows, data->scale, error));
  cross_entropy c = {.rows = rows,
                     .logits = forward_logits(e->network),
                     .labels = e->labels,
                     .first = first,
                     .scale = 1.0f,
                     .slot = first,
                     .losses = e->losses,
                     .predictions = e->predictions};
  return on->op->cross_entropy(on, &c, error);
}

static void count_confusion(const evaluator *e, uint64_t *confusion) {
  size_t classes = network_classes(e->network);
  memset(confusion, 0, classes * classes * sizeof *confusion);
  for (size_t i = 0; i < e->dataset->rows; i++)
    confusion[(size_t)e->dataset->labels[i] * classes + (size_t)e->host_predictions[i]]++;
}

mlp_cl_status evaluator_run(evaluator *e, mlp_cl_evaluation *result, uint64_t *confusion, mlp_cl_error *error) {
  size_t chunk, rows = e->dataset->rows;
  backend *on = e->network->backend;
  TRY(forward_reserve(e->network, rows, &chunk, error));
  for (size_t first = 0; first < rows; first += chunk) TRY(run_chunk(e, first, size_min(chunk, rows - first), error));
  TRY(on->op->tensor_read(on, e->losses, 0, 1, e->host_losses, error));
  TRY(on->op->tensor_read(on, e->predictions, 0, 1, e->host_predictions, error));
  *result = evaluation_of(e->host_losses, e->host_predictions, e->dataset->labels, NULL, rows);
  if (!isfinite(result->loss))
    return fail(error, MLP_CL_DIVERGED, "the loss is %g: the network's parameters or the data are not finite",
                result->loss);
  if (confusion != NULL) count_confusion(e, confusion);
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_network_evaluate(mlp_cl_network *network, const mlp_cl_dataset *dataset,
                                      mlp_cl_evaluation *evaluation, uint64_t *confusion, mlp_cl_error *error) {
  evaluator e;
  TRY(evaluator_begin(&e, network, dataset, false, error));
  mlp_cl_status status = evaluator_run(&e, evaluation, confusion, error);
  evaluator_end(&e);
  return status;
}
