/* Whole training steps (backend.h) are taken once they have proven to be exact. Their kernels take seconds to compile
 * and a tenth of one to load, so that only work that has gone on for as long makes up for that. */

#include "base/cache.h"
#include "base/clock.h"
#include "context/context.h"
#include "context/self_test.h"

static const char *const names[STEP_KINDS] = {"steps", "steps with Adam", "steps to targets",
                                              "steps to targets with Adam"};
static const double proof_s = 2.0, load_s = 0.1;

static mlp_cl_status prove(mlp_cl_context *context, step_kind kind, bool at_once, mlp_cl_error *error) {
  backend *on = context->backend;
  steps_patience *patience = &context->steps[kind];
  const char *what = names[kind];
  if (on->steps_proven[kind] || on->steps_refused[kind]) return MLP_CL_OK;
  if (patience->first_step_s == 0) {
    patience->first_step_s = clock_now_s();
    patience->worth_s = !cache_available() ? 0 : context_remembers(context, what) ? load_s : proof_s;
  }
  if (!at_once && clock_now_s() - patience->first_step_s < patience->worth_s) return MLP_CL_OK;
  if (!context_remembers(context, what)) {
    const char *broken = NULL;
    bool taken = false;
    /* Steps are as right without: what keeps a driver from running them is no reason to end a run. */
    on->steps_refused[kind] = self_test_steps(on, kind, &broken, &taken, NULL) != MLP_CL_OK || !taken;
    if (on->steps_refused[kind]) return MLP_CL_OK;
    TRY(context_judge(context, what, broken, error));
  }
  on->steps_proven[kind] = true;
  return MLP_CL_OK;
}

mlp_cl_status context_prove_steps(mlp_cl_context *context, const step_plan *plan, bool at_once, mlp_cl_error *error) {
  backend *on = context->backend;
  if (on->op->train_steps == NULL) return MLP_CL_OK;
  if (plan != NULL && !on->op->takes_steps(on, plan)) return MLP_CL_OK;
  for (int kind = 0; kind < STEP_KINDS; kind++)
    if (plan == NULL || step_kind_of(plan) == (step_kind)kind) TRY(prove(context, (step_kind)kind, at_once, error));
  return MLP_CL_OK;
}
