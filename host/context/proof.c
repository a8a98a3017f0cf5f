/* What a device has proven, and what of that is remembered for it, its driver and our kernels. "exact" is the one
 * verdict that is kept; another is found anew each time. */
#include "backend/identity.h"
#include "base/cache.h"
#include "context/context.h"
#include "context/self_test.h"
#include "context/trial.h"

static const char exact[] = "exact";

/* What verdicts depend on: our kernels, which of them are used, with which parameters and options, and the device with
 * its driver; and how many work-items share a step. */
static void verdict_key(const backend *opened, const char *kernels, char key[65]) {
  sha256 state;
  sha256_begin(&state);
  identity_add(opened, &state);
  identity_add_kernels(&state);
  sha256_add_text(&state, kernels != NULL ? kernels : "");
  sha256_add_text(&state, opened->tuning);
  sha256_add_text(&state, opened->build_options);
  sha256_add(&state, &opened->device.compute_units, sizeof opened->device.compute_units);
  sha256_end(&state, key);
}

static void key_of(const mlp_cl_context *context, const char *what, char key[65]) {
  sha256 state;
  sha256_begin(&state);
  sha256_add_text(&state, what);
  sha256_add_text(&state, context->verdict_key);
  sha256_end(&state, key);
}

bool context_remembers(const mlp_cl_context *context, const char *what) {
  char key[65];
  key_of(context, what, key);
  return cache_holds(key, exact);
}

void context_remember(const mlp_cl_context *context, const char *what) {
  char key[65];
  key_of(context, what, key);
  cache_keep(key, exact);
}

/* The verdict on `what`: the rule or operation that it breaks, or NULL. */
static mlp_cl_status judge(mlp_cl_context *context, const char *what, const char *broken, mlp_cl_error *error) {
  if (broken == NULL) {
    context_remember(context, what);
    return MLP_CL_OK;
  }
  if (context->broken_rule == NULL) context->broken_rule = broken;
  if (context->allow_inexact) return MLP_CL_OK;
  return fail(error, MLP_CL_INEXACT,
              "%s breaks the rule \"%s\" of the numerics contract: choose another device, or allow inexact results",
              context->backend->device.name, broken);
}

mlp_cl_status context_prove_device(mlp_cl_context *context, const char *kernels, mlp_cl_error *error) {
  static const char what[] = "device";
  const char *broken = NULL;
  verdict_key(context->backend, kernels, context->verdict_key);
  if (context_remembers(context, what)) return MLP_CL_OK;
  TRY(self_test(context->backend, &broken, error));
  return judge(context, what, broken, error);
}

mlp_cl_status context_prove(mlp_cl_context *context, const char *word, mlp_cl_error *error) {
  if (context->backend->device.type == MLP_CL_DEVICE_REFERENCE) return MLP_CL_OK;
  uint64_t missing = seldom_trials_of(word) & ~context->proven;
  if (missing == 0) return MLP_CL_OK;
  const char *broken = NULL;
  if (!context_remembers(context, word)) {
    TRY(self_test_seldom(context->backend, missing, &broken, error));
    TRY(judge(context, word, broken, error));
  }
  context->proven |= missing;
  return MLP_CL_OK;
}
