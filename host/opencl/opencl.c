/* Opening and closing a device, and the table of its operations. */
#include "opencl/opencl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "opencl/internal.h"

static void opencl_close(backend *base) {
  opencl_backend *self = (opencl_backend *)base;
  if (self == NULL) return;
  if (self->queue != NULL) opencl_wait(self, self->queue);
  opencl_transfers_release(self);
  opencl_pace_release(self);
  opencl_peak_release(self);
  opencl_profile_release(self);
  opencl_program_release(self);
  if (self->progress != NULL) clReleaseMemObject(self->progress);
  if (self->dealt != NULL) clReleaseMemObject(self->dealt);
  if (self->scratch.buffer != NULL) clReleaseMemObject(self->scratch.buffer);
  if (self->terms.buffer != NULL) clReleaseMemObject(self->terms.buffer);
  free(self->staging);
  if (self->nothing != NULL) clReleaseMemObject(self->nothing);
  if (self->queue != NULL) clReleaseCommandQueue(self->queue);
  if (self->context != NULL) clReleaseContext(self->context);
  free(self);
}

static mlp_cl_status opencl_finish(backend *base, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  if (self->transfers != NULL)
    TRY_CL(opencl_wait(self, self->transfers), "waiting for transfers to %s", base->device.name);
  TRY_CL(opencl_wait(self, self->queue), "waiting for %s", base->device.name);
  return MLP_CL_OK;
}

static const backend_operations operations = {
    .close = opencl_close,
    .tensor_create = opencl_tensor_create,
    .tensor_share = opencl_tensor_share,
    .tensor_destroy = opencl_tensor_destroy,
    .tensor_write = opencl_tensor_write,
    .tensor_bytes = opencl_tensor_bytes,
    .tensor_send = opencl_tensor_send,
    .tensor_read = opencl_tensor_read,
    .tensor_copy = opencl_tensor_copy,
    .tensor_zero = opencl_tensor_zero,
    .gather = opencl_gather,
    .dense_forward = opencl_dense_forward,
    .cross_entropy = opencl_cross_entropy,
    .dense_backward_input = opencl_dense_backward_input,
    .dense_backward_weight = opencl_dense_backward_weight,
    .output_layer = opencl_output_layer,
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
    .squared_sum = opencl_squared_sum,
    .clip = opencl_clip,
    .train_steps = opencl_train_steps,
    .takes_steps = opencl_takes_steps,
    .peak = opencl_peak_run,
    .profile_write = opencl_profile_write,
    .products_by = opencl_products_by,
    .tuning_candidate = opencl_tuning_candidate,
    .tuning_keep = opencl_tuning_keep,
    .tuning_forget = opencl_tuning_forget,
    .pace = opencl_pace_step,
    .finish = opencl_finish,
};

/* A device that does not answer, or with 0, would be given kernels for another one, or launches without work-items. */
static mlp_cl_status check_answers(const opencl_device *device, mlp_cl_error *error) {
  const mlp_cl_device *info = &device->info;
  if (device->trouble != CL_SUCCESS)
    return fail(error, MLP_CL_OPENCL,
                "device %d (%s) does not say what it is: %s (%" PRId32
                "); its driver is in trouble, take another device, or \"reference\"",
                info->index, info->name, opencl_error_name(device->trouble), device->trouble);
  if (info->work_group_size > 0 && info->compute_units > 0 && info->largest_allocation_bytes > 0) return MLP_CL_OK;
  return fail(error, MLP_CL_OPENCL,
              "%s says that its work-groups have %llu items, its compute units are %u and its largest allocation is of "
              "%llu bytes: its driver is in trouble, take another device, or \"reference\"",
              info->name, (unsigned long long)info->work_group_size, (unsigned)info->compute_units,
              (unsigned long long)info->largest_allocation_bytes);
}

static mlp_cl_status open_device(opencl_backend *self, const opencl_device *device, bool profile, mlp_cl_error *error) {
  cl_uint none = 0;
  cl_int code;
  const char *name = self->base.device.name;
  self->base.op = &operations;
  self->base.device = device->info;
  self->device = device->id;
  self->vendor = device->vendor;
  self->vector_width = device->vector_width;
  self->correct_division = device->correct_division;
  memcpy(self->platform_version, device->platform_version, sizeof self->platform_version);
  self->base.platform_version = self->platform_version;
  TRY(check_answers(device, error));
  self->context = clCreateContext(NULL, 1, &self->device, NULL, NULL, &code);
  TRY_CL(code, "opening %s", name);
  self->queue = clCreateCommandQueue(self->context, self->device, profile ? CL_QUEUE_PROFILING_ENABLE : 0, &code);
  TRY_CL(code, "creating a queue on %s", name);
  self->nothing = clCreateBuffer(self->context, CL_MEM_READ_WRITE, 64, NULL, &code);
  TRY_CL(code, "allocating the first buffer on %s", name);
  self->progress = clCreateBuffer(self->context, CL_MEM_READ_WRITE, PROGRESS_WORDS * sizeof(cl_uint), NULL, &code);
  TRY_CL(code, "allocating the second buffer on %s", name);
  self->dealt = clCreateBuffer(self->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof none, &none, &code);
  TRY_CL(code, "allocating the third buffer on %s", name);
  return profile ? opencl_profile_create(self, error) : MLP_CL_OK;
}

mlp_cl_status opencl_open(size_t index, const mlp_cl_context_options *options, backend **opened, mlp_cl_error *error) {
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
  mlp_cl_status status = open_device(self, &devices[index], options->profile, error);
  free(devices);
  if (status == MLP_CL_OK) status = opencl_tuning_set(self, options->kernels, options->tuning, error);
  if (status != MLP_CL_OK) {
    opencl_close(&self->base);
    return status;
  }
  *opened = &self->base;
  return MLP_CL_OK;
}
