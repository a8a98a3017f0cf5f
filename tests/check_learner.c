/* Batches of one's own: the bits of a trainer's run, halves that come to a whole step, gradients against differences,
 * and what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { ROWS = 71, INPUTS = 19, OUTPUTS = 5, BATCH = 16 };

static mlp_cl_context *device;
static float features[ROWS * INPUTS], targets[ROWS * OUTPUTS];
static int32_t labels[ROWS];

static void prepare(void) {
  if (device == NULL) device = test_open_device();
  test_random r = {.state = 5};
  test_random_fill(&r, features, ROWS * INPUTS, 1.0f);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(test_random_bits(&r) % OUTPUTS);
  for (size_t i = 0; i < ROWS * OUTPUTS; i++) targets[i] = (float)(test_random_bits(&r) % 100) / 100.0f;
}

static mlp_cl_network *make_network(mlp_cl_task task, mlp_cl_activation activation) {
  static const size_t widths[] = {INPUTS, 33, 20, OUTPUTS};
  const mlp_cl_shape shape = {
      .widths_count = 4, .widths = widths, .bias = true, .activation = activation, .task = task};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(device, &shape, 7, &network, &test_error));
  return network;
}

static mlp_cl_recipe make_recipe(mlp_cl_optimiser optimiser) {
  mlp_cl_recipe recipe = mlp_cl_recipe_for(optimiser);
  recipe.batch = BATCH;
  recipe.epochs = 3;
  recipe.no_shuffle = true;
  return recipe;
}

static mlp_cl_learner *learn(mlp_cl_network *network, const mlp_cl_recipe *recipe) {
  mlp_cl_learner *learner = NULL;
  ck_ok(mlp_cl_learner_create(network, recipe, &learner, &test_error));
  return learner;
}

static const int32_t *labels_of(mlp_cl_task task, size_t row) {
  return task == MLP_CL_CLASSIFICATION ? labels + row : NULL;
}
static const float *targets_of(mlp_cl_task task, size_t row) {
  return task == MLP_CL_CLASSIFICATION ? NULL : targets + row * OUTPUTS;
}

static size_t rows_from(size_t row) {
  return ROWS - row < BATCH ? ROWS - row : BATCH;
}

/* ---- Beside a trainer ------------------------------------------------------------------------------------------- */

static void compare_with_trainer(mlp_cl_task task, mlp_cl_activation activation, const mlp_cl_recipe *recipe) {
  mlp_cl_network *own = make_network(task, activation), *whole = make_network(task, activation);
  mlp_cl_dataset *data = NULL;
  ck_ok(task == MLP_CL_CLASSIFICATION ? mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, INPUTS, 1.0f, labels,
                                                                   OUTPUTS, &data, &test_error)
                                      : mlp_cl_dataset_from_targets(features, MLP_CL_FLOAT32, ROWS, INPUTS, 1.0f,
                                                                    targets, OUTPUTS, &data, &test_error));
  ck_ok(mlp_cl_train(whole, data, NULL, recipe, NULL, NULL, &test_error));
  mlp_cl_dataset_destroy(data);
  mlp_cl_learner *learner = learn(own, recipe);
  for (uint32_t epoch = 0; epoch < recipe->epochs; epoch++)
    for (size_t row = 0; row < ROWS; row += BATCH) {
      double loss = 0;
      ck_ok(mlp_cl_learner_step(learner, rows_from(row), features + row * INPUTS, labels_of(task, row),
                                targets_of(task, row), row % 3 == 0 ? &loss : NULL, &test_error));
      ck_assert(row % 3 != 0 || loss > 0);
    }
  mlp_cl_learner_destroy(learner);
  ck_same_networks(own, whole);
  mlp_cl_network_destroy(own);
  mlp_cl_network_destroy(whole);
}

START_TEST(comes_to_the_bits_of_a_trainer) {
  static const float weights[OUTPUTS] = {1, 2, 0.5f, 1, 3};
  mlp_cl_recipe recipe = make_recipe(MLP_CL_SGD);
  compare_with_trainer(MLP_CL_CLASSIFICATION, MLP_CL_RELU, &recipe);
  recipe.dropout = 0.3f;
  recipe.weight_decay = 0.01f;
  compare_with_trainer(MLP_CL_CLASSIFICATION, MLP_CL_TANH, &recipe);
  recipe.clip_norm = 0.5f;
  recipe.label_smoothing = 0.1f;
  recipe.class_weights = weights;
  recipe.class_weights_count = OUTPUTS;
  compare_with_trainer(MLP_CL_CLASSIFICATION, MLP_CL_RELU, &recipe);
  recipe = make_recipe(MLP_CL_ADAMW);
  recipe.weight_decay = 0.1f;
  compare_with_trainer(MLP_CL_REGRESSION, MLP_CL_RELU, &recipe);
  recipe.dropout = 0.2f;
  recipe.reduction = MLP_CL_SUM;
  compare_with_trainer(MLP_CL_MULTI_LABEL, MLP_CL_GELU, &recipe);
}
END_TEST

