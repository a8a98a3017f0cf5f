/* A whole network: its gradients against finite differences of the oracle. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exact_math.h"
#include "tools.h"

enum { NET_LAYERS = 3, NET_ROWS = 7 };
static const size_t net_widths[] = {5, 17, 4, 3};
static const int32_t net_labels[NET_ROWS] = {0, 1, 2, 2, 1, 0, 1};

typedef struct small_network {
  tensor *x, *weight[NET_LAYERS], *bias[NET_LAYERS], *y[NET_LAYERS], *d_y[NET_LAYERS];
  tensor *d_weight[NET_LAYERS], *d_bias[NET_LAYERS], *losses, *predictions;
  dropout mask[NET_LAYERS];
  oracle_network *oracle;
  double *oracle_x;
} small_network;

static void copy_to_oracle(const tensor *t, double *target) {
  double *values = read_doubles(t);
  memcpy(target, values, t->rows * t->cols * sizeof *target);
  free(values);
}

static small_network new_small_network(void) {
  small_network net = {.oracle = oracle_create(NET_LAYERS, net_widths, NET_ROWS)};
  net.x = new_random(TENSOR_ACTIVATION, NET_ROWS, net_widths[0], 1.0f);
  net.oracle_x = read_doubles(net.x);
  net.losses = new_float(TENSOR_PLAIN, 1, NET_ROWS, NULL);
  net.predictions = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, NET_ROWS, NULL);
  for (size_t l = 0; l < NET_LAYERS; l++) {
    size_t in = net_widths[l], out = net_widths[l + 1];
    net.weight[l] = new_random(TENSOR_WEIGHT, in, out, 1.0f);
    net.bias[l] = new_random(TENSOR_WEIGHT, 1, out, 0.5f);
    net.y[l] = new_float(TENSOR_ACTIVATION, NET_ROWS, out, NULL);
    net.d_y[l] = new_float(TENSOR_GRADIENT, NET_ROWS, out, NULL);
    net.d_weight[l] = new_float(TENSOR_GRADIENT, in, out, NULL);
    net.d_bias[l] = new_float(TENSOR_GRADIENT, 1, out, NULL);
    net.mask[l] = (dropout){.threshold = 0x40000000u, .scale = 0x1.555556p0f, .seed = 5, .layer = (uint32_t)l};
    copy_to_oracle(net.weight[l], net.oracle->weight[l]);
    copy_to_oracle(net.bias[l], net.oracle->bias[l]);
    for (size_t i = 0; i < NET_ROWS * out; i++)
      net.oracle->keep[l][i] = kept(&net.mask[l], i / out, i % out, out) ? (double)net.mask[l].scale : 0;
  }
  return net;
}

static void run_small_network(small_network *net) {
  for (size_t l = 0; l < NET_LAYERS; l++) {
    bool hidden = l + 1 < NET_LAYERS;
    dense_forward call = {.rows = NET_ROWS,
                          .x = l == 0 ? net->x : net->y[l - 1],
                          .weight = net->weight[l],
                          .bias = net->bias[l],
                          .relu = hidden,
                          .dropout = hidden ? &net->mask[l] : NULL,
                          .y = net->y[l]};
    ck_ok(device->op->dense_forward(device, &call, &test_error));
  }
  cross_entropy loss = {.rows = NET_ROWS,
                        .logits = net->y[NET_LAYERS - 1],
                        .labels = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, NET_ROWS, net_labels),
                        .scale = 1.0f / NET_ROWS,
                        .losses = net->losses,
                        .predictions = net->predictions,
                        .d_logits = net->d_y[NET_LAYERS - 1]};
  ck_ok(device->op->cross_entropy(device, &loss, &test_error));
  for (size_t l = NET_LAYERS; l-- > 0;) {
    dense_backward_weight weight = {.rows = NET_ROWS,
                                    .x = l == 0 ? net->x : net->y[l - 1],
                                    .d_y = net->d_y[l],
                                    .d_weight = net->d_weight[l],
                                    .d_bias = net->d_bias[l]};
    ck_ok(device->op->dense_backward_weight(device, &weight, 1, &test_error));
    if (l == 0) break;
    dense_backward_input input = {.rows = NET_ROWS,
                                  .d_y = net->d_y[l],
                                  .weight = net->weight[l],
                                  .y = net->y[l - 1],
                                  .scale = net->mask[l - 1].scale,
                                  .d_x = net->d_y[l - 1]};
    ck_ok(device->op->dense_backward_input(device, &input, &test_error));
  }
}

/* (loss(p + h) - loss(p - h)) / 2h of the mean loss, for each of `count` parameters. */
static void check_differences(small_network *net, double *parameters, const tensor *gradient, const char *what) {
  static const double h = 1e-6;
  size_t count = gradient->rows * gradient->cols;
  double *slopes = malloc(count * sizeof *slopes);
  for (size_t i = 0; i < count; i++) {
    double kept_value = parameters[i];
    parameters[i] = kept_value + h;
    double above = oracle_losses(net->oracle, net->oracle_x, net_labels, NULL);
    parameters[i] = kept_value - h;
    double below = oracle_losses(net->oracle, net->oracle_x, net_labels, NULL);
    parameters[i] = kept_value;
    slopes[i] = (above - below) / (2 * h * NET_ROWS);
  }
  close_tensor(gradient, slopes, 2e-6, what);
  free(slopes);
}

START_TEST(gradients_of_a_network) {
  small_network net = new_small_network();
  run_small_network(&net);
  double losses[NET_ROWS];
  oracle_losses(net.oracle, net.oracle_x, net_labels, losses);
  close_tensor(net.losses, losses, 2e-6, "losses");
  oracle_gradients(net.oracle, net.oracle_x, net_labels, 1.0 / NET_ROWS);
  for (size_t l = 0; l < NET_LAYERS; l++) {
    close_tensor(net.y[l], net.oracle->y[l], 2e-6, "outputs");
    close_tensor(net.d_weight[l], net.oracle->d_weight[l], 1e-6, "weight gradient");
    close_tensor(net.d_bias[l], net.oracle->d_bias[l], 1e-6, "bias gradient");
    float *gradient = read_floats(net.d_weight[l]);
    ck_alive(gradient, net_widths[l] * net_widths[l + 1], "weight gradient");
    free(gradient);
  }
  for (size_t l = 0; l < NET_LAYERS; l++) {
    check_differences(&net, net.oracle->weight[l], net.d_weight[l], "finite differences, weight");
    check_differences(&net, net.oracle->bias[l], net.d_bias[l], "finite differences, bias");
  }
  oracle_destroy(net.oracle);
  free(net.oracle_x);
}
END_TEST

void add_gradients(TCase *cases) {
  tcase_add_test(cases, gradients_of_a_network);
}
