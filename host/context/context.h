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
  char verdict_key[65];    /* in the cache */
  double first_step_s;     /* when training was first begun; 0: not yet */
  bool impatient;          /* whole steps are proven at once, since nothing can be remembered */
};

/* Runs the seldom trials whose names hold the word, unless they have passed on this context: kernels that most runs do
 * without are proven on their first use. Errors: INEXACT (unless allowed), and those of operations. */
mlp_cl_status context_prove(mlp_cl_context *context, const char *word, mlp_cl_error *error);

/* Lets whole training steps be taken, when they have proven to be exact: at once, or after some seconds of training
 * where proving them takes as long. Before each training step. Errors: as context_prove. */
mlp_cl_status context_prove_steps(mlp_cl_context *context, bool at_once, mlp_cl_error *error);
/* Notes that the device breaks a rule or operation. Error: INEXACT, unless allowed. */
mlp_cl_status context_break(mlp_cl_context *context, const char *broken, mlp_cl_error *error);

#endif
