/* Batches and a loss of one's own: numbers that come as a stream, each seen once, one in twenty of them wrong by far. A
 * Huber loss forgives those, where squares would not. Usage: own_batches [DEVICE] */
#include <math.h>
#include <mlp_cl.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 64, STEPS = 3000 };

static float uniform(void) {
  return (float)rand() / (float)RAND_MAX;
}

static float truth(float x) {
  return sinf(3.0f * x) + 0.3f * x;
}

static void draw(float *x, float *y) {
  for (int i = 0; i < BATCH; i++) {
    x[i] = 4.0f * uniform() - 2.0f;
    y[i] = rand() % 20 == 0 ? 30.0f : truth(x[i]) + 0.1f * (uniform() - 0.5f);
  }
}

/* The gradient of the mean of a loss that is a square near 0 and a line from ±1 on. */
static void huber(const float *outputs, const float *wanted, float *gradient) {
  for (int i = 0; i < BATCH; i++) gradient[i] = fmaxf(-1.0f, fminf(1.0f, outputs[i] - wanted[i])) / BATCH;
}

static mlp_cl_status run(mlp_cl_learner *learner, mlp_cl_error *error) {
  float x[BATCH], y[BATCH], outputs[BATCH], gradient[BATCH];
  mlp_cl_status status = MLP_CL_OK;
  for (int step = 0; step < STEPS && status == MLP_CL_OK; step++) {
    draw(x, y);
    if (step == STEPS * 2 / 3) status = mlp_cl_learner_set_rate(learner, 0.001f, error);
    if (status == MLP_CL_OK) status = mlp_cl_learner_forward(learner, BATCH, x, outputs, error);
    huber(outputs, y, gradient);
    if (status == MLP_CL_OK) status = mlp_cl_learner_backward(learner, gradient, NULL, error);
  }
  return status;
}

static mlp_cl_status judge(mlp_cl_network *network, mlp_cl_error *error) {
  float x[BATCH], outputs[BATCH], worst = 0;
  for (int i = 0; i < BATCH; i++) x[i] = 4.0f * (float)i / (BATCH - 1) - 2.0f;
  mlp_cl_status status = mlp_cl_network_predict(network, x, BATCH, outputs, error);
  if (status != MLP_CL_OK) return status;
  for (int i = 0; i < BATCH; i++) worst = fmaxf(worst, fabsf(outputs[i] - truth(x[i])));
  printf("after %d steps off by %.2f at most\n", STEPS, (double)worst);
  return MLP_CL_OK;
}

int main(int argc, char **argv) {
  static const size_t widths[] = {1, 64, 64, 1};
  const mlp_cl_shape shape = {
      .widths_count = 4, .widths = widths, .bias = true, .activation = MLP_CL_TANH, .task = MLP_CL_REGRESSION};
  mlp_cl_recipe recipe = mlp_cl_recipe_for(MLP_CL_ADAM);
  recipe.batch = BATCH;
  recipe.learning_rate = 0.005f;
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_learner *learner = NULL;
  mlp_cl_status status = mlp_cl_context_create(argc > 1 ? argv[1] : NULL, NULL, &context, &error);
  if (status == MLP_CL_OK) status = mlp_cl_network_create(context, &shape, 1, &network, &error);
  if (status == MLP_CL_OK) status = mlp_cl_learner_create(network, &recipe, &learner, &error);
  if (status == MLP_CL_OK) status = run(learner, &error);
  if (status == MLP_CL_OK) status = judge(network, &error);
  if (status != MLP_CL_OK) fprintf(stderr, "own_batches: %s\n", error.text);
  mlp_cl_learner_destroy(learner);
  mlp_cl_network_destroy(network);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? 0 : 1;
}
