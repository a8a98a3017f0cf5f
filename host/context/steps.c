/* Whole training steps (backend.h) are taken once they have proven to be exact. Their kernel takes seconds to compile,
 * so where its verdict is not remembered, only work that has gone on for as long makes up for that. */
#include <string.h>
#include <time.h>

#include "base/cache.h"
#include "base/sha256.h"
#include "context/context.h"
#include "context/self_test.h"

static const char exact[] = "exact";
static const double patience_s = 2.0;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void steps_key(const mlp_cl_context *context, char key[65]) {
  sha256 state;
  sha256_begin(&state);
  sha256_add(&state, "steps", 5);
  sha256_add(&state, context->verdict_key, 64);
  sha256_end(&state, key);
}

mlp_cl_status context_prove_steps(mlp_cl_context *context, bool at_once, mlp_cl_error *error) {
  backend *on = context->backend;
  if (on->steps_proven || on->op->train_steps == NULL) return MLP_CL_OK;
  char key[65];
  steps_key(context, key);
  if (context->first_step_s == 0) {
    context->first_step_s = now_s();
    on->steps_proven = cache_holds(key, exact);
    context->impatient = !cache_available();
    if (on->steps_proven) return MLP_CL_OK;
  }
  if (!at_once && !context->impatient && now_s() - context->first_step_s < patience_s) return MLP_CL_OK;
  const char *broken = NULL;
  TRY(self_test_steps(on, &broken, error));
  if (broken != NULL) TRY(context_break(context, broken, error));
  if (broken == NULL) cache_keep(key, exact);
  on->steps_proven = true;
  return MLP_CL_OK;
}
