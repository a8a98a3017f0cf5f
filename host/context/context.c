/* Chooses a device by what the caller calls it, opens it and has it prove the numerics contract. */
#include "context/context.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bulk.h"
#include "opencl/opencl.h"
#include "reference/reference.h"

static bool is_number(const char *text) {
  for (const char *c = text; *c != '\0'; c++)
    if (!isdigit((unsigned char)*c)) return false;
  return *text != '\0';
}

/* strcasestr, which not every C library has. */
static bool contains(const char *text, const char *part) {
  size_t length = strlen(part);
  for (; *text != '\0'; text++)
    if (strncasecmp(text, part, length) == 0) return true;
  return false;
}

static bool has_type(const mlp_cl_device *device, const char *name) {
  switch (device->type) {
    case MLP_CL_DEVICE_CPU: return strcasecmp(name, "cpu") == 0;
    case MLP_CL_DEVICE_GPU: return strcasecmp(name, "gpu") == 0;
    case MLP_CL_DEVICE_ACCELERATOR: return strcasecmp(name, "accelerator") == 0;
    case MLP_CL_DEVICE_REFERENCE: break;
  }
  return false;
}

static bool is_type(const char *name) {
  return strcasecmp(name, "cpu") == 0 || strcasecmp(name, "gpu") == 0 || strcasecmp(name, "accelerator") == 0;
}

static const mlp_cl_device *find_best(const mlp_cl_device *devices, size_t count) {
  static const char *const order[] = {"gpu", "accelerator", "cpu"};
  for (size_t k = 0; k < sizeof order / sizeof *order; k++)
    for (size_t i = 0; i < count; i++)
      if (has_type(&devices[i], order[k])) return &devices[i];
  return count > 0 ? &devices[0] : NULL;
}

static const mlp_cl_device *find_index(const mlp_cl_device *devices, size_t count, const char *digits) {
  unsigned long index = strtoul(digits, NULL, 10); /* ULONG_MAX when too large, which no device has */
  return index < count ? &devices[index] : NULL;
}

/* By number, by type, or else the first whose name or platform contains the text. */
static const mlp_cl_device *find_device(const mlp_cl_device *devices, size_t count, const char *wanted) {
  if (wanted == NULL) return find_best(devices, count);
  if (is_number(wanted)) return find_index(devices, count, wanted);
  for (size_t i = 0; i < count; i++) {
    bool found = is_type(wanted) ? has_type(&devices[i], wanted)
                                 : contains(devices[i].name, wanted) || contains(devices[i].platform, wanted);
    if (found) return &devices[i];
  }
  return NULL;
}

static mlp_cl_status fail_no_device(const mlp_cl_device *devices, size_t count, const char *wanted,
                                    mlp_cl_error *error) {
  char list[1024] = "";
  size_t used = 0;
  for (size_t i = 0; i < count && used < sizeof list; i++) {
    int written = snprintf(list + used, sizeof list - used, "%d: %s (%s), ", devices[i].index, devices[i].name,
                           devices[i].platform);
    used += written > 0 ? (size_t)written : 0;
  }
  if (count == 0 && access("/dev/dri/renderD128", R_OK | W_OK) != 0 && errno == EACCES)
    return fail(
        error, MLP_CL_NO_DEVICE,
        "no OpenCL driver shows a device, and you may not use /dev/dri/renderD128: join its group (sudo usermod "
        "-aG render $USER, then log in again), or take the device \"reference\" (--device reference)");
  if (count == 0)
    return fail(
        error, MLP_CL_NO_DEVICE,
        "no OpenCL driver shows a device (Mesa's rusticl does only with RUSTICL_ENABLE=<driver>, PoCL only where "
        "it may write: HOME or POCL_CACHE_DIR has to name such a folder): %s",
        opencl_install_hint);
  return fail(error, MLP_CL_NO_DEVICE, "there is no device \"%.100s\"; take %sor \"reference\"",
              wanted == NULL ? "" : wanted, list);
}

static mlp_cl_status open_listed(const char *wanted, const mlp_cl_context_options *options, backend **opened,
                                 mlp_cl_error *error) {
  mlp_cl_device *devices = NULL;
  size_t count = 0;
  TRY(mlp_cl_devices(&devices, &count, error));
  const mlp_cl_device *found = find_device(devices, count, wanted);
  mlp_cl_status status = found != NULL ? opencl_open((size_t)found->index, options, opened, error)
                                       : fail_no_device(devices, count, wanted, error);
  free(devices);
  return status;
}

/* The caller's choice, else the environment's, else none. */
static const char *choose(const char *device) {
  if (device == NULL) device = getenv("MLP_CL_DEVICE");
  return device != NULL && *device != '\0' ? device : NULL;
}

static mlp_cl_status open_backend(const char *device, const mlp_cl_context_options *options, backend **opened,
                                  mlp_cl_error *error) {
  const char *wanted = choose(device);
  if (wanted != NULL && strcasecmp(wanted, "reference") == 0) return reference_open(opened, error);
  return open_listed(wanted, options, opened, error);
}

double context_host_flops(void) {
  return reference_flops();
}

void context_hire(mlp_cl_context *reference) {
  reference_hire(reference->backend);
}

