/* Losses against targets: known values, bits of the device against the reference, and gradients of whole networks, of
 * every activation, against an oracle in double precision whose own gradients are checked by differences. */
#include <math.h>
#include <stdlib.h>

#include "oracle.h"
#include "test.h"

static mlp_cl_context *device, *reference;

static void open_both(void) {
  if (device != NULL) return;
  device = test_open_device();
  reference = test_open_reference();
}

START_TEST(known_values) {
  const float x[] = {1, -2, 0, 3}, t[] = {0, -2, 1, 1};
  float losses[2], scores[2], d[4];
  ck_ok(mlp_cl_squared_error(device, 2, 2, x, t, MLP_CL_SUM, losses, scores, d, &test_error));
  const float squared[] = {0.5f, 2.5f}, absolute[] = {0.5f, 1.5f}, d_squared[] = {2, 0, -2, 4};
  ck_same_bits(losses, squared, 2, "squared errors");
  ck_same_bits(scores, absolute, 2, "absolute errors");
  ck_same_bits(d, d_squared, 4, "gradient");
  ck_ok(mlp_cl_squared_error(device, 2, 2, x, t, MLP_CL_MEAN, NULL, NULL, d, &test_error));
  for (int i = 0; i < 4; i++) ck_assert_float_eq(d[i], d_squared[i] / 4);

  const float labels[] = {0, 1, 1, 0.25f};
  ck_ok(mlp_cl_sigmoid_cross_entropy(device, 2, 2, x, labels, MLP_CL_MEAN, losses, scores, d, &test_error));
  const double wanted[] = {(1 + log1p(exp(-1)) + 2 + log1p(exp(-2))) / 2, (log(2.0) + 3 - 0.75 + log1p(exp(-3))) / 2};
  const double d_wanted[] = {1 / (1 + exp(-1)) / 4, (1 / (1 + exp(2)) - 1) / 4, -0.5 / 4,
                             (1 / (1 + exp(-3)) - 0.25) / 4};
  ck_close(losses, wanted, 2, 1e-6, "losses");
  ck_close(d, d_wanted, 4, 1e-7, "gradient");
  ck_assert_float_eq(scores[0], 0.0f);
  ck_assert_float_eq(scores[1], 0.0f); /* 0 is not on the side of 1 */
}
END_TEST

/* A confident logit costs nothing if right and its distance if wrong; the tail keeps its digits. */
START_TEST(far_logits) {
  const float x[] = {200, -200, 20, -1e30f}, t[] = {1, 1, 1, 0};
  float losses[4];
  ck_ok(mlp_cl_sigmoid_cross_entropy(device, 4, 1, x, t, MLP_CL_MEAN, losses, NULL, NULL, &test_error));
  const double wanted[] = {0, 200, log1p(exp(-20)), 0};
  ck_close(losses, wanted, 4, 1e-15, "losses");
}
END_TEST

START_TEST(same_bits) {
  static const size_t shapes[][2] = {{1, 1}, {1, 17}, {15, 16}, {33, 31}, {64, 3}, {257, 40}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes - (test_small() ? 3 : 0); s++)
    for (int squared = 0; squared < 2; squared++) {
      size_t rows = shapes[s][0], cols = shapes[s][1], count = rows * cols;
      float *x = test_floats(count), *t = test_floats(count), *out = test_floats(2 * (count + 2 * rows));
      float *half[] = {out, out + count + 2 * rows};
      test_random r = {.state = s};
      test_random_fill(&r, x, count, 6.0f);
      for (size_t i = 0; i < count; i++) t[i] = (float)(test_random_bits(&r) % 5) / 4.0f;
      for (int i = 0; i < 2; i++) {
        mlp_cl_context *on = i == 0 ? device : reference;
        ck_ok((squared ? mlp_cl_squared_error : mlp_cl_sigmoid_cross_entropy)(
            on, rows, cols, x, t, MLP_CL_MEAN, half[i], half[i] + rows, half[i] + 2 * rows, &test_error));
      }
      for (size_t i = 0; i < count + 2 * rows; i++) ck_assert(isfinite(half[1][i]));
      ck_same_bits(half[0], half[1], count + 2 * rows, squared ? "squared error" : "sigmoid cross-entropy");
      free(x);
      free(t);
      free(out);
    }
}
END_TEST

