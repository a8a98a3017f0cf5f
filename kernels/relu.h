/* ReLU and its derivative on a line; relu.cl runs them alone, the products in their epilogues. */
#ifndef RELU_H
#define RELU_H

#include "panel.h"

static inline line relu(line x) {
  return (x <= (line)(0.0f)) ? (line)(0.0f) : x;
}

/* The gradient before ReLU and dropout, from the gradient after them and the stored output y. Canonical as d_y is, since
 * scale >= 1. */
static inline line relu_derivative(line y, line d_y, float scale) {
  return (y > (line)(0.0f)) ? d_y * scale : (line)(0.0f);
}

#endif
