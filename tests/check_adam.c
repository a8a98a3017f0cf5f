/* Adam and AdamW: the formulas in double precision, bits of the device against the reference, and runs of both. */
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

static mlp_cl_recipe make_recipe(mlp_cl_optimiser optimiser, float decay) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.optimiser = optimiser;
  recipe.learning_rate = 0.01f;
  recipe.weight_decay = decay;
  return recipe;
}

/* What a recipe leaves to the library suits the optimiser: each learns the digits. */
START_TEST(a_recipe_suits_its_optimiser) {
  static const size_t widths[] = {64, 32, 10};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  const mlp_cl_optimiser optimisers[] = {MLP_CL_SGD, MLP_CL_ADAM, MLP_CL_ADAMW};
  mlp_cl_dataset *train = NULL, *test = NULL;
  ck_ok(mlp_cl_dataset_open("digits", &train, &test, &test_error));
  for (size_t i = 0; i < 3; i++) {
    mlp_cl_recipe recipe = mlp_cl_recipe_for(optimisers[i]);
    recipe.epochs = 7;
    mlp_cl_network *network = NULL;
    mlp_cl_evaluation reached;
    ck_assert_int_eq(recipe.optimiser, optimisers[i]);
    ck_assert_float_eq(recipe.learning_rate, i == 0 ? mlp_cl_recipe_default().learning_rate : 0.001f);
    ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
    ck_ok(mlp_cl_train(network, train, NULL, &recipe, NULL, NULL, &test_error));
    ck_ok(mlp_cl_network_evaluate(network, test, &reached, NULL, &test_error));
    ck_assert_double_gt(reached.accuracy, 0.8);
    mlp_cl_network_destroy(network);
  }
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(test);
}
END_TEST

/* As torch.optim writes it down. */
static void step_in_double(const mlp_cl_recipe *r, int t, double g, double *w, double *m, double *v) {
  double rate = (double)r->learning_rate, decay = (double)r->weight_decay;
  double beta1 = (double)r->beta1, beta2 = (double)r->beta2;
  if (r->optimiser == MLP_CL_ADAMW)
    *w *= 1 - rate * decay;
  else
    g += decay * *w;
  *m += (1 - beta1) * (g - *m);
  *v = beta2 * *v + (1 - beta2) * g * g;
  *w -= rate / (1 - pow(beta1, t)) * *m / (sqrt(*v) / sqrt(1 - pow(beta2, t)) + (double)r->epsilon);
}

/* Gradients from 1 down to 10^-9, whose squares float32 tensors with floors could not hold. */
START_TEST(agrees_with_double) {
  enum { COUNT = 40, STEPS = 30 };
  for (int kind = 0; kind < 4; kind++) {
    const mlp_cl_recipe recipe = make_recipe(kind < 2 ? MLP_CL_ADAM : MLP_CL_ADAMW, kind % 2 == 0 ? 0.0f : 0.01f);
    float g[COUNT], w[COUNT], m[COUNT] = {0}, s[COUNT] = {0};
    double w_exact[COUNT], m_exact[COUNT] = {0}, v_exact[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) w_exact[i] = (double)(w[i] = (float)(i - 20) * 0.1f);
    for (int t = 1; t <= STEPS; t++) {
      for (int i = 0; i < COUNT; i++) {
        g[i] = (float)(sin(t * 1.7 + i) * pow(10, -(i % 10)));
        step_in_double(&recipe, t, (double)g[i], &w_exact[i], &m_exact[i], &v_exact[i]);
      }
      ck_ok(mlp_cl_adam(device, 4, 10, &recipe, (uint32_t)t, g, w, m, s, &test_error));
    }
    ck_close(w, w_exact, COUNT, 2e-6, "weights");
    for (int i = 0; i < COUNT; i++) {
      ck_assert_double_eq_tol((double)m[i] / m_exact[i], 1, 1e-4);
      ck_assert_double_eq_tol((double)s[i] / sqrt(v_exact[i]), 1, 1e-5);
    }
  }
}
END_TEST

START_TEST(same_bits) {
  static const size_t shapes[][2] = {{1, 1}, {1, 17}, {15, 16}, {33, 31}, {64, 10}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int kind = 0; kind < 2; kind++) {
      const mlp_cl_recipe recipe = make_recipe(kind == 0 ? MLP_CL_ADAM : MLP_CL_ADAMW, 0.1f);
      size_t rows = shapes[s][0], cols = shapes[s][1], count = rows * cols;
      float *g = test_floats(count), *both = calloc(6 * count, sizeof *both);
      float *got = both, *wanted = both + 3 * count;
      test_random r = {.state = s};
      test_random_fill(&r, got, count, 1.0f);
      memcpy(wanted, got, count * sizeof *got);
      for (uint32_t t = 1; t < 4; t++) {
        test_random_fill(&r, g, count, 0.1f);
        for (int i = 0; i < 2; i++) {
          float *of = i == 0 ? got : wanted;
          ck_ok(mlp_cl_adam(i == 0 ? device : reference, rows, cols, &recipe, t, g, of, of + count, of + 2 * count,
                            &test_error));
        }
      }
      ck_alive(wanted, 3 * count, "weights and state");
      ck_same_bits(got, wanted, 3 * count, "adam");
      free(g);
      free(both);
    }
}
END_TEST

