/* Training steps on the reference alone, without the libraries that a cross compiler may lack; prints the bits that
 * came out. ci/cross.sh compiles it in several ways and for another processor, and compares the lines. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/step.h"
#include "reference/reference.h"

enum { LAYERS = 3, ROWS = 700, BATCH = 300, EPOCHS = 4 };
static const size_t widths[LAYERS + 1] = {37, 300, 19, 11};

static mlp_cl_error error;

const char *mlp_cl_version(void);
const char *mlp_cl_version(void) {
  return "cross";
}

static void check(mlp_cl_status status) {
  if (status == MLP_CL_OK) return;
  fprintf(stderr, "reference_bits: %s\n", error.text);
  exit(EXIT_FAILURE);
}

static uint32_t next_bits(void) {
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 32);
}

static tensor *make(backend *on, tensor_role role, tensor_element element, size_t rows, size_t cols, float limit) {
  tensor *t;
  check(on->op->tensor_create(on, role, element, rows, cols, &t, &error));
  float *values = calloc(rows * cols, sizeof *values);
  for (size_t i = 0; i < rows * cols && limit > 0; i++)
    values[i] = ((float)(next_bits() >> 8) * 0x1p-23f - 1.0f) * limit;
  if (element == TENSOR_INT32)
    for (size_t i = 0; i < rows * cols; i++) ((int32_t *)values)[i] = (int32_t)(next_bits() % widths[LAYERS]);
  check(on->op->tensor_write(on, t, 0, rows, values, &error));
  free(values);
  return t;
}

/* FNV-1a. */
static void mix(uint64_t *hash, backend *on, const tensor *t) {
  size_t bytes = t->rows * t->cols * sizeof(float);
  unsigned char *values = malloc(bytes);
  check(on->op->tensor_read(on, t, 0, t->rows, values, &error));
  for (size_t i = 0; i < bytes; i++) *hash = (*hash ^ values[i]) * 0x100000001b3u;
  free(values);
}

int main(void) {
  backend *on;
  step_layer layers[LAYERS];
  static const int32_t none = -1;
  check(reference_open(&on, &error));
  for (size_t i = 0; i < LAYERS; i++)
    layers[i] = (step_layer){
        .in = widths[i],
        .out = widths[i + 1],
        .weight = make(on, TENSOR_WEIGHT, TENSOR_FLOAT32, widths[i], widths[i + 1], 0.3f),
        .bias = make(on, TENSOR_WEIGHT, TENSOR_FLOAT32, 1, widths[i + 1], 0.1f),
        .weight_velocity = make(on, TENSOR_STATE, TENSOR_FLOAT32, widths[i], widths[i + 1], 0),
        .bias_velocity = make(on, TENSOR_STATE, TENSOR_FLOAT32, 1, widths[i + 1], 0),
        .y = make(on, TENSOR_ACTIVATION, TENSOR_FLOAT32, BATCH, widths[i + 1], 0),
        .d_y = make(on, TENSOR_GRADIENT, TENSOR_FLOAT32, BATCH, widths[i + 1], 0),
    };
  tensor *losses = make(on, TENSOR_PLAIN, TENSOR_FLOAT32, 1, ROWS, 0);
  tensor *flag = make(on, TENSOR_PLAIN, TENSOR_INT32, 1, 1, 0);
  check(on->op->tensor_write(on, flag, 0, 1, &none, &error));
  step_plan plan = {
      .layers_count = LAYERS,
      .layers = layers,
      .batch = BATCH,
      .source = make(on, TENSOR_PLAIN, TENSOR_FLOAT32, ROWS, widths[0], 1.0f),
      .labels = make(on, TENSOR_PLAIN, TENSOR_INT32, 1, ROWS, 0),
      .source_scale = 0.75f,
      .x = make(on, TENSOR_ACTIVATION, TENSOR_FLOAT32, BATCH, widths[0], 0),
      .losses = losses,
      .predictions = make(on, TENSOR_PLAIN, TENSOR_INT32, 1, ROWS, 0),
      .flag = flag,
      .update = {.learning_rate = 0.05f, .momentum = 0.9f, .weight_decay = 0x1p-10f, .nesterov = true},
      .dropout = {.threshold = 0x40000000u, .scale = 4.0f / 3.0f, .seed = 0x123456789abcdefu},
      .mean = true,
  };
  for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
    step_range range = {.first = 0, .end = ROWS, .step = epoch * 3};
    check(run_steps(on, &plan, &range, &error));
  }
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < LAYERS; i++) {
    mix(&hash, on, layers[i].weight);
    mix(&hash, on, layers[i].bias);
    mix(&hash, on, layers[i].weight_velocity);
  }
  mix(&hash, on, losses);
  mix(&hash, on, flag);

  float all[ROWS];
  check(on->op->tensor_read(on, losses, 0, 1, all, &error));

  printf("%016" PRIx64 " last loss %a\n", hash, (double)all[ROWS - 1]);
  return EXIT_SUCCESS;
}
