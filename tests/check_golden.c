/* Golden hashes: what six runs came to when version 1 of the numerics contract was frozen. Every device, kernel
 * variant and number of threads has to come to the same, until the contract's version is raised on purpose. They are
 * what the failures of this command print, with other constants in their places:
 *   MLP_CL_TEST_DEVICE=reference CK_FORK=no build/tests/check_golden
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define GOLDEN_NUMERICS_VERSION 1
#define GOLDEN_EXERCISE "0ea50817d558e16b9323cce0745d19bdef7360742c1189f7294f0a8294705471"
#define GOLDEN_DIGITS "d36401e4100542436e7747826d392dac619c101a68435d0c4d4a5a7310810222"
#define GOLDEN_SMALL "9c295ee730feee07815a2c507a3781edb62cd5ade2f5bae263c52d5a69e85515"
#define GOLDEN_LARGE "563e4b30e51954d4fbe289df681739147eeb4228537e28e85c9d8bbe7314ae45"

#define GOLDEN_TANH_ADAM "3afd84b25e337d4e8406da0ec541e450421c720d852771b20a4f5dc2a4f33960"
#define GOLDEN_GELU_ADAMW "e5e4af983bd846293f5fb518e6bdbe4ddc234f64dfbf29788463518222875ea1"

static mlp_cl_context *device;

/* A device that is refused is not tried again. */
static void open_device(void) {
  static bool refused;
  if (device != NULL) return;
  ck_assert_msg(!refused, "the device was refused before");
  refused = true;
  device = test_open_device();
}

static void check_hash(mlp_cl_network *network, const char *wanted, const char *what) {
  char hex[65];
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  if (strcmp(hex, wanted) != 0)
    ck_abort_msg(
        "%s came to %s, not %s: the bits of numerics version %d have changed. Raise the numerics version on purpose if "
        "this is wanted; if not, something broke the contract (docs/numerics.md)",
        what, hex, wanted, GOLDEN_NUMERICS_VERSION);
}

static mlp_cl_network *make_network(size_t widths_count, const size_t *widths, bool bias, uint64_t seed) {
  const mlp_cl_shape shape = {.widths_count = widths_count, .widths = widths, .bias = bias, .init = MLP_CL_INIT_HE};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(device, &shape, seed, &network, &test_error));
  return network;
}

/* `steps` steps of a run that may be longer. */
static void train(mlp_cl_network *network, const mlp_cl_dataset *data, const mlp_cl_recipe *recipe, uint64_t steps) {
  mlp_cl_trainer *trainer = NULL;
  uint64_t done = 0;
  ck_ok(mlp_cl_trainer_create(network, data, NULL, recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_steps(trainer, steps, &done, &test_error));
  ck_assert_uint_eq(done, steps);
  mlp_cl_trainer_destroy(trainer);
}

START_TEST(version) {
  ck_assert_int_eq(mlp_cl_numerics_version(), GOLDEN_NUMERICS_VERSION);
}
END_TEST

/* The network of examples/exercise.c: 3-4-2 without biases, from its weights, 100 steps with dropout. */
START_TEST(exercise) {
  static const size_t widths[] = {3, 4, 2};
  static const float x[] = {1, 2, 3, 4, 5, 6};
  static const float w1[] = {.1f, .2f, .3f, .4f, .5f, .6f, .7f, .8f, .9f, 1.0f, 1.1f, 1.2f};
  static const float w2[] = {.2f, .3f, .4f, .5f, .6f, .7f, .8f, .9f};
  static const int32_t labels[] = {1, 0};
  const mlp_cl_recipe recipe = {
      .seed = 1, .epochs = 100, .batch = 2, .learning_rate = 0.01f, .dropout = 0.4f, .reduction = MLP_CL_SUM};
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, 2, 3, 1.0f, labels, 2, &data, &test_error));
  mlp_cl_network *network = make_network(3, widths, false, 0);
  ck_ok(mlp_cl_network_set(network, 0, w1, NULL, &test_error));
  ck_ok(mlp_cl_network_set(network, 1, w2, NULL, &test_error));
  train(network, data, &recipe, 100);
  check_hash(network, GOLDEN_EXERCISE, "the exercise");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

START_TEST(digits) {
  static const size_t widths[] = {64, 32, 10};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = 3;
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_open("digits", &data, NULL, &test_error));
  mlp_cl_network *network = make_network(3, widths, true, 1);
  ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
  check_hash(network, GOLDEN_DIGITS, "three epochs of digits");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* Rows of bytes in one noisy cluster per class, by integers alone. */
static mlp_cl_dataset *generate(size_t rows, size_t width, size_t classes) {
  uint8_t *features = malloc(rows * width);
  int32_t *labels = malloc(rows * sizeof *labels);
  ck_assert(features != NULL && labels != NULL);
  test_random r = {.state = width};
  for (size_t i = 0; i < rows; i++) {
    size_t label = test_random_bits(&r) % classes;
    labels[i] = (int32_t)label;
    for (size_t j = 0; j < width; j++) {
      uint32_t noise = test_random_bits(&r) >> 24;
      features[i * width + j] = (uint8_t)(j % classes == label ? 128 + noise / 2 : noise % 3 == 0 ? noise : 0);
    }
  }
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_UINT8, rows, width, 0x1.010102p-8f, labels, classes, &data,
                                   &test_error));
  free(features);
  free(labels);
  return data;
}