/* Roots and ratios of usual numbers are short; one that is not among them must not take that way. */
START_TEST(large_numbers) {
  enum { COUNT = 17 };
  const mlp_cl_recipe recipe = make_recipe(MLP_CL_ADAM, 0.0f);
  const float large[] = {0x1p29f, 0x1p31f, 0x1p36f, 0x1p50f, 0x1p62f};
  for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
    float g[COUNT], both[2][3][COUNT];
    test_random r = {.state = i};
    test_random_fill(&r, g, COUNT, 1.0f);
    test_random_fill(&r, both[0][0], 3 * COUNT, 1.0f);
    for (size_t j = 0; j < COUNT; j++) both[0][2][j] = fabsf(both[0][2][j]);
    g[COUNT - 1] = large[i];
    memcpy(both[1], both[0], sizeof both[0]);
    for (int k = 0; k < 2; k++)
      ck_ok(mlp_cl_adam(k == 0 ? device : reference, 1, COUNT, &recipe, 2, g, both[k][0], both[k][1], both[k][2],
                        &test_error));
    ck_same_bits(both[0][0], both[1][0], 3 * COUNT, "adam of a large gradient");
  }
}
END_TEST

/* A tenth of the gradient lies below the floor of state, of the root of its square all the more. */
START_TEST(state_is_canonical) {
  const mlp_cl_recipe recipe = make_recipe(MLP_CL_ADAM, 0.1f);
  const float gradient = 0x1p-48f, zero = 0.0f;
  float weight = 0.0f, moment = 0.0f, rms = 0.0f;
  ck_ok(mlp_cl_adam(device, 1, 1, &recipe, 1, &gradient, &weight, &moment, &rms, &test_error));
  ck_same_bits(&moment, &zero, 1, "moment");
  ck_same_bits(&rms, &zero, 1, "rms");
}
END_TEST

/* ---- Runs ------------------------------------------------------------------------------------------------------- */

static void run_on(mlp_cl_context *on, mlp_cl_optimiser optimiser, char receipt[65], double *accuracy) {
  static const size_t widths[] = {64, 24, 10};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true, .activation = MLP_CL_TANH};
  mlp_cl_recipe recipe = make_recipe(optimiser, 0.01f);
  recipe.epochs = test_small() ? 1 : 3;
  recipe.dropout = 0.1f;
  mlp_cl_dataset *data = NULL, *test = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_evaluation evaluation;
  ck_ok(mlp_cl_dataset_open("digits", &data, &test, &test_error));
  ck_ok(mlp_cl_network_create(on, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_train(network, data, NULL, &recipe, NULL, NULL, &test_error));
  ck_ok(mlp_cl_network_sha256(network, receipt, &test_error));
  ck_ok(mlp_cl_network_evaluate(network, test, &evaluation, NULL, &test_error));
  *accuracy = evaluation.accuracy;
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(test);
  mlp_cl_dataset_destroy(data);
}

START_TEST(runs_are_identical_and_learn) {
  for (int optimiser = test_small() ? MLP_CL_ADAMW : MLP_CL_ADAM; optimiser <= MLP_CL_ADAMW; optimiser++) {
    char got[65], wanted[65];
    double accuracy;
    run_on(device, (mlp_cl_optimiser)optimiser, got, &accuracy);
    run_on(reference, (mlp_cl_optimiser)optimiser, wanted, &accuracy);
    ck_assert_str_eq(got, wanted);
    ck_assert_double_gt(accuracy, test_small() ? 0.7 : 0.9);
  }
}
END_TEST

START_TEST(refuses_bad_recipes) {
  float g = 1, w = 1, m = 0, s = 0;
  mlp_cl_recipe recipe = make_recipe(MLP_CL_ADAM, 0);
  ck_fails(mlp_cl_adam(device, 1, 1, &recipe, 0, &g, &w, &m, &s, &test_error), MLP_CL_BAD_ARGUMENT, "step is 0");
  recipe.epsilon = 0;
  ck_fails(mlp_cl_adam(device, 1, 1, &recipe, 1, &g, &w, &m, &s, &test_error), MLP_CL_BAD_ARGUMENT, "epsilon is 0");
  recipe = make_recipe(MLP_CL_ADAM, 0);
  recipe.beta2 = 1;
  ck_fails(mlp_cl_adam(device, 1, 1, &recipe, 1, &g, &w, &m, &s, &test_error), MLP_CL_BAD_ARGUMENT, "beta2 is 1");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("adam");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_both, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, agrees_with_double);
  tcase_add_test(tests, same_bits);
  tcase_add_test(tests, large_numbers);
  tcase_add_test(tests, state_is_canonical);
  tcase_add_test(tests, runs_are_identical_and_learn);
  tcase_add_test(tests, a_recipe_suits_its_optimiser);
  tcase_add_test(tests, refuses_bad_recipes);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
  return result;
}
