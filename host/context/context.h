/* A context: one opened backend and the self-test's verdict on it. */
#ifndef CONTEXT_CONTEXT_H
#define CONTEXT_CONTEXT_H

#include "backend/backend.h"

/* When whole steps are worth their kernel. */
typedef struct steps_patience {
  double first_step_s; /* when training by such steps was first begun; 0: not yet */
  double worth_s;      /* so long after it; 0 where nothing can be remembered */
} steps_patience;

extern const char *const step_kind_names[STEP_KINDS];

struct mlp_cl_context {
  backend *backend;
  bool allow_inexact;
  double pass_s;           /* of a pass's launches, at least: rows that the host predicts in less stay there */
  uint64_t proven;         /* one bit for each of seldom_trials */
  char *fallback;          /* why the plain kernels are used; owned; NULL when they are not, or were asked for */
  const char *broken_rule; /* of the numerics contract, the first that was found; NULL: none */
  char verdict_key[65];    /* what all verdicts on this device depend on */
  steps_patience steps[STEP_KINDS];
};

/* Proves the device for what every run needs, with the kernels that were asked for (or NULL).
 * Errors: INEXACT (unless allowed), and those of operations. */
mlp_cl_status context_prove_device(mlp_cl_context *context, const char *kernels, mlp_cl_error *error);
/* Runs the seldom trials whose names hold the word, unless they have passed: operations that most runs do without are
 * proven on their first use. Errors: as context_prove_device. */
mlp_cl_status context_prove(mlp_cl_context *context, const char *word, mlp_cl_error *error);
/* Lets whole training steps of the plan (NULL: of any) be taken, when they have proven to be exact: at once, or after
 * as much training as it takes to prove them, or to load what has been proven. Before each training step. A device that
 * cannot run them does without. */
void context_prove_steps(mlp_cl_context *context, const step_plan *plan, bool at_once);

/* A second thread takes part in what the context, one of the reference, computes forward, if one is to be had. */
void context_hire(mlp_cl_context *reference);
/* About how many operations a second the reference comes to with a second thread. */
double context_host_flops(void);

/* Whether `what` has proven to be exact on this device, with this driver and these kernels, in any process. */
bool context_remembers(const mlp_cl_context *context, const char *what);
void context_remember(const mlp_cl_context *context, const char *what);

#endif
