#include "small_run.h"

#include <stdlib.h>

#include "files.h"

mlp_cl_dataset *train, *test;

void clusters_fill(uint64_t seed, size_t rows, float *features, int32_t *labels) {
  test_random r = {.state = seed};
  test_random_fill(&r, features, rows * WIDTH, 0.5f);
  for (size_t i = 0; i < rows; i++) {
    labels[i] = (int32_t)(test_random_bits(&r) % CLASSES);
    features[i * WIDTH + (size_t)labels[i]] += 1.0f;
  }
}

mlp_cl_dataset *clusters_of(const float *features, const int32_t *labels, size_t rows, float scale) {
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, rows, WIDTH, scale, labels, CLASSES, &data, &test_error));
  return data;
}

mlp_cl_dataset *clusters_make(uint64_t seed, size_t rows) {
  float *features = test_floats(rows * WIDTH);
  int32_t *labels = calloc(rows, sizeof *labels);
  ck_assert_ptr_nonnull(labels);
  clusters_fill(seed, rows, features, labels);
  mlp_cl_dataset *data = clusters_of(features, labels, rows, 1.0f);
  free(features);
  free(labels);
  return data;
}

void small_run_open(void) {
  if (device != NULL) return;
  twins_open();
  train = clusters_make(1, ROWS);
  test = clusters_make(2, TEST_ROWS);
}

void small_run_open_in_folder(void) {
  test_folder_create();
  small_run_open();
}

void small_run_close(void) {
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(test);
  twins_close();
}

mlp_cl_network *small_network(mlp_cl_context *context, uint64_t seed) {
  static const size_t widths[] = {WIDTH, HIDDEN, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true, .init = MLP_CL_INIT_HE};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(context, &shape, seed, &network, &test_error));
  return network;
}

mlp_cl_recipe small_recipe(uint32_t epochs) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = epochs;
  recipe.batch = BATCH;
  recipe.dropout = 0.2f;
  return recipe;
}

small_run small_run_begin(mlp_cl_context *context, uint64_t seed, const mlp_cl_recipe *recipe) {
  small_run run = {.network = small_network(context, seed)};
  ck_ok(mlp_cl_trainer_create(run.network, train, test, recipe, &run.trainer, &test_error));
  return run;
}

void small_run_end(small_run *run) {
  mlp_cl_trainer_destroy(run->trainer);
  mlp_cl_network_destroy(run->network);
}

static bool stop_after_epochs(const mlp_cl_event *event, void *user) {
  return event->kind != MLP_CL_EVENT_EPOCH || event->epoch < *(const uint32_t *)user;
}

void small_run_save(mlp_cl_context *context, const mlp_cl_recipe *recipe, uint64_t steps, const char *path) {
  small_run first = small_run_begin(context, 1, recipe);
  uint32_t epochs = (uint32_t)(steps / EPOCH_STEPS);
  if (epochs > 0)
    ck_fails(mlp_cl_trainer_run(first.trainer, stop_after_epochs, &epochs, &test_error), MLP_CL_CANCELLED, "");
  ck_ok(mlp_cl_trainer_steps(first.trainer, steps % EPOCH_STEPS, NULL, &test_error));
  ck_ok(mlp_cl_trainer_save(first.trainer, path, &test_error));
  small_run_end(&first);
}

void hash(mlp_cl_network *network, char hex[65]) {
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
}
