/* The parameters of a context's kernels, for those who look for better ones. */
#include "context/context.h"

const char *mlp_cl_context_tuning(const mlp_cl_context *context) {
  return context->backend->tuning;
}

bool mlp_cl_tuning_candidate(const mlp_cl_context *context, size_t i, char text[MLP_CL_TUNING_BYTES]) {
  backend *tuned = context->backend;
  return tuned->op->tuning_candidate != NULL && tuned->op->tuning_candidate(tuned, i, text);
}

mlp_cl_status mlp_cl_tuning_keep(const mlp_cl_context *context, mlp_cl_error *error) {
  if (context == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "context is NULL: open a device first");
  backend *tuned = context->backend;
  if (tuned->op->tuning_keep == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the reference has nothing to tune: take an OpenCL device");
  if (context->broken_rule != NULL)
    return fail(error, MLP_CL_INEXACT, "%s breaks the rule \"%s\" with this tuning, which is not remembered",
                tuned->device.name, context->broken_rule);
  if (tuned->op->tuning_keep(tuned)) return MLP_CL_OK;
  return fail(
      error, MLP_CL_IO,
      "the tuning cannot be remembered: the folder that MLP_CL_CACHE names, else ~/.cache/mlp_cl, must be yours "
      "alone (0700)");
}

mlp_cl_status mlp_cl_tuning_forget(const mlp_cl_context *context, mlp_cl_error *error) {
  if (context == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "context is NULL: open a device first");
  if (context->backend->op->tuning_forget == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the reference has nothing to tune: take an OpenCL device");
  context->backend->op->tuning_forget(context->backend);
  return MLP_CL_OK;
}
