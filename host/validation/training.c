/* Whole training runs on the device and on the reference, through the public interface. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "validation/validation.h"

#define MOST_WIDTHS 6
#define MOST_EPOCHS 4

typedef struct training_run {
  const char *name;
  bool small;
  size_t rows;
  mlp_cl_element element;
  size_t widths[MOST_WIDTHS]; /* 0 ends them */
  bool bias;
  mlp_cl_recipe recipe;
} training_run;

/* The small ones first. */
/* clang-format off */
static const training_run runs[] = {
    {"training 3-4-2, batch of one", true, 5, MLP_CL_FLOAT32, {3, 4, 2}, false,
     {.epochs = 2, .batch = 1, .learning_rate = 0.01f, .dropout = 0.4f}},
    {"training 20-3, momentum", true, 33, MLP_CL_INT8, {20, 3}, true,
     {.epochs = 2, .batch = 16, .learning_rate = 0.1f, .momentum = 0.9f}},
    {"training 5-4-1, one class", true, 9, MLP_CL_FLOAT32, {5, 4, 1}, true,
     {.epochs = 2, .batch = 4, .learning_rate = 0.1f, .weight_decay = 0.01f}},
    {"training 17-33-5, dropout, momentum, decay", true, 70, MLP_CL_INT16, {17, 33, 5}, true,
     {.epochs = 3, .batch = 32, .learning_rate = 0.05f, .momentum = 0.9f, .weight_decay = 0.001f, .dropout = 0.5f}},
    {"training 9-8-7-6-5, unscaled dropout, sum", true, 40, MLP_CL_FLOAT32, {9, 8, 7, 6, 5}, true,
     {.epochs = 2, .batch = 15, .learning_rate = 0.01f, .dropout = 0.2f, .dropout_unscaled = true,
      .reduction = MLP_CL_SUM}},
    {"training 64-32-10, dropout, Nesterov", true, 150, MLP_CL_UINT8, {64, 32, 10}, true,
     {.epochs = 3, .batch = 32, .learning_rate = 0.05f, .momentum = 0.9f, .nesterov = true, .dropout = 0.4f}},
    {"training 30-40-20-7, dropout, AdamW", true, 200, MLP_CL_INT8, {30, 40, 20, 7}, true,
     {.optimiser = MLP_CL_ADAMW, .epochs = 3, .batch = 24, .learning_rate = 0.003f, .beta1 = 0.9f, .beta2 = 0.999f,
      .epsilon = 1e-8f, .weight_decay = 0.01f, .dropout = 0.1f}},
    {"training 100-257-64-10, two leaves", false, 700, MLP_CL_UINT8, {100, 257, 64, 10}, true,
     {.epochs = 2, .batch = 300, .learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.001f, .dropout = 0.25f}},
    {"training 784-128-10, no bias, file order", false, 1000, MLP_CL_UINT8, {784, 128, 10}, false,
     {.epochs = 2, .batch = 128, .learning_rate = 0.1f, .no_shuffle = true}},
    {"training 300-520-300, wide", false, 600, MLP_CL_FLOAT32, {300, 520, 300}, true,
     {.epochs = 1, .batch = 257, .learning_rate = 0.1f, .momentum = 0.5f, .dropout = 0.5f}},
};
/* clang-format on */

size_t validation_runs(const validation *v) {
  size_t count = 0;
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) count += runs[i].small || !v->quick;
  return count;
}

/* What a run leaves: parameters, metrics and predictions, as words. */
typedef struct outcome {
  uint32_t *words;
  size_t count;
  double metrics[MOST_EPOCHS * 4]; /* by epoch: train loss and accuracy, test loss and accuracy */
} outcome;

static size_t widths_count(const training_run *run) {
  size_t count = 0;
  while (count < MOST_WIDTHS && run->widths[count] > 0) count++;
  return count;
}

static bool keep_metrics(const mlp_cl_event *event, void *user) {
  outcome *kept = user;
  if (event->kind != MLP_CL_EVENT_EPOCH || event->epoch > MOST_EPOCHS) return true;
  double *of_epoch = kept->metrics + 4 * (size_t)(event->epoch - 1);
  of_epoch[0] = event->train_loss;
  of_epoch[1] = event->train_accuracy;
  of_epoch[2] = event->test_loss;
  of_epoch[3] = event->test_accuracy;
  return true;
}

