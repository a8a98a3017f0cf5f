/* The part of the self-test that is about whole steps, which a backend may take in one launch. */
#include "context/step_test.h"

#include <string.h>

#include "backend/hyperparameters.h"
#include "context/tensor_set.h"
#include "context/trial.h"

enum { MOST_VALUES = 16384, MOST_ROWS = 400, MOST_BYTES = 131072, ASKED_MOST = 5000 };

/* One work-item takes all steps of the first; several share those of the others: by panels; by rows; by panels, then by
 * rows; so on any number of cores, with any tiles (kernels/train_steps.cl). Two are with Adam, more steps than a launch
 * takes, and several work-items; two towards numbers, of regression and of several labels. Each kind has one with an
 * activation other than ReLU. The last three skip zeros: of the data, one work-item, however many cores there are, and
 * several; and those that dropout leaves. All end raggedly. */
const step_test step_tests[STEP_TESTS_COUNT] = {
    {.rows = 19, .batch = 8, .widths = {5, 17, 3}, .sum = UINT64_C(0x0dbb0796ceef6367)},
    {.rows = 390, .batch = 40, .widths = {330, 48, 64, 11}, .sum = UINT64_C(0x859446d2c94a51e1)},
    {.rows = 240, .batch = 96, .widths = {24, 24, 7}, .sum = UINT64_C(0x9adbf36123be9d38)},
    {.rows = 240, .batch = 96, .widths = {10, 100, 2}, .sum = UINT64_C(0x8e4a3380597994aa)},
    {STEPS_ADAM, .rows = 170, .batch = 8, .widths = {5, 17, 3}, .sum = UINT64_C(0xbb0db8b26425360a)},
    {STEPS_ADAM, MLP_CL_TANH, .rows = 240, .batch = 96, .widths = {24, 24, 7}, .sum = UINT64_C(0xb758da31bcca2743)},
    {STEPS_TARGETS_SGD, MLP_CL_LEAKY_RELU, .rows = 240, .batch = 96, .widths = {24, 24, 20},
     .sum = UINT64_C(0x03475081cb64ce51)},
    {STEPS_TARGETS_ADAM, .rows = 170, .batch = 8, .widths = {5, 17, 3}, .sum = UINT64_C(0x792d8faf75e60874)},
    {STEPS_SGD, MLP_CL_GELU, .rows = 240, .batch = 96, .widths = {10, 100, 20, 2}, .sum = UINT64_C(0x1ab77c59a82e7c50)},
    {STEPS_TARGETS_ADAM, MLP_CL_SIGMOID, .rows = 19, .batch = 1, .widths = {24, 24, 7, 20},
     .sum = UINT64_C(0x1e98693b19b0edb3)},
    {.zeros = MOST_ZEROS, .rows = 100, .batch = 8, .widths = {40, 80, 10}, .sum = UINT64_C(0x763a65a179f44180)},
    {.zeros = MOST_ZEROS, .rows = 200, .batch = 80, .widths = {96, 160, 10}, .sum = UINT64_C(0x1744248526a242b2)},
    {.zeros = MANY_ZEROS,
     .dropout = 0.8f,
     .rows = 200,
     .batch = 80,
     .widths = {120, 130, 126, 10},
     .sum = UINT64_C(0x4ff601d2e5abdf88)},
};

/* Whole multiples of 2^-9 below 1/4, from a linear congruential generator. */
static float draw(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return (float)((int32_t)(*state >> 24) - 128) * 0x1p-9f;
}

static size_t layers_of(const step_test *test) {
  return test->widths[STEP_TEST_LAYERS] > 0 ? STEP_TEST_LAYERS : STEP_TEST_LAYERS - 1;
}

static bool is_adam(const step_test *test) {
  return test->kind == STEPS_ADAM || test->kind == STEPS_TARGETS_ADAM;
}

static mlp_cl_task task_of(const step_test *test) {
  switch (test->kind) {
    case STEPS_TARGETS_SGD: return MLP_CL_REGRESSION;
    case STEPS_TARGETS_ADAM: return MLP_CL_MULTI_LABEL;
    default: return MLP_CL_CLASSIFICATION;
  }
}

static tensor *add_drawn(tensor_set *set, uint32_t *state, tensor_role role, size_t rows, size_t cols) {
  float values[MOST_VALUES];
  for (size_t i = 0; i < rows * cols; i++) values[i] = draw(state);
  return tensor_set_add(set, role, TENSOR_FLOAT32, rows, cols, values);
}

/* A row's class, or its targets, depend on its features. */
static void add_answers(tensor_set *set, const step_test *test, const uint8_t *source, step_plan *plan) {
  size_t rows = test->rows, width = test->widths[0], outputs = test->widths[layers_of(test)];
  plan->losses = tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, 1, rows, NULL);
  if (plan->task == MLP_CL_CLASSIFICATION) {
    int32_t labels[MOST_ROWS];
    for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)((size_t)source[i] % outputs);
    plan->labels = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, rows, labels);
    plan->predictions = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, rows, NULL);
    return;
  }
  float targets[MOST_VALUES];
  for (size_t i = 0; i < rows * outputs; i++) {
    uint8_t feature = source[i * 7 % (rows * width)];
    targets[i] = plan->task == MLP_CL_REGRESSION ? (float)feature * 0x1p-8f : (float)(feature & 1);
  }
  plan->targets = tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, rows, outputs, targets);
  plan->scores = tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, 1, rows, NULL);
}

