#include "network/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "data/dataset.h"
#include "network/forward.h"

mlp_cl_status row_metrics_create(mlp_cl_task task, size_t rows, row_metrics *metrics, mlp_cl_error *error) {
  bool labels = task == MLP_CL_CLASSIFICATION;
  *metrics = (row_metrics){.losses = malloc(rows * sizeof *metrics->losses)};
  if (labels)
    metrics->predictions = malloc(rows * sizeof *metrics->predictions);
  else
    metrics->scores = malloc(rows * sizeof *metrics->scores);
  if (metrics->losses != NULL && (labels ? metrics->predictions != NULL : metrics->scores != NULL)) return MLP_CL_OK;
  row_metrics_destroy(metrics);
  return fail_memory(error, 2 * rows * sizeof(float), "each row's loss and prediction");
}

void row_metrics_zero(const row_metrics *metrics, size_t rows) {
  memset(metrics->losses, 0, rows * sizeof *metrics->losses);
  if (metrics->predictions != NULL) memset(metrics->predictions, 0, rows * sizeof *metrics->predictions);
  if (metrics->scores != NULL) memset(metrics->scores, 0, rows * sizeof *metrics->scores);
}

void row_metrics_destroy(row_metrics *metrics) {
  free(metrics->losses);
  free(metrics->predictions);
  free(metrics->scores);
  *metrics = (row_metrics){.losses = NULL};
}

row_tensors row_tensors_begin(tensor_set *set, mlp_cl_task task, size_t rows) {
  row_tensors t = {.losses = tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, 1, rows, NULL)};
  if (task == MLP_CL_CLASSIFICATION)
    t.predictions = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, rows, NULL);
  else
    t.scores = tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, 1, rows, NULL);
  return t;
}

row_tensors row_tensors_add(tensor_set *set, mlp_cl_task task, const mlp_cl_dataset *dataset) {
  row_tensors t = row_tensors_begin(set, task, dataset->rows);
  if (task == MLP_CL_CLASSIFICATION)
    t.labels = tensor_set_share_or_add(set, TENSOR_INT32, 1, dataset->rows, dataset->labels);
  else
    t.targets = tensor_set_share_or_add(set, TENSOR_FLOAT32, dataset->rows, dataset->outputs, dataset->targets);
  return t;
}

mlp_cl_status row_metrics_read(backend *on, const row_tensors *from, const row_metrics *metrics, mlp_cl_error *error) {
  TRY(on->op->tensor_read(on, from->losses, 0, 1, metrics->losses, error));
  if (from->scores != NULL) return on->op->tensor_read(on, from->scores, 0, 1, metrics->scores, error);
  return on->op->tensor_read(on, from->predictions, 0, 1, metrics->predictions, error);
}

mlp_cl_status row_metrics_write(backend *on, const row_metrics *metrics, const row_tensors *to, mlp_cl_error *error) {
  TRY(on->op->tensor_write(on, to->losses, 0, 1, metrics->losses, error));
  if (to->scores != NULL) return on->op->tensor_write(on, to->scores, 0, 1, metrics->scores, error);
  return on->op->tensor_write(on, to->predictions, 0, 1, metrics->predictions, error);
}

double targets_spread(const mlp_cl_dataset *dataset) {
  double sum = 0.0;
  for (size_t j = 0; j < dataset->outputs; j++) {
    const float *targets = dataset->targets + j;
    double mean = 0.0;
    for (size_t i = 0; i < dataset->rows; i++) mean += (double)targets[i * dataset->outputs];
    mean /= (double)dataset->rows;
    for (size_t i = 0; i < dataset->rows; i++) {
      double apart = (double)targets[i * dataset->outputs] - mean;
      sum += apart * apart;
    }
  }
  return dataset->outputs == 0 ? 0.0 : sum / (double)dataset->rows / (double)dataset->outputs;
}

static double mean_of(const float *values, size_t count) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) sum += (double)values[i];
  return sum / (double)count;
}

