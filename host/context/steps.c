/* Whole training steps (backend.h) are taken once they have proven to be exact. Their kernels take seconds to compile
 * and a tenth of one to load, so that only work that has gone on for as long makes up for that. */
#include "base/cache.h"
#include "base/clock.h"
#include "context/context.h"
#include "context/self_test.h"

const char *const step_kind_names[STEP_KINDS] = {"steps", "steps with Adam", "steps to targets",
                                                 "steps to targets with Adam"};
static const double proof_s = 2.0, load_s = 0.1;

static void prove(mlp_cl_context *context, step_kind kind, bool at_once) {
  backend *on = context->backend;
  steps_patience *patience = &context->steps[kind];
  const char *what = step_kind_names[kind];
  if (on->steps_proven[kind] || on->steps_refused[kind]) return;
  if (patience->first_step_s == 0) {
    patience->first_step_s = clock_now_s();
    patience->worth_s = !cache_available() ? 0 : context_remembers(context, what) ? load_s : proof_s;
  }
  if (!at_once && clock_now_s() - patience->first_step_s < patience->worth_s) return;
  on->steps_proven[kind] = context_remembers(context, what);
  if (on->steps_proven[kind]) return;
  mlp_cl_error problem;
  const char *broken;
  bool taken;
  /* Steps are as right without: what keeps a driver from running them is no reason to end a run. */
  if (self_test_steps(on, kind, &broken, &taken, &problem) != MLP_CL_OK) {
    refuse_steps(on, kind, problem.text);
  } else if (broken != NULL || !taken) {
    refuse_steps(on, kind, broken != NULL ? "they do not keep the numerics contract" : NULL);
  } else {
    on->steps_proven[kind] = true;
    context_remember(context, what);
  }
}

void context_prove_steps(mlp_cl_context *context, const step_plan *plan, bool at_once) {
  backend *on = context->backend;
  if (on->op->train_steps == NULL || (plan != NULL && !on->op->takes_steps(on, plan))) return;
  for (int kind = 0; kind < STEP_KINDS; kind++)
    if (plan == NULL || step_kind_of(plan) == (step_kind)kind) prove(context, (step_kind)kind, at_once);
}
