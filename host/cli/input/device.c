/* See device.h. */
#include "input/device.h"

#include "terminal/report.h"
#include "terminal/watchdog.h"

mlp_cl_status open_device(const options *o, mlp_cl_context **context, mlp_cl_error *error) {
  return open_device_for(o, 0, context, error);
}

mlp_cl_status open_device_for(const options *o, uint64_t data_bytes, mlp_cl_context **context, mlp_cl_error *error) {
  const mlp_cl_context_options how = {.allow_inexact = options_has(o, OPTION_ALLOW_INEXACT),
                                      .kernels = options_text(o, OPTION_KERNELS, NULL),
                                      .profile = options_has(o, OPTION_PROFILE),
                                      .data_bytes = data_bytes};
  watchdog_begin("opening a device and building its kernels");
  mlp_cl_status status = mlp_cl_context_create(options_text(o, OPTION_DEVICE, NULL), &how, context, error);
  watchdog_end();
  if (status != MLP_CL_OK) return status;
  const mlp_cl_device *device = mlp_cl_context_device(*context);
  if (device->index < 0 && how.profile) {
    mlp_cl_context_destroy(*context);
    *context = NULL;
    *error = (mlp_cl_error){MLP_CL_BAD_ARGUMENT, "--profile: the reference launches no kernels; take an OpenCL device"};
    return error->status;
  }
  if (device->index < 0)
    report_note("device: the CPU reference");
  else
    report_note("device %d: %s (%s)", device->index, device->name, device->platform);
  const char *rule = NULL, *reason = mlp_cl_context_fallback(*context);
  if (reason != NULL) report_note("warning: the plain kernels are used, which are slower: %s", reason);
  if (!mlp_cl_context_exact(*context, &rule))
    report_note("warning: this device does not keep the numerics contract (%s): its bits are its own", rule);
  return status;
}

void warn_of_refused_steps(const mlp_cl_context *context) {
  const char *reason = mlp_cl_context_steps_refusal(context);
  if (reason != NULL) report_note("warning: no whole training steps in one launch, which are faster: %s", reason);
}

mlp_cl_status write_profile(const options *o, mlp_cl_context *context, mlp_cl_error *error) {
  const char *path = options_text(o, OPTION_PROFILE, NULL);
  if (!path) return MLP_CL_OK;
  mlp_cl_status status = mlp_cl_profile_write(context, path, error);
  if (status == MLP_CL_OK) report_note("wrote %s: open it in ui.perfetto.dev or chrome://tracing", path);
  return status;
}