mlp_cl_evaluation evaluation_of(mlp_cl_task task, const mlp_cl_dataset *dataset, double spread,
                                const row_metrics *metrics, const uint32_t *order) {
  size_t rows = dataset->rows, right = 0;
  mlp_cl_evaluation result = {.loss = mean_of(metrics->losses, rows), .rows = rows, .mean_absolute_error = (double)NAN};
  switch (task) {
    case MLP_CL_CLASSIFICATION:
      for (size_t i = 0; i < rows; i++)
        right += metrics->predictions[i] == dataset->labels[order != NULL ? order[i] : i];
      result.accuracy = (double)right / (double)rows;
      break;
    case MLP_CL_REGRESSION:
      result.accuracy = spread > 0.0 ? 1.0 - result.loss / spread : (double)NAN;
      result.mean_absolute_error = mean_of(metrics->scores, rows);
      break;
    case MLP_CL_MULTI_LABEL: result.accuracy = mean_of(metrics->scores, rows); break;
  }
  return result;
}

static void add_tensors(evaluator *e, size_t chunk, bool resident, mlp_cl_error *error) {
  const mlp_cl_dataset *data = e->dataset;
  tensor_set *set = &e->tensors;
  tensor_set_begin(set, e->network->backend, error);
  e->rows = (forward_rows){
      .features = data->features, .width = data->width, .element = (tensor_element)data->element, .scale = data->scale};
  forward_rows_ask(&e->rows, e->network->backend, data->rows);
  forward_rows_add(&e->rows, set, data->rows, chunk, resident);
  e->answers = row_tensors_add(set, e->network->task, data);
}

mlp_cl_status evaluator_begin(evaluator *e, mlp_cl_network *network, const mlp_cl_dataset *dataset, bool resident,
                              mlp_cl_error *error) {
  *e = (evaluator){.network = network, .dataset = dataset};
  TRY(network_check_answers(network, dataset, "the data set", error));
  size_t chunk;
  TRY(forward_reserve(network, dataset->rows, &chunk, error));
  TRY(row_metrics_create(network->task, dataset->rows, &e->host, error));
  e->spread = targets_spread(dataset);
  add_tensors(e, chunk, resident, error);
  mlp_cl_status status = e->tensors.status;
  if (status != MLP_CL_OK) evaluator_end(e);
  return status;
}

void evaluator_end(evaluator *e) {
  (void)tensor_set_end(&e->tensors);
  row_metrics_destroy(&e->host);
  *e = (evaluator){.network = NULL};
}

static mlp_cl_status run_loss(evaluator *e, size_t first, size_t rows, mlp_cl_error *error) {
  backend *on = e->network->backend;
  if (e->network->task == MLP_CL_CLASSIFICATION) {
    cross_entropy c = {.rows = rows,
                       .logits = forward_logits(e->network),
                       .labels = e->answers.labels,
                       .first = first,
                       .scale = 1.0f,
                       .slot = first,
                       .losses = e->answers.losses,
                       .predictions = e->answers.predictions};
    return on->op->cross_entropy(on, &c, error);
  }
  target_loss t = {.rows = rows,
                   .task = e->network->task,
                   .outputs = forward_logits(e->network),
                   .targets = e->answers.targets,
                   .first = first,
                   .scale = 1.0f,
                   .slot = first,
                   .losses = e->answers.losses,
                   .scores = e->answers.scores};
  return on->op->target_loss(on, &t, error);
}

/* Losses and what goes with them of rows [first, first + rows) into their slots. */
static mlp_cl_status run_chunk(evaluator *e, size_t first, size_t rows, mlp_cl_error *error) {
  TRY(forward_run(e->network, &e->rows, first, rows, forward_logits(e->network), error));
  return run_loss(e, first, rows, error);
}

static mlp_cl_status count_confusion(const evaluator *e, uint64_t *confusion, mlp_cl_error *error) {
  size_t classes = network_outputs(e->network);
  for (size_t i = 0; i < e->dataset->rows; i++) {
    int32_t predicted = e->host.predictions[i];
    if (predicted < 0 || (size_t)predicted >= classes)
      return fail(error, MLP_CL_OPENCL, "%s gave row %zu class %ld of %zu: the device or its driver is faulty",
                  e->network->backend->device.name, i, (long)predicted, classes);
    confusion[(size_t)e->dataset->labels[i] * classes + (size_t)predicted]++;
  }
  return MLP_CL_OK;
}

