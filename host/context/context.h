/* A context: one opened backend and the self-test's verdict on it. */
#ifndef CONTEXT_CONTEXT_H
#define CONTEXT_CONTEXT_H

#include "backend/backend.h"

struct mlp_cl_context {
  backend *backend;
  bool allow_inexact;
  uint64_t proven;         /* one bit for each of seldom_trials */
  char *fallback;          /* why the plain kernels are used; owned; NULL when they are not, or were asked for */
  const char *broken_rule; /* of the numerics contract; NULL when the self-test passed */
};

/* Runs the seldom trials whose names hold the word, unless they have passed on this context: kernels that most runs do
 * without are proven on their first use. Errors: INEXACT (unless allowed), and those of operations. */
mlp_cl_status context_prove(mlp_cl_context *context, const char *word, mlp_cl_error *error);

#endif