START_TEST(tells_the_loss) {
  mlp_cl_network *network = make_network(MLP_CL_CLASSIFICATION, MLP_CL_RELU);
  const mlp_cl_recipe recipe = make_recipe(MLP_CL_SGD);
  mlp_cl_learner *learner = learn(network, &recipe);
  float *probabilities = test_floats(BATCH * OUTPUTS);
  ck_ok(mlp_cl_network_predict(network, features, BATCH, probabilities, &test_error));
  double wanted = 0, loss, first, last = 0;
  for (size_t i = 0; i < BATCH; i++) wanted -= log((double)probabilities[i * OUTPUTS + (size_t)labels[i]]) / BATCH;
  ck_ok(mlp_cl_learner_step(learner, BATCH, features, labels, NULL, &first, &test_error));
  ck_assert_double_eq_tol(first, wanted, 1e-5);
  for (int i = 0; i < 30; i++)
    ck_ok(mlp_cl_learner_step(learner, BATCH, features, labels, NULL, i == 29 ? &last : NULL, &test_error));
  ck_assert_double_lt(last, 0.5 * first);
  ck_ok(mlp_cl_learner_step(learner, 1, features, labels, NULL, &loss, &test_error));
  mlp_cl_learner_destroy(learner);
  mlp_cl_network_destroy(network);
  free(probabilities);
}
END_TEST

/* ---- Halves ----------------------------------------------------------------------------------------------------- */

static void compare_halves(mlp_cl_task task, mlp_cl_activation activation, mlp_cl_optimiser optimiser) {
  mlp_cl_network *own = make_network(task, activation), *whole = make_network(task, activation);
  mlp_cl_recipe recipe = make_recipe(optimiser);
  recipe.dropout = 0.25f;
  mlp_cl_learner *halves = learn(own, &recipe), *steps = learn(whole, &recipe);
  float *outputs = test_floats(BATCH * OUTPUTS), *gradient = test_floats(BATCH * OUTPUTS);
  float *d_features = test_floats(BATCH * INPUTS);
  for (size_t row = 0; row < ROWS; row += BATCH) {
    size_t rows = rows_from(row);
    ck_ok(mlp_cl_learner_forward(halves, rows, features + row * INPUTS, outputs, &test_error));
    ck_ok(task == MLP_CL_CLASSIFICATION ? mlp_cl_cross_entropy(device, rows, OUTPUTS, outputs, labels + row,
                                                               MLP_CL_MEAN, NULL, NULL, gradient, &test_error)
                                        : mlp_cl_squared_error(device, rows, OUTPUTS, outputs, targets + row * OUTPUTS,
                                                               MLP_CL_MEAN, NULL, NULL, gradient, &test_error));
    ck_ok(mlp_cl_learner_backward(halves, gradient, row % 2 == 0 ? d_features : NULL, &test_error));
    ck_ok(mlp_cl_learner_step(steps, rows, features + row * INPUTS, labels_of(task, row), targets_of(task, row), NULL,
                              &test_error));
  }
  mlp_cl_learner_destroy(halves);
  mlp_cl_learner_destroy(steps);
  ck_same_networks(own, whole);
  mlp_cl_network_destroy(own);
  mlp_cl_network_destroy(whole);
  free(outputs);
  free(gradient);
  free(d_features);
}

START_TEST(two_halves_are_a_step) {
  compare_halves(MLP_CL_CLASSIFICATION, MLP_CL_RELU, MLP_CL_SGD);
  compare_halves(MLP_CL_CLASSIFICATION, MLP_CL_SIGMOID, MLP_CL_ADAM);
  compare_halves(MLP_CL_REGRESSION, MLP_CL_LEAKY_RELU, MLP_CL_SGD);
}
END_TEST