/* What the other runs leave out: several hidden layers, unscaled dropout, rows in file order, batches of 16 and 5. */
START_TEST(small) {
  static const size_t widths[] = {20, 17, 18, 5};
  const mlp_cl_recipe recipe = {.seed = 7,
                                .epochs = 4,
                                .batch = 16,
                                .learning_rate = 0.01f,
                                .dropout = 0.25f,
                                .dropout_unscaled = true,
                                .reduction = MLP_CL_SUM,
                                .no_shuffle = true};
  mlp_cl_dataset *data = generate(37, 20, 5);
  mlp_cl_network *network = make_network(4, widths, true, 7);
  train(network, data, &recipe, 12);
  check_hash(network, GOLDEN_SMALL, "a small run");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* Sums over more than one block of features and one leaf of rows, both ragged: batches of 300, 300 and 100. */
START_TEST(large) {
  static const size_t widths[] = {784, 128, 64, 10};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.seed = UINT64_C(0x123456789abcdef0);
  recipe.epochs = 20;
  recipe.batch = 300;
  recipe.learning_rate = 0.02f;
  recipe.nesterov = true;
  recipe.weight_decay = 0x1p-10f;
  recipe.dropout = 0.2f;
  mlp_cl_dataset *data = generate(700, 784, 10);
  mlp_cl_network *network = make_network(4, widths, true, 42);
  train(network, data, &recipe, 50);
  check_hash(network, GOLDEN_LARGE, "50 steps of 784-128-64-10");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* 50 steps with what the runs above leave out: tanh and Adam with dropout, on classes. */
START_TEST(tanh_adam) {
  static const size_t widths[] = {64, 33, 17, 10};
  const mlp_cl_shape shape = {.widths_count = 4, .widths = widths, .bias = true, .activation = MLP_CL_TANH};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.optimiser = MLP_CL_ADAM;
  recipe.learning_rate = 0.01f;
  recipe.weight_decay = 0.001f;
  recipe.dropout = 0.1f;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_dataset_open("digits", &data, NULL, &test_error));
  ck_ok(mlp_cl_network_create(device, &shape, 3, &network, &test_error));
  train(network, data, &recipe, 50);
  check_hash(network, GOLDEN_TANH_ADAM, "50 steps of tanh and Adam");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* GELU and AdamW with a warm-up and a cosine, on three numbers a row. */
START_TEST(gelu_adamw) {
  enum { ROWS = 100, WIDTH = 7, OUTPUTS = 3 };
  static const size_t widths[] = {WIDTH, 19, OUTPUTS};
  const mlp_cl_shape shape = {
      .widths_count = 3, .widths = widths, .bias = true, .activation = MLP_CL_GELU, .task = MLP_CL_REGRESSION};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.optimiser = MLP_CL_ADAMW;
  recipe.learning_rate = 0.02f;
  recipe.weight_decay = 0.01f;
  recipe.batch = 21;
  recipe.schedule = MLP_CL_COSINE;
  recipe.warmup_epochs = 2;
  float x[ROWS * WIDTH], t[ROWS * OUTPUTS];
  test_random r = {.state = 11};
  for (size_t i = 0; i < ROWS * WIDTH; i++) x[i] = (float)(test_random_bits(&r) % 257) / 64.0f - 2.0f;
  for (size_t i = 0; i < ROWS * OUTPUTS; i++) t[i] = x[i / OUTPUTS * WIDTH + i % OUTPUTS] * 0.5f - 0.25f;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_dataset_from_targets(x, MLP_CL_FLOAT32, ROWS, WIDTH, 1, t, OUTPUTS, &data, &test_error));
  ck_ok(mlp_cl_network_create(device, &shape, 3, &network, &test_error));
  train(network, data, &recipe, 50);
  check_hash(network, GOLDEN_GELU_ADAMW, "50 steps of GELU and AdamW");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* Steps that are wrong are done without, to the same bits: these were right, or never asked for. Behind the others. */
START_TEST(no_whole_steps_were_refused) {
  const char *refusal = mlp_cl_context_steps_refusal(device);
  ck_assert_msg(refusal == NULL, "%s", refusal);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("golden");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_device, NULL);
  tcase_set_timeout(tests, 240);
  tcase_add_test(tests, version);
  tcase_add_test(tests, exercise);
  tcase_add_test(tests, digits);
  tcase_add_test(tests, small);
  if (!test_small()) tcase_add_test(tests, tanh_adam);
  tcase_add_test(tests, gelu_adamw);
  if (!test_small()) tcase_add_test(tests, large);
  tcase_add_test(tests, no_whole_steps_were_refused);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  return result;
}
