#include "oracle.h"

#include <math.h>
#include <stdlib.h>

#include "test.h"

void oracle_multiply(size_t m, size_t n, size_t k, const double *a, const double *b, double *c) {
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) {
      double sum = 0;
      for (size_t l = 0; l < k; l++) sum += a[i * k + l] * b[l * n + j];
      c[i * n + j] = sum;
    }
}

void oracle_transpose(size_t rows, size_t cols, const double *a, double *transposed) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < cols; j++) transposed[j * rows + i] = a[i * cols + j];
}

void oracle_from_floats(const float *values, size_t count, double *converted) {
  for (size_t i = 0; i < count; i++) converted[i] = (double)values[i];
}

static double *doubles(size_t count) {
  double *values = calloc(count, sizeof *values);
  ck_assert_msg(values != NULL, "no memory for %zu doubles", count);
  return values;
}

oracle_network *oracle_create(size_t layers, const size_t *widths, size_t rows) {
  oracle_network *net = calloc(1, sizeof *net);
  ck_assert_msg(net != NULL && layers <= ORACLE_LAYERS, "no oracle of %zu layers", layers);
  net->layers = layers;
  net->rows = rows;
  for (size_t l = 0; l <= layers; l++) net->widths[l] = widths[l];
  for (size_t l = 0; l < layers; l++) {
    size_t in = widths[l], out = widths[l + 1];
    net->weight[l] = doubles(in * out);
    net->d_weight[l] = doubles(in * out);
    net->bias[l] = doubles(out);
    net->d_bias[l] = doubles(out);
    net->keep[l] = doubles(rows * out);
    net->y[l] = doubles(rows * out);
    net->z[l] = doubles(rows * out);
    net->d_y[l] = doubles(rows * out);
    for (size_t i = 0; i < rows * out; i++) net->keep[l][i] = 1;
  }
  return net;
}

void oracle_destroy(oracle_network *net) {
  for (size_t l = 0; l < net->layers; l++) {
    double *arrays[] = {net->weight[l], net->d_weight[l], net->bias[l], net->d_bias[l],
                        net->keep[l],   net->y[l],        net->d_y[l],  net->z[l]};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  }
  free(net);
}

double oracle_softmax(size_t cols, const double *logits, double *p) {
  double max = -INFINITY, sum = 0;
  for (size_t j = 0; j < cols; j++) max = fmax(max, logits[j]);
  for (size_t j = 0; j < cols; j++) sum += p[j] = exp(logits[j] - max);
  for (size_t j = 0; j < cols; j++) p[j] /= sum;
  return max + log(sum);
}

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static const double gelu_factor = 1.5957691216057308, gelu_cubic = 0.044715;

static double activate(mlp_cl_activation kind, double x) {
  switch (kind) {
    case MLP_CL_RELU: return fmax(x, 0);
    case MLP_CL_LEAKY_RELU: return x > 0 ? x : 0.01 * x;
    case MLP_CL_TANH: return tanh(x);
    case MLP_CL_SIGMOID: return sigmoid(x);
    case MLP_CL_GELU: return 0.5 * x * (1 + tanh(gelu_factor / 2 * (x + gelu_cubic * x * x * x)));
  }
  return NAN;
}

static double slope(mlp_cl_activation kind, double x) {
  switch (kind) {
    case MLP_CL_RELU: return x > 0;
    case MLP_CL_LEAKY_RELU: return x > 0 ? 1 : 0.01;
    case MLP_CL_TANH: return 1 - tanh(x) * tanh(x);
    case MLP_CL_SIGMOID: return sigmoid(x) * sigmoid(-x);
    case MLP_CL_GELU: {
      double s = sigmoid(gelu_factor * (x + gelu_cubic * x * x * x));
      return s + x * s * (1 - s) * gelu_factor * (1 + 3 * gelu_cubic * x * x);
    }
  }
  return NAN;
}

/* The loss of one row; d gets its gradient. */
static double row_loss(const oracle_network *net, size_t row, const int32_t *labels, double *d) {
  size_t outputs = net->widths[net->layers];
  const double *x = net->y[net->layers - 1] + row * outputs;
  if (net->task == MLP_CL_CLASSIFICATION) {
    double loss = oracle_softmax(outputs, x, d) - x[labels[row]];
    d[labels[row]] -= 1;
    return loss;
  }
  double sum = 0, n = (double)outputs;
  for (size_t j = 0; j < outputs; j++) {
    double t = net->targets[row * outputs + j];
    bool squared = net->task == MLP_CL_REGRESSION;
    d[j] = squared ? 2 * (x[j] - t) / n : (sigmoid(x[j]) - t) / n;
    sum += squared ? (x[j] - t) * (x[j] - t) : fmax(x[j], 0) - x[j] * t + log1p(exp(-fabs(x[j])));
  }
  return sum / n;
}

double oracle_losses(oracle_network *net, const double *x, const int32_t *labels, double *losses) {
  for (size_t l = 0; l < net->layers; l++) {
    size_t in = net->widths[l], out = net->widths[l + 1];
    oracle_multiply(net->rows, out, in, l == 0 ? x : net->y[l - 1], net->weight[l], net->y[l]);
    for (size_t i = 0; i < net->rows * out; i++) {
      net->z[l][i] = net->y[l][i] += net->bias[l][i % out];
      if (l + 1 < net->layers) net->y[l][i] = activate(net->activation, net->z[l][i]) * net->keep[l][i];
    }
  }
  double *d = net->d_y[net->layers - 1], sum = 0;
  for (size_t i = 0; i < net->rows; i++) {
    double loss = row_loss(net, i, labels, d + i * net->widths[net->layers]);
    if (losses != NULL) losses[i] = loss;
    sum += loss;
  }
  return sum;
}

/* d_y of the layer below. */
static void backward_input(oracle_network *net, size_t l) {
  size_t in = net->widths[l], out = net->widths[l + 1];
  double *transposed = doubles(in * out);
  oracle_transpose(in, out, net->weight[l], transposed);
  oracle_multiply(net->rows, in, out, net->d_y[l], transposed, net->d_y[l - 1]);
  for (size_t i = 0; i < net->rows * in; i++)
    net->d_y[l - 1][i] *= net->keep[l - 1][i] * slope(net->activation, net->z[l - 1][i]);
  free(transposed);
}

void oracle_gradients(oracle_network *net, const double *x, const int32_t *labels, double scale) {
  size_t last = net->layers - 1, outputs = net->widths[net->layers];
  for (size_t i = 0; i < net->rows; i++) {
    double *d = net->d_y[last] + i * outputs;
    row_loss(net, i, labels, d);
    for (size_t j = 0; j < outputs; j++) d[j] *= scale;
  }
  for (size_t l = net->layers; l-- > 0;) {
    size_t in = net->widths[l], out = net->widths[l + 1];
    double *x_transposed = doubles(in * net->rows);
    oracle_transpose(net->rows, in, l == 0 ? x : net->y[l - 1], x_transposed);
    oracle_multiply(in, out, net->rows, x_transposed, net->d_y[l], net->d_weight[l]);
    free(x_transposed);
    for (size_t j = 0; j < out; j++) net->d_bias[l][j] = 0;
    for (size_t i = 0; i < net->rows * out; i++) net->d_bias[l][i % out] += net->d_y[l][i];
    if (l > 0) backward_input(net, l);
  }
}
