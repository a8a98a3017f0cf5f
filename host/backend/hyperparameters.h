/* From a recipe's numbers to arguments of operations: the ranges are checked here and nowhere else. */
#ifndef BACKEND_HYPERPARAMETERS_H
#define BACKEND_HYPERPARAMETERS_H

#include "backend/backend.h"

/* Reads learning_rate, momentum, nesterov and weight_decay. Errors: BAD_ARGUMENT (names the field and its range). */
mlp_cl_status sgd_from_recipe(const mlp_cl_recipe *recipe, sgd *update, mlp_cl_error *error);

/* Sets threshold and scale and zeroes the rest. The threshold is round(rate · 2^32), half away from zero; the scale is
 * 2^32 / (2^32 - threshold), divided in double and then rounded to float, both correctly rounded everywhere.
 * Errors: BAD_ARGUMENT. */
mlp_cl_status dropout_from_rate(float rate, bool unscaled, dropout *mask, mlp_cl_error *error);

/* Of target_loss: (2 for squared errors, 1 else) · (1 / (rows · outputs) for the mean, 1 for the sum). */
float target_loss_scale(mlp_cl_task task, bool mean, size_t rows, size_t outputs);

#endif
