/* A trained network inside a loop that must not allocate: a controller, an audio callback, a game. The first prediction
 * of as many rows as the loop will ever ask for makes all buffers; those after it allocate nothing in the library (an
 * OpenCL driver may do as it likes). Usage: inference_loop [DEVICE [MODEL]]; without a model it makes an untrained
 * network. */
#include <mlp_cl.h>
#include <stdio.h>
#include <time.h>

enum { INPUTS = 8, ACTIONS = 3, TICKS = 2000 };

static mlp_cl_status make_network(mlp_cl_context *context, const char *model, mlp_cl_network **network,
                                  mlp_cl_error *error) {
  static const size_t widths[] = {INPUTS, 32, ACTIONS};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true, .init = MLP_CL_INIT_HE};
  if (model == NULL) return mlp_cl_network_create(context, &shape, 1, network, error);
  return mlp_cl_network_load(context, model, network, NULL, error);
}

/* What this loop can use: a network that takes INPUTS values and chooses among ACTIONS. */
static mlp_cl_status check(const mlp_cl_network *network, mlp_cl_error *error) {
  size_t inputs = mlp_cl_network_width(network, 0);
  size_t outputs = mlp_cl_network_width(network, mlp_cl_network_layers(network));
  if (inputs == INPUTS && outputs == ACTIONS) return MLP_CL_OK;
  error->status = MLP_CL_BAD_SHAPE;
  snprintf(error->text, sizeof error->text, "the network is %zu to %zu wide, not %d to %d", inputs, outputs, INPUTS,
           ACTIONS);
  return error->status;
}

/* Stands for what the loop would read from outside. */
static void read_sensors(int tick, float sensors[INPUTS]) {
  for (int i = 0; i < INPUTS; i++) sensors[i] = (float)((tick * (i + 3)) % 17) / 17.0f;
}

static mlp_cl_status loop(mlp_cl_network *network, mlp_cl_error *error) {
  float sensors[INPUTS] = {0}, chances[ACTIONS];
  mlp_cl_status status = mlp_cl_network_predict(network, sensors, 1, chances, error); /* makes the buffers */
  int counts[ACTIONS] = {0};
  clock_t began = clock();
  for (int tick = 0; status == MLP_CL_OK && tick < TICKS; tick++) {
    read_sensors(tick, sensors);
    status = mlp_cl_network_predict(network, sensors, 1, chances, error);
    int best = 0;
    for (int i = 1; i < ACTIONS; i++) best = chances[i] > chances[best] ? i : best;
    counts[best]++;
  }
  double us = (double)(clock() - began) / CLOCKS_PER_SEC / TICKS * 1e6;
  if (status == MLP_CL_OK)
    printf("actions %d %d %d, %.1f us of processor time a tick\n", counts[0], counts[1], counts[2], us);
  return status;
}

int main(int argc, char **argv) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_status status = mlp_cl_context_create(argc > 1 ? argv[1] : NULL, NULL, &context, &error);
  if (status == MLP_CL_OK) status = make_network(context, argc > 2 ? argv[2] : NULL, &network, &error);
  if (status == MLP_CL_OK) status = check(network, &error);
  if (status == MLP_CL_OK) status = loop(network, &error);
  if (status != MLP_CL_OK) fprintf(stderr, "inference_loop: %s\n", error.text);
  mlp_cl_network_destroy(network);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? 0 : 1;
}