START_TEST(refuses_bad_targets) {
  const float x[] = {0, 0}, nan[] = {0, NAN}, two[] = {0, 2};
  float losses[2];
  ck_fails(mlp_cl_squared_error(device, 1, 2, x, nan, MLP_CL_MEAN, losses, NULL, NULL, &test_error),
           MLP_CL_BAD_ARGUMENT, "target 1 of row 0 is nan");
  ck_fails(mlp_cl_sigmoid_cross_entropy(device, 2, 1, x, two, MLP_CL_MEAN, losses, NULL, NULL, &test_error),
           MLP_CL_BAD_ARGUMENT, "target 0 of row 1 is 2");
}
END_TEST

/* ---- Whole networks ---------------------------------------------------------------------------------------------- */

enum { ROWS = 12, LAYERS = 3 };
static const size_t widths[] = {5, 7, 6, 3};

typedef struct problem {
  float x[ROWS * 5], targets[ROWS * 3];
  int32_t labels[ROWS];
  double x_double[ROWS * 5], targets_double[ROWS * 3];
} problem;

static void make_problem(problem *p, mlp_cl_task task) {
  test_random r = {.state = 77};
  test_random_fill(&r, p->x, ROWS * 5, 1.5f);
  for (size_t i = 0; i < ROWS * 3; i++)
    p->targets[i] = task == MLP_CL_REGRESSION ? (float)(test_random_bits(&r) % 17) / 8.0f - 1.0f
                                              : (float)(test_random_bits(&r) % 2);
  for (size_t i = 0; i < ROWS; i++) p->labels[i] = (int32_t)(test_random_bits(&r) % 3);
  oracle_from_floats(p->x, ROWS * 5, p->x_double);
  oracle_from_floats(p->targets, ROWS * 3, p->targets_double);
}

static oracle_network *make_oracle(const problem *p, mlp_cl_network *network) {
  oracle_network *net = oracle_create(LAYERS, widths, ROWS);
  net->activation = mlp_cl_network_activation(network);
  net->task = mlp_cl_network_task(network);
  net->targets = p->targets_double;
  for (size_t l = 0; l < LAYERS; l++) {
    float weight[64], bias[8];
    ck_ok(mlp_cl_network_get(network, l, weight, bias, &test_error));
    oracle_from_floats(weight, widths[l] * widths[l + 1], net->weight[l]);
    oracle_from_floats(bias, widths[l + 1], net->bias[l]);
  }
  return net;
}

/* Every 5th weight of every layer is moved both ways. */
static void check_oracle(oracle_network *net, const problem *p) {
  const double step = 1e-6;
  for (size_t l = 0; l < LAYERS; l++)
    for (size_t i = 0; i < widths[l] * widths[l + 1]; i += 5) {
      double kept = net->weight[l][i];
      net->weight[l][i] = kept + step;
      double above = oracle_losses(net, p->x_double, p->labels, NULL);
      net->weight[l][i] = kept - step;
      double below = oracle_losses(net, p->x_double, p->labels, NULL);
      net->weight[l][i] = kept;
      ck_assert_double_eq_tol((above - below) / (2 * step) / ROWS, net->d_weight[l][i], 1e-7);
    }
}

static mlp_cl_dataset *make_dataset(const problem *p, mlp_cl_task task) {
  mlp_cl_dataset *data = NULL;
  if (task == MLP_CL_CLASSIFICATION)
    ck_ok(mlp_cl_dataset_from_arrays(p->x, MLP_CL_FLOAT32, ROWS, 5, 1, p->labels, 3, &data, &test_error));
  else
    ck_ok(mlp_cl_dataset_from_targets(p->x, MLP_CL_FLOAT32, ROWS, 5, 1, p->targets, 3, &data, &test_error));
  return data;
}

static void check_network(mlp_cl_activation activation, mlp_cl_task task) {
  problem p;
  make_problem(&p, task);
  const mlp_cl_shape shape = {
      .widths_count = LAYERS + 1, .widths = widths, .bias = true, .activation = activation, .task = task};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(device, &shape, 3, &network, &test_error));
  mlp_cl_dataset *data = make_dataset(&p, task);
  oracle_network *net = make_oracle(&p, network);
  mlp_cl_evaluation evaluation;
  ck_ok(mlp_cl_network_evaluate(network, data, &evaluation, NULL, &test_error));
  double loss = oracle_losses(net, p.x_double, p.labels, NULL) / ROWS;
  ck_assert_double_eq_tol(evaluation.loss, loss, 1e-6);
  oracle_gradients(net, p.x_double, p.labels, 1.0 / ROWS);
  check_oracle(net, &p);
  const mlp_cl_recipe recipe = {.epochs = 1, .batch = ROWS, .learning_rate = 1.0f}; /* w - (w - g) = g */
  ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
  for (size_t l = 0; l < LAYERS; l++) {
    float weight[64], bias[8];
    ck_ok(mlp_cl_network_get(network, l, weight, bias, &test_error));
    for (size_t i = 0; i < widths[l] * widths[l + 1]; i++)
      ck_assert_double_eq_tol(net->weight[l][i] - (double)weight[i], net->d_weight[l][i], 1e-6);
    for (size_t i = 0; i < widths[l + 1]; i++)
      ck_assert_double_eq_tol(net->bias[l][i] - (double)bias[i], net->d_bias[l][i], 1e-6);
  }
  oracle_destroy(net);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}