static void add_data(tensor_set *set, uint32_t *state, const step_test *test, step_plan *plan) {
  static const int32_t none = -1;
  uint8_t source[MOST_BYTES];
  int32_t order[MOST_ROWS];
  size_t rows = test->rows, width = test->widths[0];
  for (size_t i = 0; i < rows * width; i++) source[i] = (uint8_t)(draw(state) * 0x1p9f + 128.0f);
  for (size_t i = 0; test->zeros > 0.0f && i < rows * width; i++)
    if (trial_is_zero(i / width, i % width)) source[i] = 0;
  for (size_t i = 0; i < rows; i++) order[i] = (int32_t)(rows - 1 - i);
  plan->source = tensor_set_add(set, TENSOR_PLAIN, TENSOR_UINT8, rows, width, source);
  plan->order = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, rows, order);
  add_answers(set, test, source, plan);
  plan->flag = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, 1, &none);
  plan->x = tensor_set_add_zeroed(set, TENSOR_ACTIVATION, test->batch, width);
}

static void add_layer(tensor_set *set, uint32_t *state, const step_test *test, size_t i, step_layer *layer) {
  size_t in = test->widths[i], out = test->widths[i + 1];
  *layer = (step_layer){.in = in, .out = out};
  layer->weight = add_drawn(set, state, TENSOR_WEIGHT, in, out);
  layer->bias = add_drawn(set, state, TENSOR_WEIGHT, 1, out);
  layer->weight_velocity = add_drawn(set, state, TENSOR_STATE, in, out);
  layer->bias_velocity = add_drawn(set, state, TENSOR_STATE, 1, out);
  if (test->activation != MLP_CL_RELU && i + 1 < layers_of(test))
    layer->z = tensor_set_add_zeroed(set, TENSOR_ACTIVATION, test->batch, out);
  layer->y = tensor_set_add_zeroed(set, TENSOR_ACTIVATION, test->batch, out);
  layer->d_y = tensor_set_add_zeroed(set, TENSOR_GRADIENT, test->batch, out);
  if (!is_adam(test)) return;
  layer->weight_rms = tensor_set_add_zeroed(set, TENSOR_STATE, in, out);
  layer->bias_rms = tensor_set_add_zeroed(set, TENSOR_STATE, 1, out);
}

/* FNV-1a over the words of a tensor. */
static void add_sum(tensor_set *set, const tensor *added, uint64_t *sum) {
  uint32_t words[MOST_VALUES] = {0};
  tensor_set_read(set, added, words);
  for (size_t i = 0; added != NULL && i < added->rows * added->cols; i++)
    *sum = (*sum ^ words[i]) * UINT64_C(0x100000001b3);
}

static uint64_t sum_of(tensor_set *set, const step_plan *plan) {
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < plan->layers_count; i++) {
    add_sum(set, plan->layers[i].weight, &sum);
    add_sum(set, plan->layers[i].bias, &sum);
    add_sum(set, plan->layers[i].weight_velocity, &sum);
    add_sum(set, plan->layers[i].bias_velocity, &sum);
    if (plan->layers[i].weight_rms != NULL) add_sum(set, plan->layers[i].weight_rms, &sum);
    if (plan->layers[i].bias_rms != NULL) add_sum(set, plan->layers[i].bias_rms, &sum);
  }
  add_sum(set, plan->losses, &sum);
  add_sum(set, plan->task == MLP_CL_CLASSIFICATION ? plan->predictions : plan->scores, &sum);
  return sum;
}

/* The backend may decline while it tries what is faster: it is asked until it takes the steps, or for good. */
static bool take_steps(tensor_set *set, const step_plan *plan, size_t rows) {
  step_range left = {.first = 0, .end = rows, .step = 5};
  for (size_t asked = 0; asked < ASKED_MOST && left.first < rows && set->status == MLP_CL_OK; asked++) {
    size_t taken = 0;
    DO(set, train_steps, plan, &left, &taken);
    left.first += taken * plan->batch;
    left.step += (uint32_t)taken;
  }
  return left.first >= rows;
}

mlp_cl_status step_test_run(const step_test *test, backend *tested, uint64_t *sum, bool *taken, mlp_cl_error *error) {
  *taken = false;
  if (tested->op->train_steps == NULL) return MLP_CL_OK;
  tensor_set set;
  step_layer layers[STEP_TEST_LAYERS];
  uint32_t state = 12345;
  step_plan plan = {.layers_count = layers_of(test),
                    .layers = layers,
                    .batch = test->batch,
                    .activation = test->activation,
                    .source_scale = 0x1p-8f,
                    .zeros = test->zeros,
                    .update = {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .nesterov = true},
                    .task = task_of(test),
                    .optimiser = is_adam(test) ? MLP_CL_ADAMW : MLP_CL_SGD,
                    .adam = {.learning_rate = 0.01f,
                             .beta1 = 0.9f,
                             .beta2 = 0.999f,
                             .epsilon = 1e-8f,
                             .weight_decay = 0.01f,
                             .decoupled = true},
                    .mean = true};
  TRY(dropout_from_rate(test->dropout > 0.0f ? test->dropout : 0.25f, false, &plan.dropout, error));
  plan.dropout.seed = UINT64_C(0x0123456789abcdef);
  tensor_set_begin(&set, tested, error);
  add_data(&set, &state, test, &plan);
  for (size_t i = 0; i < plan.layers_count; i++) add_layer(&set, &state, test, i, &layers[i]);
  *taken = take_steps(&set, &plan, test->rows);
  if (*taken) *sum = sum_of(&set, &plan);
  return tensor_set_end(&set);
}
