/* What the parts of a validation share. */
#ifndef VALIDATION_VALIDATION_H
#define VALIDATION_VALIDATION_H

#include "context/trial.h"
#include "mlp_cl.h"

typedef struct validation {
  mlp_cl_context *tested, *reference;
  bool quick;
  uint64_t tolerance;
} validation;

/* Adds a result to a check; `where` goes into the text of its first mismatch. */
void validation_add(mlp_cl_check *check, const trial_result *result, const char *where);

/* The number of training runs, and one of them: the same recipe on both contexts. Compares all parameters, the
 * metrics of each epoch and predictions. */
size_t validation_runs(const validation *v);
mlp_cl_status validation_check_run(const validation *v, size_t i, mlp_cl_check *check, mlp_cl_error *error);

#endif