START_TEST(gradients_agree_with_double) {
  for (int activation = test_small() ? MLP_CL_GELU : MLP_CL_RELU; activation <= MLP_CL_GELU; activation++)
    for (int task = MLP_CL_CLASSIFICATION; task <= MLP_CL_MULTI_LABEL; task++)
      check_network((mlp_cl_activation)activation, (mlp_cl_task)task);
}
END_TEST

/* One layer with weight 1 and bias 0 hands its input on. */
static mlp_cl_network *identity(mlp_cl_task task) {
  static const size_t two[] = {2, 2};
  const float weight[] = {1, 0, 0, 1};
  const mlp_cl_shape shape = {.widths_count = 2, .widths = two, .init = MLP_CL_INIT_ZERO, .task = task};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_network_set(network, 0, weight, NULL, &test_error));
  return network;
}

/* ---- Smoothed labels, weighted classes --------------------------------------------------------------------------- */

static bool keep_loss(const mlp_cl_event *event, void *user) {
  if (event->kind == MLP_CL_EVENT_EPOCH) *(double *)user = event->train_loss;
  return true;
}

/* One layer with an identity for weight and a bias of 0: the bias's gradient is the sum of the logits'. */
static void check_label_terms(mlp_cl_context *on, float smoothing, const float *weights, char receipt[65]) {
  enum { N = 5, C = 3 };
  const float x[N * C] = {1, 2, -1, 0.5f, 0, 3, -2, 1, 1, 4, -4, 0, 0, 0, 0}, one[C * C] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const float zero[C] = {0};
  const int32_t labels[N] = {0, 2, 1, 1, 0};
  const size_t square[] = {C, C};
  const mlp_cl_shape shape = {.widths_count = 2, .widths = square, .bias = true};
  mlp_cl_recipe recipe = {.epochs = 1, .batch = N, .learning_rate = 1, .label_smoothing = smoothing};
  recipe.class_weights = weights;
  recipe.class_weights_count = weights != NULL ? C : 0;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, N, C, 1, labels, C, &data, &test_error));
  ck_ok(mlp_cl_network_create(on, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_network_set(network, 0, one, zero, &test_error));
  double got_loss = 0, loss = 0, d[C] = {0};
  ck_ok(mlp_cl_train(network, data, NULL, &recipe, keep_loss, &got_loss, &test_error));
  for (size_t i = 0; i < N; i++) {
    double logits[C], p[C], weight = weights != NULL ? (double)weights[labels[i]] : 1;
    oracle_from_floats(x + i * C, C, logits);
    double log_sum = oracle_softmax(C, logits, p);
    for (size_t j = 0; j < C; j++) {
      double share = (double)smoothing / C + ((int32_t)j == labels[i] ? 1 - (double)smoothing : 0);
      loss += weight * share * (log_sum - logits[j]) / N;
      d[j] += weight * (p[j] - share) / N;
    }
  }
  float bias[C];
  ck_ok(mlp_cl_network_get(network, 0, NULL, bias, &test_error));
  ck_assert_double_eq_tol(got_loss, loss, 1e-6);
  for (size_t j = 0; j < C; j++) ck_assert_double_eq_tol(-(double)bias[j], d[j], 1e-6);
  ck_ok(mlp_cl_network_sha256(network, receipt, &test_error));
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}

START_TEST(label_terms_agree_with_double) {
  static const float weights[] = {0.5f, 2.0f, 0.0f};
  for (int i = 0; i < 3; i++) {
    char got[65], wanted[65];
    check_label_terms(device, i == 1 ? 0.0f : 0.2f, i == 0 ? NULL : weights, got);
    check_label_terms(reference, i == 1 ? 0.0f : 0.2f, i == 0 ? NULL : weights, wanted);
    ck_assert_str_eq(got, wanted);
  }
}
END_TEST

