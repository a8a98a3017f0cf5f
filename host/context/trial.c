#include "context/trial.h"

#include <stdlib.h>
#include <string.h>

#include "backend/hyperparameters.h"
#include "base/size.h"

/* SplitMix64. Not from the product's Philox, which is under test here. */
static uint64_t draw(trial_run *run) {
  uint64_t z = (run->random += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static float draw_value(trial_run *run, trial_values values) {
  if (values == TRIAL_CANARY) {
    static const uint32_t canary = 0x7fc0dead;
    float nan;
    memcpy(&nan, &canary, sizeof nan);
    return nan;
  }
  uint64_t bits = draw(run);
  float x = (float)((int32_t)(bits >> 40) - (1 << 23)) * 0x1p-23f;
  uint64_t kind = bits & 63;
  if (values == TRIAL_SMALL) return x < 0.0f ? (x - 1.0f) * 0x1p-27f : (x + 1.0f) * 0x1p-27f;
  if (values == TRIAL_LOGITS) return kind < 8 ? (float)kind : 8.0f * x;
  if (values == TRIAL_NOT_NEGATIVE && x < 0.0f) return 0.0f;
  if (kind == 0) return 0.0f;
  if (kind < 4) return x * 0x1p-20f; /* whose products meet the floors */
  return kind == 4 ? x * 64.0f : x;
}

/* Rows, columns, and each for itself. */
static bool is_scattered_zero(trial_run *run, size_t row, size_t col) {
  return draw(run) % 7 != 0 || row % 11 == 4 || col % 13 == 5;
}

bool trial_is_zero(size_t row, size_t col) {
  enum { ROWS = 9, COLS = 5 }; /* of a field of zeros, neither of them a tile's */
  return (row / ROWS + col / COLS) % 3 != 0;
}

/* Memory for inputs, or NULL with the run failed. */
static void *scratch(trial_run *run, size_t rows, size_t cols, size_t element_bytes) {
  void *memory = run->set.status == MLP_CL_OK ? malloc(rows * cols * element_bytes) : NULL;
  if (memory == NULL && run->set.status == MLP_CL_OK)
    run->set.status = fail_memory(run->set.error, rows * cols * element_bytes, "a trial's input");
  return memory;
}

tensor *trial_tensor(trial_run *run, tensor_role role, size_t rows, size_t cols, trial_values values) {
  float *drawn = scratch(run, rows, cols, sizeof *drawn);
  if (drawn == NULL) return NULL;
  for (size_t i = 0; i < rows * cols; i++) {
    bool zero = (values == TRIAL_ZEROS && trial_is_zero(i / cols, i % cols)) ||
                (values == TRIAL_SCATTERED && is_scattered_zero(run, i / cols, i % cols));
    drawn[i] = zero ? 0.0f : draw_value(run, values);
  }
  tensor *added = tensor_set_add(&run->set, role, TENSOR_FLOAT32, rows, cols, drawn);
  free(drawn);
  return added;
}

tensor *trial_batch(trial_run *run, tensor_role role, size_t rows, size_t cols, trial_values values) {
  enum { SPARE_ROWS = 3 };
  return trial_tensor(run, role, rows + SPARE_ROWS, cols, values);
}

tensor *trial_integers(trial_run *run, size_t count, int32_t end) {
  int32_t *drawn = scratch(run, 1, count, sizeof *drawn);
  if (drawn == NULL) return NULL;
  for (size_t i = 0; i < count; i++) drawn[i] = end < 0 ? end : (int32_t)(draw(run) % (uint64_t)end);
  tensor *added = tensor_set_add(&run->set, TENSOR_PLAIN, TENSOR_INT32, 1, count, drawn);
  free(drawn);
  return added;
}

tensor *trial_plain(trial_run *run, tensor_element element, size_t rows, size_t cols) {
  if (element == TENSOR_FLOAT32) return trial_tensor(run, TENSOR_PLAIN, rows, cols, TRIAL_UNIFORM);
  size_t bytes = tensor_element_bytes(element);
  unsigned char *drawn = scratch(run, rows, cols, bytes);
  if (drawn == NULL) return NULL;
  for (size_t i = 0; i < rows * cols * bytes; i++) drawn[i] = (unsigned char)draw(run);
  tensor *added = tensor_set_add(&run->set, TENSOR_PLAIN, element, rows, cols, drawn);
  free(drawn);
  return added;
}

dropout trial_mask(uint64_t first_row) {
  dropout mask = {.threshold = 0};
  (void)dropout_from_rate(0.3f, false, &mask, NULL);
  mask.seed = 0x0123456789abcdefu;
  mask.step = 7;
  mask.layer = 2;
  mask.first_row = first_row;
  return mask;
}

const sgd trial_sgd = {.learning_rate = 0.1f};
const sgd trial_sgd_momentum = {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f};
const sgd trial_sgd_nesterov = {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .nesterov = true};
const sgd trial_sgd_overflow = {.learning_rate = 0x1.2p28f, .weight_decay = 0x1p100f};

void trial_collect(trial_run *run, const tensor *output, size_t rows) {
  if (run->set.status != MLP_CL_OK) return;
  size_t added = rows * output->cols;
  uint32_t *grown = realloc(run->words, (run->count + added) * sizeof *grown);
  if (grown == NULL) {
    run->set.status = fail_memory(run->set.error, (run->count + added) * sizeof *grown, "a trial's outputs");
    return;
  }
  run->words = grown;
  DO(&run->set, tensor_read, output, 0, rows, run->words + run->count);
  run->count += added;
}

/* Orders all floats but NaN by their bits, so that neighbours differ by 1. */
static int64_t ordered(uint32_t word) {
  return (word & 0x80000000u) != 0 ? -(int64_t)(word & 0x7fffffffu) : (int64_t)word;
}

static uint64_t ulp_between(uint32_t a, uint32_t b) {
  if ((a & 0x7fffffffu) > 0x7f800000u || (b & 0x7fffffffu) > 0x7f800000u) return UINT64_MAX;
  int64_t distance = ordered(a) - ordered(b);
  return (uint64_t)(distance < 0 ? -distance : distance);
}

void trial_compare_words(const uint32_t *got, const uint32_t *wanted, size_t count, trial_result *result) {
  for (size_t i = 0; i < count; i++) {
    if (got[i] == wanted[i]) continue;
    uint64_t ulp = ulp_between(got[i], wanted[i]);
    if (ulp > result->max_ulp) result->max_ulp = ulp;
    if (result->tolerance > 0 && ulp <= result->tolerance) continue;
    if (result->mismatches++ == 0) {
      result->index = i;
      result->got = got[i];
      result->wanted = wanted[i];
    }
  }
  result->elements += count;
}

static mlp_cl_status run_on(const trial *chosen, trial_shape shape, backend *on, trial_run *run, mlp_cl_error *error) {
  *run = (trial_run){.random = shape.rows * 1000003u + shape.in * 1009u + shape.out};
  tensor_set_begin(&run->set, on, error);
  chosen->run(run, shape);
  return tensor_set_end(&run->set);
}

mlp_cl_status trial_compare(const trial *compared, trial_shape shape, backend *device, backend *reference,
                            trial_result *result, mlp_cl_error *error) {
  trial_run got = {.words = NULL}, wanted = {.words = NULL};
  mlp_cl_status status = run_on(compared, shape, device, &got, error);
  if (status == MLP_CL_OK) status = run_on(compared, shape, reference, &wanted, error);
  if (status == MLP_CL_OK) trial_compare_words(got.words, wanted.words, size_min(got.count, wanted.count), result);
  free(got.words);
  free(wanted.words);
  return status;
}
