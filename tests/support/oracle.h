/* A multilayer perceptron in double precision, in plain loops: what the product's arithmetic is held against. It shares
 * no line with it. */
#ifndef SUPPORT_ORACLE_H
#define SUPPORT_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "mlp_cl.h"

/* c (m,n) = a (m,k) · b (k,n) */
void oracle_multiply(size_t m, size_t n, size_t k, const double *a, const double *b, double *c);
/* aᵀ (cols,rows) */
void oracle_transpose(size_t rows, size_t cols, const double *a, double *transposed);
void oracle_from_floats(const float *values, size_t count, double *converted);

enum { ORACLE_LAYERS = 8 };

typedef struct oracle_network {
  size_t layers, rows;
  size_t widths[ORACLE_LAYERS + 1];
  double *weight[ORACLE_LAYERS]; /* (in, out) */
  double *bias[ORACLE_LAYERS];   /* (out), or NULL */
  /* What hidden values (rows, out) are multiplied with: 0 where dropped, else the scale. NULL without dropout. */
  double *keep[ORACLE_LAYERS];
  mlp_cl_activation activation;
  mlp_cl_task task;
  const double *targets;           /* (rows, outputs); NULL for classification */
  double *z[ORACLE_LAYERS];        /* (rows, out), before the activation: set by oracle_losses */
  double *y[ORACLE_LAYERS];        /* (rows, out): set by oracle_losses */
  double *d_y[ORACLE_LAYERS];      /* gradients: set by oracle_gradients */
  double *d_weight[ORACLE_LAYERS]; /* likewise; bias gradients are d_bias */
  double *d_bias[ORACLE_LAYERS];
} oracle_network;

/* Allocates all arrays, zeroed; bias and keep too. */
oracle_network *oracle_create(size_t layers, const size_t *widths, size_t rows);
void oracle_destroy(oracle_network *net);

/* The loss of each row: cross-entropy, or the mean over the outputs of squared errors or of sigmoid cross-entropies;
 * returns their sum. labels is NULL with targets; losses may be NULL. */
double oracle_losses(oracle_network *net, const double *x, const int32_t *labels, double *losses);
/* Gradients of scale · sum of losses, after oracle_losses on the same data. */
void oracle_gradients(oracle_network *net, const double *x, const int32_t *labels, double scale);

/* p (cols) of one row of logits; returns log(sum(exp(logits))). */
double oracle_softmax(size_t cols, const double *logits, double *p);

#endif