START_TEST(refuses_bad_label_terms) {
  static const float weights[] = {1, -1};
  const float x[] = {1, 2};
  const int32_t label = 1;
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, 1, 2, 1, &label, 2, &data, &test_error));
  mlp_cl_network *network = identity(MLP_CL_CLASSIFICATION);
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.label_smoothing = 1;
  ck_fails(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT,
           "label_smoothing is 1");
  recipe.label_smoothing = 0;
  recipe.class_weights = weights;
  recipe.class_weights_count = 1;
  ck_fails(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT,
           "each of the 2 outputs");
  recipe.class_weights_count = 2;
  ck_fails(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT,
           "weight of class 1 is -1");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* ---- What an evaluation tells ----------------------------------------------------------------------------------- */

START_TEST(evaluation_of_regression) {
  const float x[] = {1, 10, 2, 20, 3, 30}, t[] = {1, 12, 2, 18, 6, 30};
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_targets(x, MLP_CL_FLOAT32, 3, 2, 1, t, 2, &data, &test_error));
  mlp_cl_network *network = identity(MLP_CL_REGRESSION);
  mlp_cl_evaluation e;
  ck_ok(mlp_cl_network_evaluate(network, data, &e, NULL, &test_error));
  ck_assert_double_eq_tol(e.loss, 17.0 / 6, 1e-6); /* 4 + 4 + 9 */
  ck_assert_double_eq_tol(e.mean_absolute_error, 7.0 / 6, 1e-6);
  ck_assert_double_eq_tol(e.accuracy, 1 - 17.0 / (14 + 168), 1e-6); /* around the means 3 and 20 */
  float y[6];
  ck_ok(mlp_cl_network_predict(network, x, 3, y, &test_error));
  ck_same_bits(y, x, 6, "predictions are the outputs");
  uint64_t confusion[4];
  ck_fails(mlp_cl_network_evaluate(network, data, &e, confusion, &test_error), MLP_CL_BAD_ARGUMENT, "regression");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

START_TEST(evaluation_of_labels) {
  const float x[] = {1, -1, 2, 1, -3, -2, -1, 5}, t[] = {1, 0, 0, 1, 0, 1, 1, 1};
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_targets(x, MLP_CL_FLOAT32, 4, 2, 1, t, 2, &data, &test_error));
  mlp_cl_network *network = identity(MLP_CL_MULTI_LABEL);
  mlp_cl_evaluation e;
  uint64_t confusion[8];
  ck_ok(mlp_cl_network_evaluate(network, data, &e, confusion, &test_error));
  const uint64_t wanted[] = {1, 1, 1, 1, 1, 0, 1, 2};
  for (int i = 0; i < 8; i++) ck_assert_uint_eq(confusion[i], wanted[i]);
  ck_assert_double_eq_tol(e.accuracy, 5.0 / 8, 1e-7);
  ck_assert(isnan(e.mean_absolute_error));
  float p[8];
  ck_ok(mlp_cl_network_predict_dataset(network, data, 0, 4, p, &test_error));
  for (int i = 0; i < 8; i++) ck_assert_double_eq_tol((double)p[i], 1 / (1 + exp(-(double)x[i])), 1e-6);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

START_TEST(tasks_need_their_answers) {
  const float x[] = {1, 2}, t[] = {1, 3};
  const int32_t label = 1;
  mlp_cl_dataset *labelled = NULL, *targeted = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, 1, 2, 1, &label, 2, &labelled, &test_error));
  ck_ok(mlp_cl_dataset_from_targets(x, MLP_CL_FLOAT32, 1, 2, 1, t, 2, &targeted, &test_error));
  mlp_cl_network *classes = identity(MLP_CL_CLASSIFICATION), *numbers = identity(MLP_CL_REGRESSION);
  mlp_cl_network *labels = identity(MLP_CL_MULTI_LABEL);
  const mlp_cl_recipe recipe = mlp_cl_recipe_default();
  ck_fails(mlp_cl_train(classes, targeted, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no labels");
  ck_fails(mlp_cl_train(numbers, labelled, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no targets");
  ck_fails(mlp_cl_train(labels, targeted, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT,
           "target 1 of row 0 is 3");
  mlp_cl_network_destroy(labels);
  mlp_cl_network_destroy(numbers);
  mlp_cl_network_destroy(classes);
  mlp_cl_dataset_destroy(targeted);
  mlp_cl_dataset_destroy(labelled);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("target_loss");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_both, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, known_values);
  tcase_add_test(tests, far_logits);
  tcase_add_test(tests, same_bits);
  tcase_add_test(tests, refuses_bad_targets);
  tcase_add_test(tests, gradients_agree_with_double);
  tcase_add_test(tests, label_terms_agree_with_double);
  tcase_add_test(tests, refuses_bad_label_terms);
  tcase_add_test(tests, evaluation_of_regression);
  tcase_add_test(tests, evaluation_of_labels);
  tcase_add_test(tests, tasks_need_their_answers);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
  return result;
}
