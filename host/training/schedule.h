/* The learning rate of a step: a function of recipe and step alone, the same on every host. */
#ifndef TRAINING_SCHEDULE_H
#define TRAINING_SCHEDULE_H

#include "base/error.h"
#include "mlp_cl.h"

/* Reads schedule, decay_epochs, decay_factor and warmup_epochs. Errors: BAD_ARGUMENT (names the field and its
 * range). */
mlp_cl_status schedule_check(const mlp_cl_recipe *recipe, mlp_cl_error *error);

/* The rate of step `step`, from 0: what mlp_cl_recipe says, in double, then rounded to float; 0 below 2^-30. cos is a
 * sum of products. */
float schedule_rate(const mlp_cl_recipe *recipe, size_t epoch_steps, uint64_t step);

/* True while the rate changes from step to step, and not from epoch to epoch. */
bool schedule_warms_up(const mlp_cl_recipe *recipe, size_t epoch_steps, uint64_t step);

#endif