/* The sum of the outputs of all rows, each times a factor of its own. */
static double weigh(const float *outputs, const float *factors, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)outputs[i] * (double)factors[i];
  return sum;
}

START_TEST(gradients_of_features_are_differences) {
  enum { COUNT = 3 };
  static const float step = 0x1p-6f;
  mlp_cl_network *network = make_network(MLP_CL_REGRESSION, MLP_CL_TANH);
  const mlp_cl_recipe recipe = make_recipe(MLP_CL_SGD);
  mlp_cl_learner *learner = learn(network, &recipe);
  float x[COUNT * INPUTS], outputs[COUNT * OUTPUTS], gradient[COUNT * INPUTS];
  memcpy(x, features, sizeof x);
  ck_ok(mlp_cl_learner_forward(learner, COUNT, x, outputs, &test_error));
  float again[COUNT * OUTPUTS];
  ck_ok(mlp_cl_network_predict(network, x, COUNT, again, &test_error));
  ck_same_bits(outputs, again, COUNT * OUTPUTS, "outputs");
  double wanted[COUNT * INPUTS];
  for (size_t i = 0; i < COUNT * INPUTS; i++) {
    double sums[2];
    for (int side = 0; side < 2; side++) {
      x[i] = features[i] + (side == 0 ? -step : step);
      ck_ok(mlp_cl_network_predict(network, x, COUNT, again, &test_error));
      sums[side] = weigh(again, targets, COUNT * OUTPUTS);
    }
    x[i] = features[i];
    wanted[i] = (sums[1] - sums[0]) / (2 * (double)step);
  }
  ck_ok(mlp_cl_learner_backward(learner, targets, gradient, &test_error));
  ck_alive(gradient, COUNT * INPUTS, "gradient");
  ck_close(gradient, wanted, COUNT * INPUTS, 2e-3, "gradient of the features");
  mlp_cl_learner_destroy(learner);
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(the_rate_can_be_changed) {
  mlp_cl_network *changed = make_network(MLP_CL_CLASSIFICATION, MLP_CL_RELU), *plain;
  for (int i = 0; i < 2; i++) {
    mlp_cl_recipe recipe = make_recipe(i == 0 ? MLP_CL_SGD : MLP_CL_ADAM);
    plain = make_network(MLP_CL_CLASSIFICATION, MLP_CL_RELU);
    mlp_cl_learner *learner = learn(changed, &recipe);
    recipe.learning_rate = 0.03f;
    mlp_cl_learner *wanted = learn(plain, &recipe);
    ck_ok(mlp_cl_learner_set_rate(learner, 0.03f, &test_error));
    ck_fails(mlp_cl_learner_set_rate(learner, -1.0f, &test_error), MLP_CL_BAD_ARGUMENT, "learning_rate is -1");
    ck_ok(mlp_cl_learner_step(learner, BATCH, features, labels, NULL, NULL, &test_error));
    ck_ok(mlp_cl_learner_step(wanted, BATCH, features, labels, NULL, NULL, &test_error));
    mlp_cl_learner_destroy(learner);
    mlp_cl_learner_destroy(wanted);
    ck_same_networks(changed, plain);
    mlp_cl_network_destroy(changed);
    mlp_cl_network_destroy(plain);
    changed = make_network(MLP_CL_CLASSIFICATION, MLP_CL_RELU);
  }
  mlp_cl_network_destroy(changed);
}
END_TEST

/* ---- What is refused -------------------------------------------------------------------------------------------- */

START_TEST(refuses_bad_batches_and_learns_nothing) {
  mlp_cl_network *network = make_network(MLP_CL_CLASSIFICATION, MLP_CL_RELU);
  const mlp_cl_recipe recipe = make_recipe(MLP_CL_SGD);
  mlp_cl_learner *l = learn(network, &recipe);
  float x[BATCH * INPUTS], outputs[BATCH * OUTPUTS];
  int32_t y[BATCH];
  memcpy(x, features, sizeof x);
  memcpy(y, labels, sizeof y);
  ck_fails(mlp_cl_learner_step(l, 0, x, y, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "rows is 0: give 1 to 16");
  ck_fails(mlp_cl_learner_step(l, BATCH + 1, x, y, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "rows is 17");
  ck_fails(mlp_cl_learner_step(l, 2, NULL, y, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "features is NULL");
  ck_fails(mlp_cl_learner_step(l, 2, x, NULL, targets, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "labels is NULL");
  y[1] = OUTPUTS;
  ck_fails(mlp_cl_learner_step(l, 2, x, y, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "label of row 1 is 5");
  y[1] = 0;
  x[INPUTS + 3] = NAN;
  ck_fails(mlp_cl_learner_step(l, 2, x, y, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "feature 3 of row 1 is nan");
  x[INPUTS + 3] = 0;
  ck_fails(mlp_cl_learner_backward(l, outputs, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no forward half");
  ck_ok(mlp_cl_learner_forward(l, 2, x, outputs, &test_error));
  outputs[OUTPUTS] = INFINITY;
  ck_fails(mlp_cl_learner_backward(l, outputs, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "gradient 0 of row 1 is inf");
  mlp_cl_learner_destroy(l);
  mlp_cl_learner_destroy(NULL);
  mlp_cl_network *untouched = make_network(MLP_CL_CLASSIFICATION, MLP_CL_RELU);
  ck_same_networks(network, untouched);
  mlp_cl_network_destroy(network);
  mlp_cl_network_destroy(untouched);
}
END_TEST

START_TEST(refuses_what_does_not_go_together) {
  mlp_cl_network *network = make_network(MLP_CL_MULTI_LABEL, MLP_CL_RELU);
  mlp_cl_recipe recipe = make_recipe(MLP_CL_SGD);
  mlp_cl_learner *l = NULL;
  float x[BATCH * INPUTS] = {0}, t[BATCH * OUTPUTS] = {0}, outputs[BATCH * OUTPUTS];
  recipe.batch = 0;
  ck_fails(mlp_cl_learner_create(network, &recipe, &l, &test_error), MLP_CL_BAD_ARGUMENT, "batch is 0");
  recipe.batch = UINT32_MAX;
  ck_fails(mlp_cl_learner_create(network, &recipe, &l, &test_error), MLP_CL_BAD_ARGUMENT, "give at most");
  recipe.batch = BATCH;
  recipe.label_smoothing = 0.1f;
  ck_fails(mlp_cl_learner_create(network, &recipe, &l, &test_error), MLP_CL_BAD_ARGUMENT, "are for classification");
  recipe.label_smoothing = 0;
  ck_assert_ptr_null(l);
  l = learn(network, &recipe);
  ck_fails(mlp_cl_learner_step(l, 2, x, labels, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "targets is NULL");
  t[OUTPUTS + 2] = 1.5f;
  ck_fails(mlp_cl_learner_step(l, 2, x, NULL, t, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "target 2 of row 1 is 1.5");
  t[OUTPUTS + 2] = 1;
  ck_ok(mlp_cl_learner_forward(l, 2, x, outputs, &test_error));
  ck_ok(mlp_cl_learner_step(l, 2, x, NULL, t, NULL, &test_error));
  ck_fails(mlp_cl_learner_backward(l, t, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no forward half");
  mlp_cl_learner_destroy(l);
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(tells_of_divergence) {
  mlp_cl_network *network = make_network(MLP_CL_REGRESSION, MLP_CL_RELU);
  mlp_cl_recipe recipe = make_recipe(MLP_CL_SGD);
  recipe.learning_rate = 0x1p29f;
  mlp_cl_learner *l = learn(network, &recipe);
  double loss;
  mlp_cl_status status = MLP_CL_OK;
  for (int i = 0; i < 50 && status == MLP_CL_OK; i++)
    status = mlp_cl_learner_step(l, BATCH, features, NULL, targets, &loss, &test_error);
  ck_assert_int_eq(status, MLP_CL_DIVERGED);
  ck_assert_ptr_nonnull(strstr(test_error.text, "training diverged at step "));
  float outputs[BATCH * OUTPUTS];
  ck_fails(mlp_cl_learner_forward(l, BATCH, features, outputs, &test_error), MLP_CL_DIVERGED, "diverged at step ");
  mlp_cl_learner_destroy(l);
  mlp_cl_network_destroy(network);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("learner");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, prepare, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, comes_to_the_bits_of_a_trainer);
  tcase_add_test(tests, tells_the_loss);
  tcase_add_test(tests, two_halves_are_a_step);
  tcase_add_test(tests, gradients_of_features_are_differences);
  tcase_add_test(tests, the_rate_can_be_changed);
  tcase_add_test(tests, refuses_bad_batches_and_learns_nothing);
  tcase_add_test(tests, refuses_what_does_not_go_together);
  tcase_add_test(tests, tells_of_divergence);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  return result;
}
