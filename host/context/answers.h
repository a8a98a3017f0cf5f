/* What rows are to be answered with, when a program brings it in arrays. `what` begins the text of an error. */
#ifndef CONTEXT_ANSWERS_H
#define CONTEXT_ANSWERS_H

#include "base/error.h"
#include "mlp_cl.h"

/* Error: BAD_ARGUMENT, naming a row whose label is not in 0 … classes - 1. */
mlp_cl_status answers_check_labels(const char *what, const int32_t *labels, size_t rows, size_t classes,
                                   mlp_cl_error *error);
/* targets (rows, cols). Error: BAD_ARGUMENT, naming one that is not finite or, but for regression, not in 0 … 1. */
mlp_cl_status answers_check_targets(const char *what, mlp_cl_task task, const float *targets, size_t rows, size_t cols,
                                    mlp_cl_error *error);

#endif