/* Of the rows of the chunk that has just run. */
static mlp_cl_status count_labels(evaluator *e, size_t first, size_t rows, uint64_t *confusion, mlp_cl_error *error) {
  size_t outputs = network_outputs(e->network);
  backend *on = e->network->backend;
  float *logits = malloc(rows * outputs * sizeof *logits);
  if (logits == NULL) return fail_memory(error, rows * outputs * sizeof *logits, "the logits of some rows");
  mlp_cl_status status = on->op->tensor_read(on, forward_logits(e->network), 0, rows, logits, error);
  const float *targets = e->dataset->targets + first * outputs;
  for (size_t i = 0; status == MLP_CL_OK && i < rows * outputs; i++)
    confusion[i % outputs * 4 + (targets[i] > 0.5f ? 2 : 0) + (logits[i] > 0.0f ? 1 : 0)]++;
  free(logits);
  return status;
}

static mlp_cl_status begin_confusion(const evaluator *e, uint64_t *confusion, mlp_cl_error *error) {
  if (e->network->task == MLP_CL_REGRESSION)
    return fail(error, MLP_CL_BAD_ARGUMENT, "a network for regression has no confusion to count: pass NULL");
  size_t outputs = network_outputs(e->network);
  size_t cols = e->network->task == MLP_CL_CLASSIFICATION ? outputs : 4;
  memset(confusion, 0, outputs * cols * sizeof *confusion);
  return MLP_CL_OK;
}

mlp_cl_status evaluator_run(evaluator *e, mlp_cl_evaluation *result, uint64_t *confusion, void (*alive)(void *user),
                            void *user, mlp_cl_error *error) {
  size_t chunk, rows = e->dataset->rows;
  mlp_cl_task task = e->network->task;
  if (confusion != NULL) TRY(begin_confusion(e, confusion, error));
  TRY(forward_reserve(e->network, rows, &chunk, error));
  for (size_t first = 0; first < rows; first += chunk) {
    size_t count = size_min(chunk, rows - first);
    TRY(run_chunk(e, first, count, error));
    if (alive != NULL) alive(user);
    if (confusion != NULL && task == MLP_CL_MULTI_LABEL) TRY(count_labels(e, first, count, confusion, error));
  }
  TRY(row_metrics_read(e->network->backend, &e->answers, &e->host, error));
  mlp_cl_evaluation found = evaluation_of(task, e->dataset, e->spread, &e->host, NULL);
  if (!isfinite(found.loss))
    return fail(error, MLP_CL_DIVERGED, "the loss is %g: the network's parameters or the data are not finite",
                found.loss);
  if (confusion != NULL && task == MLP_CL_CLASSIFICATION) TRY(count_confusion(e, confusion, error));
  *result = found;
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_network_evaluate(mlp_cl_network *network, const mlp_cl_dataset *dataset,
                                      mlp_cl_evaluation *evaluation, uint64_t *confusion, mlp_cl_error *error) {
  evaluator e;
  TRY(evaluator_begin(&e, network, dataset, false, error));
  mlp_cl_status status = evaluator_run(&e, evaluation, confusion, NULL, NULL, error);
  evaluator_end(&e);
  return status;
}

mlp_cl_class_score mlp_cl_score_class(mlp_cl_task task, const uint64_t *confusion, size_t outputs, size_t i) {
  uint64_t right, rows = 0, predicted = 0;
  if (task == MLP_CL_CLASSIFICATION) {
    right = confusion[i * outputs + i];
    for (size_t j = 0; j < outputs; j++) {
      rows += confusion[i * outputs + j];
      predicted += confusion[j * outputs + i];
    }
  } else {
    const uint64_t *counts = confusion + 4 * i; /* true and false negatives, … as mlp_cl.h has them */
    right = counts[3];
    rows = counts[2] + right;
    predicted = counts[1] + right;
  }
  return (mlp_cl_class_score){
      .precision = predicted > 0 ? (double)right / (double)predicted : (double)NAN,
      .recall = rows > 0 ? (double)right / (double)rows : (double)NAN,
      .f1 = rows + predicted > 0 ? 2.0 * (double)right / (double)(rows + predicted) : (double)NAN,
      .rows = rows,
  };
}