/* Unless the caller says: half of a device's memory, in one piece. The reference's is that of the host. */
static uint64_t resident_bytes(const mlp_cl_device *device, const mlp_cl_context_options *options) {
  if (options->data_bytes > 0) return options->data_bytes;
  if (device->type == MLP_CL_DEVICE_REFERENCE) return bulk_limit();
  uint64_t half = device->global_memory_bytes / 2;
  return half < device->largest_allocation_bytes ? half : device->largest_allocation_bytes;
}

/* PoCL wakes threads for each launch. Two units of a CPU then take as long as the two threads of the host, so that it
 * is the longest passes alone, which have no room in caches, that are theirs; more units take less. */
static double pass_seconds(const mlp_cl_device *device) {
  static const double launches_s = 200e-6, launches_of_gpu_s = 40e-6, most_s = 1500e-6;
  const double units = device->compute_units;
  if (device->type == MLP_CL_DEVICE_REFERENCE) return 0;
  if (device->type == MLP_CL_DEVICE_GPU) return launches_of_gpu_s;
  return units > 2 ? fmin(most_s, launches_s / (1 - 2 / units)) : most_s;
}

/* Opens the device and proves it. */
static mlp_cl_status open_proven(mlp_cl_context *context, const char *device, const mlp_cl_context_options *options,
                                 mlp_cl_error *error) {
  TRY(open_backend(device, options, &context->backend, error));
  context->backend->resident_bytes = resident_bytes(&context->backend->device, options);
  context->pass_s = pass_seconds(&context->backend->device);
  return context_prove_device(context, options->kernels, error);
}

static void close_backend(mlp_cl_context *context) {
  if (context->backend != NULL) context->backend->op->close(context->backend);
  context->backend = NULL;
  context->broken_rule = NULL;
}

/* Parameters that were fine when they were found and are not now, whatever the reason, must not keep a device from
 * use. */
static mlp_cl_status open_without_tuning(mlp_cl_context *context, const char *device,
                                         const mlp_cl_context_options *options, mlp_cl_error *error) {
  mlp_cl_context_options usual = *options;
  usual.tuning = "";
  context->backend->op->tuning_forget(context->backend);
  close_backend(context);
  return open_proven(context, device, &usual, error);
}

/* The same with the kernels that every device takes, after one has refused to build or to launch the others. */
static mlp_cl_status open_plain(mlp_cl_context *context, const char *device, const mlp_cl_context_options *options,
                                const char *reason, mlp_cl_error *error) {
  mlp_cl_context_options plain = *options;
  plain.kernels = "plain";
  plain.tuning = "";
  close_backend(context);
  context->fallback = strndup(reason, strcspn(reason, "\n"));
  if (context->fallback == NULL) return fail_memory(error, strlen(reason), "a message");
  return open_proven(context, device, &plain, error);
}

/* As asked for; where that fails, in the way that is sure to work. */
static mlp_cl_status open_somehow(mlp_cl_context *context, const char *device, const mlp_cl_context_options *options,
                                  mlp_cl_error *error) {
  mlp_cl_error reason = {0};
  context->allow_inexact = options->allow_inexact;
  mlp_cl_status status = open_proven(context, device, options, &reason);
  if (status != MLP_CL_OK && context->backend != NULL && context->backend->tuning_recalled)
    status = open_without_tuning(context, device, options, &reason);
  bool refused = status == MLP_CL_BUILD || status == MLP_CL_OPENCL || status == MLP_CL_DEVICE_MEMORY;
  if (refused && options->kernels == NULL && context->backend != NULL &&
      open_plain(context, device, options, reason.text, NULL) == MLP_CL_OK)
    return MLP_CL_OK;
  if (status != MLP_CL_OK && error != NULL) *error = reason;
  return status;
}

mlp_cl_status mlp_cl_context_create(const char *device, const mlp_cl_context_options *options, mlp_cl_context **context,
                                    mlp_cl_error *error) {
  if (context == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "context is NULL: pass where to put it");
  *context = NULL;
  mlp_cl_context *created = calloc(1, sizeof *created);
  if (created == NULL) return fail_memory(error, sizeof *created, "a context");
  static const mlp_cl_context_options none = {0};
  if (options == NULL) options = &none;
  mlp_cl_status status = open_somehow(created, device, options, error);
  if (status != MLP_CL_OK) {
    mlp_cl_context_destroy(created);
    return status;
  }
  created->backend->profiling = options->profile; /* the self-test is no part of what is asked about */
  *context = created;
  return MLP_CL_OK;
}

void mlp_cl_context_destroy(mlp_cl_context *context) {
  if (context == NULL) return;
  if (context->backend != NULL) context->backend->op->close(context->backend);
  free(context->fallback);
  free(context);
}

const char *mlp_cl_context_fallback(const mlp_cl_context *context) {
  return context->fallback;
}

const char *mlp_cl_context_steps_refusal(const mlp_cl_context *context) {
  return context->backend->steps_refusal[0] != '\0' ? context->backend->steps_refusal : NULL;
}

mlp_cl_status mlp_cl_profile_write(mlp_cl_context *context, const char *path, mlp_cl_error *error) {
  if (context == NULL || path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "context or path is NULL");
  if (context->backend->op->profile_write == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the reference launches no kernels to profile: take an OpenCL device");
  return context->backend->op->profile_write(context->backend, path, error);
}

const mlp_cl_device *mlp_cl_context_device(const mlp_cl_context *context) {
  return &context->backend->device;
}

bool mlp_cl_context_exact(const mlp_cl_context *context, const char **rule) {
  if (rule != NULL) *rule = context->broken_rule;
  return context->broken_rule == NULL;
}
