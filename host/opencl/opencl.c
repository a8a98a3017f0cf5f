/* Opening and closing a device, the choice of its kernels' parameters, and the table of its operations. */
#include "opencl/opencl.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "opencl/internal.h"

static void opencl_close(backend *base) {
  opencl_backend *self = (opencl_backend *)base;
  if (self == NULL) return;
  if (self->queue != NULL) clFinish(self->queue);
  opencl_pace_release(self);
  opencl_peak_release(self);
  opencl_program_release(self);
  if (self->tickets != NULL) clReleaseMemObject(self->tickets);
  if (self->scratch != NULL) clReleaseMemObject(self->scratch);
  free(self->staging);
  if (self->nothing != NULL) clReleaseMemObject(self->nothing);
  if (self->queue != NULL) clReleaseCommandQueue(self->queue);
  if (self->context != NULL) clReleaseContext(self->context);
  free(self);
}

static mlp_cl_status opencl_finish(backend *base, mlp_cl_error *error) {
  TRY_CL(clFinish(((opencl_backend *)base)->queue), "waiting for %s", base->device.name);
  return MLP_CL_OK;
}

static const backend_operations operations = {
    .close = opencl_close,
    .tensor_create = opencl_tensor_create,
    .tensor_destroy = opencl_tensor_destroy,
    .tensor_write = opencl_tensor_write,
    .tensor_bytes = opencl_tensor_bytes,
    .tensor_read = opencl_tensor_read,
    .tensor_copy = opencl_tensor_copy,
    .tensor_zero = opencl_tensor_zero,
    .gather = opencl_gather,
    .dense_forward = opencl_dense_forward,
    .cross_entropy = opencl_cross_entropy,
    .dense_backward_input = opencl_dense_backward_input,
    .dense_backward_weight = opencl_dense_backward_weight,
    .activation_forward = opencl_activation_forward,
    .activation_backward = opencl_activation_backward,
    .target_loss = opencl_target_loss,
    .softmax = opencl_softmax,
    .matmul = opencl_matmul,
    .bias = opencl_bias,
    .relu = opencl_relu,
    .relu_backward = opencl_relu_backward,
    .dropout = opencl_dropout,
    .sgd = opencl_sgd,
    .adam = opencl_adam,
    .train_steps = opencl_train_steps,
    .peak = opencl_peak_run,
    .pace = opencl_pace_step,
    .finish = opencl_finish,
};

/* What `kernels` may name. */
static const struct kernel_choice {
  const char *name;
  kernel_variant variant;
  bool whole_steps;
} choices[] = {
    {"plain", VARIANT_PLAIN, false},
    {"panel", VARIANT_PANEL, false},
    {"steps", VARIANT_PANEL, true},
    {"tile", VARIANT_TILE, false},
};

static mlp_cl_status tuning_choose(opencl_tuning *tuning, const char *name, mlp_cl_error *error) {
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
    if (strcmp(name, choices[i].name) == 0) {
      tuning->variant = choices[i].variant;
      tuning->whole_steps = choices[i].whole_steps;
      return MLP_CL_OK;
    }
  return fail(error, MLP_CL_BAD_ARGUMENT, "there are no kernels \"%s\": plain, panel, steps and tile are there", name);
}

/* Vectors of 16 floats come with 32 registers, which hold a tile of 12 rows; 16 registers of 8 hold 6 rows of two. */
static opencl_tuning tuning_default(const opencl_backend *self) {
  const mlp_cl_device *device = &self->base.device;
  cl_uint width = 0;
  clGetDeviceInfo(self->device, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof width, &width, NULL);
  /* llvmpipe unrolls nothing, takes minutes for a tile of registers, and after 65535 iterations of all its loops
   * together a work-item silently leaves them: a sum of 64000 terms, with the loops around it, is safe. */
  bool llvmpipe = device->type == MLP_CL_DEVICE_CPU && strstr(device->platform, "rusticl") != NULL;
  bool cpu = device->type == MLP_CL_DEVICE_CPU && !llvmpipe;
  bool large_groups = !cpu && device->work_group_size >= 256;
  return (opencl_tuning){
      .variant = llvmpipe ? VARIANT_PLAIN
                 : cpu    ? VARIANT_PANEL
                          : VARIANT_TILE,
      .longest_sum = llvmpipe ? 64000 : SIZE_MAX,
      .whole_steps = cpu,
      .tile_rows = width >= 16 ? 12 : 6,
      .unit_rows = 48,
      .groups = size_max(64, 16 * (size_t)device->compute_units),
      .group_rows = large_groups ? 16 : 4,
      .group_cols = large_groups ? 16 : 8,
      .item_rows = large_groups ? 8 : 4,
      .item_cols = large_groups ? 8 : 4,
      .slab_unroll = large_groups ? 16 : 1,
  };
}

/* What the driver did not tell is 0 and would make launches without work-items. */
static mlp_cl_status check_limits(const mlp_cl_device *device, mlp_cl_error *error) {
  if (device->work_group_size > 0 && device->compute_units > 0 && device->largest_allocation_bytes > 0)
    return MLP_CL_OK;
  return fail(error, MLP_CL_OPENCL,
              "%s says that its work-groups have %llu items, its compute units are %u and its largest allocation is of "
              "%llu bytes: its driver is in trouble, take another device, or \"reference\"",
              device->name, (unsigned long long)device->work_group_size, (unsigned)device->compute_units,
              (unsigned long long)device->largest_allocation_bytes);
}

static mlp_cl_status open_device(opencl_backend *self, const opencl_device *device, mlp_cl_error *error) {
  cl_int code;
  const char *name = self->base.device.name;
  self->base.op = &operations;
  self->base.device = device->info;
  self->device = device->id;
  clGetPlatformInfo(device->platform, CL_PLATFORM_VERSION, sizeof self->platform_version - 1, self->platform_version,
                    NULL);
  TRY(check_limits(&device->info, error));
  self->context = clCreateContext(NULL, 1, &self->device, NULL, NULL, &code);
  TRY_CL(code, "opening %s", name);
  self->queue = clCreateCommandQueue(self->context, self->device, 0, &code);
  TRY_CL(code, "creating a queue on %s", name);
  self->nothing = clCreateBuffer(self->context, CL_MEM_READ_WRITE, 64, NULL, &code);
  TRY_CL(code, "allocating the first buffer on %s", name);
  self->tickets = clCreateBuffer(self->context, CL_MEM_READ_WRITE, TICKETS_BYTES, NULL, &code);
  TRY_CL(code, "allocating the second buffer on %s", name);
  return MLP_CL_OK;
}

mlp_cl_status opencl_open(size_t index, const char *kernels, backend **opened, mlp_cl_error *error) {
  opencl_device *devices;
  size_t count;
  *opened = NULL;
  TRY(opencl_list_devices(&devices, &count, error));
  if (index >= count) {
    free(devices);
    return fail(error, MLP_CL_NO_DEVICE, "there is no device %zu: `mlp_cl devices` lists the %zu there are", index,
                count);
  }
  opencl_backend *self = calloc(1, sizeof *self);
  if (self == NULL) {
    free(devices);
    return fail_memory(error, sizeof *self, "a device");
  }
  mlp_cl_status status = open_device(self, &devices[index], error);
  free(devices);
  self->tuning = tuning_default(self);
  if (status == MLP_CL_OK && kernels != NULL) status = tuning_choose(&self->tuning, kernels, error);
  if (status != MLP_CL_OK) {
    opencl_close(&self->base);
    return status;
  }
  *opened = &self->base;
  return MLP_CL_OK;
}
