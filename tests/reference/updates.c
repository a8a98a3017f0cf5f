/* Updates of parameters by SGD. */
#include <math.h>
#include <stdlib.h>

#include "exact_math.h"
#include "tools.h"

START_TEST(sgd_variants) {
  static const sgd variants[] = {
      {.learning_rate = 0.1f},
      {.learning_rate = 0.1f, .weight_decay = 0.01f},
      {.learning_rate = 0.1f, .momentum = 0.9f},
      {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f},
      {.learning_rate = 0.1f, .momentum = 0.9f, .nesterov = true},
      {.learning_rate = 0.1f, .momentum = 0.9f, .nesterov = true, .weight_decay = 0.01f},
  };
  const sgd *u = &variants[_i];
  size_t rows = 17, cols = 5, count = rows * cols;
  tensor *w = new_random(TENSOR_WEIGHT, rows, cols, 1.0f), *g = new_random(TENSOR_GRADIENT, rows, cols, 1.0f);
  tensor *v = u->momentum != 0 ? new_float(TENSOR_STATE, rows, cols, NULL) : NULL;
  if (v != NULL) ck_ok(device->op->tensor_zero(device, v, &test_error));
  double *wanted = read_doubles(w), *gradient = read_doubles(g), *velocity = calloc(count, sizeof *velocity);
  for (size_t step = 0; step < 3; step++) {
    ck_ok(device->op->sgd(device, u, g, w, v, NULL, 0, &test_error));
    for (size_t i = 0; i < count; i++) {
      double d = gradient[i] + (double)u->weight_decay * wanted[i];
      velocity[i] = (double)u->momentum * velocity[i] + d;
      if (u->momentum != 0) d = u->nesterov ? d + (double)u->momentum * velocity[i] : velocity[i];
      wanted[i] -= (double)u->learning_rate * d;
    }
    close_tensor(w, wanted, 1e-6, "weight");
    if (v != NULL) close_tensor(v, velocity, 1e-6, "velocity");
  }
  free(wanted);
  free(gradient);
  free(velocity);
}
END_TEST

void add_updates(TCase *cases) {
  tcase_add_loop_test(cases, sgd_variants, 0, 6);
}
