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
    net->d_y[l] = doubles(rows * out);
    for (size_t i = 0; i < rows * out; i++) net->keep[l][i] = 1;
  }
  return net;
}

void oracle_destroy(oracle_network *net) {
  for (size_t l = 0; l < net->layers; l++) {
    double *arrays[] = {net->weight[l], net->d_weight[l], net->bias[l], net->d_bias[l],
                        net->keep[l],   net->y[l],        net->d_y[l]};
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

double oracle_losses(oracle_network *net, const double *x, const int32_t *labels, double *losses) {
  for (size_t l = 0; l < net->layers; l++) {
    size_t in = net->widths[l], out = net->widths[l + 1];
    oracle_multiply(net->rows, out, in, l == 0 ? x : net->y[l - 1], net->weight[l], net->y[l]);
    for (size_t i = 0; i < net->rows * out; i++) {
      net->y[l][i] += net->bias[l][i % out];
      if (l + 1 < net->layers) net->y[l][i] = fmax(net->y[l][i], 0) * net->keep[l][i];
    }
  }
  size_t classes = net->widths[net->layers];
  const double *logits = net->y[net->layers - 1];
  double *p = net->d_y[net->layers - 1], sum = 0;
  for (size_t i = 0; i < net->rows; i++) {
    double loss =
        oracle_softmax(classes, logits + i * classes, p + i * classes) - logits[i * classes + (size_t)labels[i]];
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
  for (size_t i = 0; i < net->rows * in; i++) net->d_y[l - 1][i] *= net->y[l - 1][i] > 0 ? net->keep[l - 1][i] : 0;
  free(transposed);
}

void oracle_gradients(oracle_network *net, const double *x, const int32_t *labels, double scale) {
  size_t last = net->layers - 1, classes = net->widths[net->layers];
  for (size_t i = 0; i < net->rows; i++) {
    double *d = net->d_y[last] + i * classes;
    oracle_softmax(classes, net->y[last] + i * classes, d);
    d[labels[i]] -= 1;
    for (size_t j = 0; j < classes; j++) d[j] *= scale;
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
