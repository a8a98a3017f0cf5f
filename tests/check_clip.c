/* Clipping gradients by their norm: one step in double precision from the gradients of a step without, bits of the
 * device against the reference, and what it leaves alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static mlp_cl_context *device, *reference;

static void open_both(void) {
  if (device != NULL) return;
  device = test_open_device();
  reference = test_open_reference();
}

enum { ROWS = 24, LAYERS = 2, OUT = 3 };

typedef struct model {
  size_t widths[LAYERS + 1], count; /* parameters */
  bool bias;
  float *parameters; /* weight, bias of each layer */
} model;

static model make_model(size_t in, size_t hidden, bool bias) {
  model m = {.widths = {in, hidden, OUT}, .bias = bias};
  for (size_t i = 0; i < LAYERS; i++) m.count += (m.widths[i] + 1) * m.widths[i + 1];
  m.parameters = calloc(m.count, sizeof *m.parameters);
  ck_assert_ptr_nonnull(m.parameters);
  return m;
}

/* One epoch, from seed 7, leaves the parameters in m; biases that there are not stay 0. */
static void train(mlp_cl_context *on, model *m, const mlp_cl_recipe *recipe, char receipt[65]) {
  const mlp_cl_shape shape = {.widths_count = LAYERS + 1, .widths = m->widths, .bias = m->bias};
  float *x = test_floats(ROWS * m->widths[0]), *at = m->parameters;
  int32_t labels[ROWS];
  test_random r = {.state = 5};
  test_random_fill(&r, x, ROWS * m->widths[0], 1.0f);
  for (int32_t i = 0; i < ROWS; i++) labels[i] = i % OUT;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, ROWS, m->widths[0], 1, labels, OUT, &data, &test_error));
  ck_ok(mlp_cl_network_create(on, &shape, 7, &network, &test_error));
  ck_ok(mlp_cl_train(network, data, NULL, recipe, NULL, NULL, &test_error));
  for (size_t i = 0; i < LAYERS; i++) {
    size_t weights = m->widths[i] * m->widths[i + 1];
    ck_ok(mlp_cl_network_get(network, i, at, m->bias ? at + weights : NULL, &test_error));
    at += weights + m->widths[i + 1];
  }
  ck_ok(mlp_cl_network_sha256(network, receipt, &test_error));
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  free(x);
}

/* A step with rate r: w = w0 - r g, where w0 is left by a rate of 0; so all gradients are seen. */
static void check_step(size_t in, size_t hidden, bool bias, double share) {
  mlp_cl_recipe recipe = {.epochs = 1, .batch = ROWS, .seed = 1};
  model before = make_model(in, hidden, bias), free_step = make_model(in, hidden, bias);
  model clipped = make_model(in, hidden, bias);
  char receipt[65], wanted[65];
  train(reference, &before, &recipe, receipt);
  recipe.learning_rate = 1;
  train(reference, &free_step, &recipe, receipt);
  double *g = calloc(before.count, sizeof *g), squares = 0;
  for (size_t i = 0; i < before.count; i++) {
    g[i] = (double)before.parameters[i] - (double)free_step.parameters[i];
    squares += g[i] * g[i];
  }
  recipe.clip_norm = (float)(share * sqrt(squares));
  double factor = fmin(1, (double)recipe.clip_norm / (sqrt(squares) + 1e-6));
  train(device, &clipped, &recipe, receipt);
  for (size_t i = 0; i < before.count; i++) g[i] = (double)before.parameters[i] - factor * g[i];
  ck_close(clipped.parameters, g, before.count, 1e-6, "clipped step");
  train(reference, &clipped, &recipe, wanted);
  ck_assert_str_eq(receipt, wanted);
  free(g);
  free(before.parameters);
  free(free_step.parameters);
  free(clipped.parameters);
}

START_TEST(agrees_with_double) {
  check_step(1, 1, true, 0.5);
  check_step(17, 33, true, 0.25);
  check_step(17, 33, false, 0.25);
  check_step(5, 4, true, 1.5);
  if (test_small()) return;
  check_step(700, 20, true, 0.01); /* blocks of rows */
  check_step(9, 530, true, 0.5);   /* strips of columns */
}
END_TEST

static mlp_cl_recipe draw(int i) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = 3;
  recipe.batch = 10;
  recipe.learning_rate = 0.02f;
  recipe.weight_decay = 0.001f;
  recipe.optimiser = (mlp_cl_optimiser[]){MLP_CL_SGD, MLP_CL_SGD, MLP_CL_ADAM, MLP_CL_ADAMW}[i];
  recipe.nesterov = i == 1;
  return recipe;
}

/* Clipping at a norm that is never reached changes no bit; at a small one it does, the same ones everywhere. */
START_TEST(runs_are_identical) {
  for (int i = 0; i < 4; i += test_small() ? 2 : 1) {
    mlp_cl_recipe recipe = draw(i);
    model m = make_model(20, 18, true);
    char plain[65], loose[65], tight[65], wanted[65];
    train(device, &m, &recipe, plain);
    recipe.clip_norm = 1e6f;
    train(device, &m, &recipe, loose);
    recipe.clip_norm = 0.05f;
    train(device, &m, &recipe, tight);
    train(reference, &m, &recipe, wanted);
    ck_assert_str_eq(loose, plain);
    ck_assert_str_eq(tight, wanted);
    ck_assert_str_ne(tight, plain);
    free(m.parameters);
  }
}
END_TEST

/* The squares of gradients of 10^30 are no floats, the gradients are. */
START_TEST(an_infinite_norm_is_a_divergence) {
  const size_t widths[] = {1, 2};
  const mlp_cl_shape shape = {.widths_count = 2, .widths = widths, .init = MLP_CL_INIT_ZERO};
  const float x = 1e30f;
  const int32_t label = 0;
  mlp_cl_recipe recipe = {.epochs = 1, .batch = 1, .learning_rate = 0x1p-30f};
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(&x, MLP_CL_FLOAT32, 1, 1, 1, &label, 2, &data, &test_error));
  ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
  mlp_cl_network_destroy(network);
  recipe.clip_norm = 1;
  ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
  ck_fails(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_DIVERGED, "not finite");
  mlp_cl_network_destroy(network);
  for (int i = 0; i < 3; i++) {
    recipe.clip_norm = (float[]){-1.0f, INFINITY, NAN}[i];
    ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
    ck_fails(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "clip_norm is");
    mlp_cl_network_destroy(network);
  }
  mlp_cl_dataset_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("clip");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_both, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, agrees_with_double);
  tcase_add_test(tests, runs_are_identical);
  tcase_add_test(tests, an_infinite_norm_is_a_divergence);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
  return result;
}
