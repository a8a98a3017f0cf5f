/* Whole training steps (backend.h) are taken once they have proven to be exact. Their kernel takes seconds to compile
 * and a tenth of one to load, so that only work that has gone on for as long makes up for that. */

#include "base/cache.h"
#include "base/clock.h"
#include "context/context.h"
#include "context/self_test.h"

static const char what[] = "steps";
static const double proof_s = 2.0, load_s = 0.1;

mlp_cl_status context_prove_steps(mlp_cl_context *context, const step_plan *plan, bool at_once, mlp_cl_error *error) {
  backend *on = context->backend;
  if (on->steps_proven || on->steps_refused || on->op->train_steps == NULL) return MLP_CL_OK;
  if (plan != NULL && !on->op->takes_steps(on, plan)) return MLP_CL_OK;
  if (context->first_step_s == 0) {
    context->first_step_s = clock_now_s();
    context->patience_s = !cache_available() ? 0 : context_remembers(context, what) ? load_s : proof_s;
  }
  if (!at_once && clock_now_s() - context->first_step_s < context->patience_s) return MLP_CL_OK;
  if (!context_remembers(context, what)) {
    const char *broken = NULL;
    /* Steps are as right without: what keeps a driver from running them is no reason to end a run. */
    on->steps_refused = self_test_steps(on, &broken, NULL) != MLP_CL_OK;
    if (on->steps_refused) return MLP_CL_OK;
    TRY(context_judge(context, what, broken, error));
  }
  on->steps_proven = true;
  return MLP_CL_OK;
}
