/* A training step through the public API, as a worker that is asked: step WIDTHS BATCH [DEVICE [KERNELS [inexact]]], as
 * `step 784,512,10 128 0 steps`. For each line on standard input it takes steps for some 10 ms and answers with the
 * microseconds of one: two such processes that are asked in turn meet with the same noise. Data are resident, dropout
 * 0.2 after each hidden layer, plain SGD with mean loss. "inexact" takes any device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mlp_cl.h"

enum { WIDTHS_MAX = 16 };

static mlp_cl_error error;

static void check(mlp_cl_status status) {
  if (status == MLP_CL_OK) return;
  fprintf(stderr, "step: %s\n", error.text);
  exit(EXIT_FAILURE);
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t read_widths(char *text, size_t widths[WIDTHS_MAX]) {
  size_t count = 0;
  for (char *part = strtok(text, ","); part != NULL && count < WIDTHS_MAX; part = strtok(NULL, ","))
    widths[count++] = strtoul(part, NULL, 10);
  return count;
}

static mlp_cl_dataset *random_rows(size_t rows, size_t width, size_t classes) {
  float *features = malloc(rows * width * sizeof *features);
  int32_t *labels = malloc(rows * sizeof *labels);
  mlp_cl_dataset *data = NULL;
  uint32_t state = 1;
  for (size_t i = 0; i < rows * width; i++) {
    state = state * 1664525u + 1013904223u;
    features[i] = (float)(state >> 8) * 0x1p-24f;
  }
  for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)(i * 7919 % classes);
  check(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, rows, width, 1.0f, labels, classes, &data, &error));
  free(features);
  free(labels);
  return data;
}

/* Runs `steps` steps to their end; seconds. */
static double run(mlp_cl_trainer *trainer, mlp_cl_network *network, size_t layers, float *bias, uint64_t steps) {
  double began = now_s();
  uint64_t done;
  check(mlp_cl_trainer_steps(trainer, steps, &done, &error));
  check(mlp_cl_network_get(network, layers - 1, NULL, bias, &error)); /* waits */
  return now_s() - began;
}

int main(int argc, char **argv) {
  size_t widths[WIDTHS_MAX], batch = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
  size_t count = argc > 2 ? read_widths(argv[1], widths) : 0;
  if (count < 2 || batch == 0) {
    fprintf(stderr, "usage: step WIDTHS BATCH [DEVICE [KERNELS [inexact]]]\n");
    return 2;
  }
  const mlp_cl_context_options options = {.kernels = argc > 4 ? argv[4] : NULL,
                                          .allow_inexact = argc > 5 && strcmp(argv[5], "inexact") == 0};
  mlp_cl_context *context;
  mlp_cl_network *network;
  mlp_cl_trainer *trainer;
  check(mlp_cl_context_create(argc > 3 ? argv[3] : NULL, &options, &context, &error));
  mlp_cl_shape shape = {.widths_count = count, .widths = widths, .bias = true};
  check(mlp_cl_network_create(context, &shape, 1, &network, &error));
  size_t rows = batch * 64;
  mlp_cl_dataset *data = random_rows(rows, widths[0], widths[count - 1]);
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = 1 << 20;
  recipe.batch = (uint32_t)batch;
  recipe.learning_rate = 0.01f;
  recipe.momentum = 0.0f;
  recipe.dropout = 0.2f;
  check(mlp_cl_trainer_create(network, data, NULL, &recipe, &trainer, &error));

  float *bias = malloc(widths[count - 1] * sizeof *bias);
  run(trainer, network, count - 1, bias, 2);
  double one = run(trainer, network, count - 1, bias, 4) / 4;
  uint64_t steps = one < 0.005 ? (uint64_t)(0.01 / one) + 1 : 2;
  for (int character; (character = getchar()) != EOF;) {
    if (character != '\n') continue;
    printf("%.3f\n", run(trainer, network, count - 1, bias, steps) / (double)steps * 1e6);
    fflush(stdout);
  }
  free(bias);
  mlp_cl_trainer_destroy(trainer);
  mlp_cl_dataset_destroy(data);
  mlp_cl_network_destroy(network);
  mlp_cl_context_destroy(context);
  return EXIT_SUCCESS;
}
