/* From a recipe's numbers to arguments of operations, whose ranges are checked here and nowhere else. */
#ifndef BACKEND_HYPERPARAMETERS_H
#define BACKEND_HYPERPARAMETERS_H

#include "backend/backend.h"

/* Reads learning_rate, momentum, nesterov and weight_decay. Errors: BAD_ARGUMENT (names the field and its range). */
mlp_cl_status sgd_from_recipe(const mlp_cl_recipe *recipe, sgd *update, mlp_cl_error *error);

/* Sets threshold and scale and zeroes the rest. The threshold is round(rate · 2^32), half away from zero; the scale is
 * 2^32 / (2^32 - threshold), divided in double and then rounded to float, both correctly rounded everywhere.
 * Errors: BAD_ARGUMENT. */
mlp_cl_status dropout_from_rate(float rate, bool unscaled, dropout *mask, mlp_cl_error *error);

/* Reads learning_rate, beta1, beta2, epsilon, weight_decay and the optimiser. Errors: BAD_ARGUMENT. */
mlp_cl_status adam_from_recipe(const mlp_cl_recipe *recipe, adam_rates *rates, mlp_cl_error *error);
/* The rule of step number t, from 1. Powers are whole_power's; what is then rounded to float is learning_rate / (1 -
 * beta1^t), 1 / exact_sqrt((float)(1 - beta2^t)), 1 - beta1, 1 - beta2 and 1 - learning_rate · weight_decay. */
adam adam_of_step(const adam_rates *rates, uint64_t t);

/* Error: BAD_ARGUMENT. */
mlp_cl_status clip_norm_from_recipe(const mlp_cl_recipe *recipe, float *clip_norm, mlp_cl_error *error);
/* Checks label_smoothing and class_weights; whether there is either. Error: BAD_ARGUMENT. */
mlp_cl_status label_terms_from_recipe(const mlp_cl_recipe *recipe, size_t outputs, bool *has_terms,
                                      mlp_cl_error *error);

/* By squaring: the same products in double on every host. */
double whole_power(double base, uint64_t exponent);

/* Of cross_entropy: 1 / rows for the mean, 1 for the sum. Of target_loss: (2 for squared errors, 1 else) · (1 / (rows ·
 * outputs) for the mean, 1 for the sum). */
float loss_scale(mlp_cl_task task, bool mean, size_t rows, size_t outputs);

#endif