/* Rows of bytes from a linear congruential generator; floats are small multiples of 2^-7. The label depends on them. */
static mlp_cl_status make_data(const training_run *run, mlp_cl_dataset **data, mlp_cl_error *error) {
  size_t width = run->widths[0], classes = run->widths[widths_count(run) - 1], count = run->rows * width;
  void *features = calloc(count, sizeof(float));
  int32_t *labels = calloc(run->rows, sizeof *labels);
  mlp_cl_status status = features != NULL && labels != NULL
                             ? MLP_CL_OK
                             : fail_memory(error, count * sizeof(float), "generated training data");
  uint32_t state = 12345;
  for (size_t i = 0; status == MLP_CL_OK && i < count; i++) {
    state = state * 1664525u + 1013904223u;
    int32_t drawn = (int32_t)(state >> 24) - 128;
    if (run->element == MLP_CL_FLOAT32) ((float *)features)[i] = (float)drawn * 0x1p-7f;
    if (run->element == MLP_CL_INT16) ((int16_t *)features)[i] = (int16_t)(drawn * 250);
    if (run->element == MLP_CL_INT8) ((int8_t *)features)[i] = (int8_t)drawn;
    if (run->element == MLP_CL_UINT8) ((uint8_t *)features)[i] = (uint8_t)(drawn + 128);
    if (i % width == 0) labels[i / width] = (int32_t)((uint32_t)(drawn + 128) % classes);
  }
  static const float scales[] = {
      [MLP_CL_UINT8] = 1.0f / 255, [MLP_CL_INT8] = 1.0f / 127, [MLP_CL_INT16] = 1.0f / 32767, [MLP_CL_FLOAT32] = 1.0f};
  if (status == MLP_CL_OK)
    status = mlp_cl_dataset_from_arrays(features, run->element, run->rows, width, scales[run->element], labels, classes,
                                        data, error);
  free(features);
  free(labels);
  return status;
}

/* Appends all parameters, the predictions and the metrics. */
static mlp_cl_status collect(mlp_cl_network *network, const mlp_cl_dataset *data, outcome *out, mlp_cl_error *error) {
  size_t layers = mlp_cl_network_layers(network), classes = mlp_cl_network_width(network, layers);
  size_t rows = mlp_cl_dataset_rows(data), metrics = sizeof(out->metrics) / (sizeof(uint32_t));
  size_t bytes = (mlp_cl_network_parameters(network) + rows * classes + metrics) * sizeof(uint32_t);
  out->words = malloc(bytes);
  if (out->words == NULL) return fail_memory(error, bytes, "a run's outcome");
  float *next = (float *)out->words;
  for (size_t i = 0; i < layers; i++) {
    float *weight = next;
    next += mlp_cl_network_width(network, i) * mlp_cl_network_width(network, i + 1);
    float *bias = mlp_cl_network_has_bias(network) ? next : NULL;
    if (bias != NULL) next += mlp_cl_network_width(network, i + 1);
    TRY(mlp_cl_network_get(network, i, weight, bias, error));
  }
  TRY(mlp_cl_network_predict_dataset(network, data, 0, rows, next, error));
  memcpy(next + rows * classes, out->metrics, sizeof out->metrics);
  out->count = bytes / sizeof(uint32_t);
  return MLP_CL_OK;
}

static mlp_cl_status run_on(mlp_cl_context *context, const training_run *run, const mlp_cl_dataset *data, outcome *out,
                            mlp_cl_error *error) {
  mlp_cl_shape shape = {
      .widths_count = widths_count(run), .widths = run->widths, .bias = run->bias, .init = MLP_CL_INIT_PYTORCH};
  mlp_cl_network *network = NULL;
  TRY(mlp_cl_network_create(context, &shape, 42, &network, error));
  mlp_cl_status status = mlp_cl_train(network, data, data, &run->recipe, keep_metrics, out, error);
  if (status == MLP_CL_OK) status = collect(network, data, out, error);
  mlp_cl_network_destroy(network);
  return status;
}

mlp_cl_status validation_check_run(const validation *v, size_t i, mlp_cl_check *check, mlp_cl_error *error) {
  const training_run *run = &runs[i];
  check->name = run->name;
  mlp_cl_dataset *data = NULL;
  TRY(make_data(run, &data, error));
  outcome got = {.words = NULL}, wanted = {.words = NULL};
  mlp_cl_status status = run_on(v->tested, run, data, &got, error);
  if (status == MLP_CL_OK) status = run_on(v->reference, run, data, &wanted, error);
  if (status == MLP_CL_OK) {
    trial_result result = {.tolerance = v->tolerance};
    trial_compare_words(got.words, wanted.words, wanted.count, &result);
    validation_add(check, &result, "parameters, predictions and metrics");
  }
  free(got.words);
  free(wanted.words);
  mlp_cl_dataset_destroy(data);
  return status;
}
