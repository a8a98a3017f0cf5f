/* Tensors in device memory. float32 matrices live in panels of 16 columns (kernels/panel.h); packing and unpacking is
 * done on the host, since only parameters and results ever travel. */
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "exact_math.h"
#include "opencl/internal.h"

/* Rows of padding that a tile may run into. */
enum { PADDING_ROWS = 16 };

enum { LINE_BYTES = PANEL * sizeof(float) };

size_t opencl_panels(const tensor *t) {
  return size_divide_up(t->cols, PANEL);
}

static bool in_panels(const tensor *t) {
  return t->role != TENSOR_PLAIN;
}

/* Rows per panel: some padding for tiles that run over, which also keeps strides off powers of two. */
static size_t stride_of(size_t rows) {
  return size_round_up(rows, PANEL) + PADDING_ROWS;
}

static bool panel_bytes(size_t rows, size_t cols, size_t *stride, size_t *bytes) {
  if (rows > INT32_MAX - 4096 || cols > INT32_MAX - 64) return false;
  *stride = stride_of(rows);
  return size_multiply(*stride, size_round_up(cols, PANEL), bytes) && size_multiply(*bytes, sizeof(float), bytes);
}

static bool plain_bytes(const tensor *t, size_t *bytes) {
  return size_multiply(t->rows, t->cols, bytes) && size_multiply(*bytes, tensor_element_bytes(t->element), bytes);
}

static mlp_cl_status allocate(opencl_backend *self, size_t bytes, cl_mem *buffer, mlp_cl_error *error) {
  const mlp_cl_device *device = &self->base.device;
  if (bytes > device->largest_allocation_bytes)
    return fail(
        error, MLP_CL_DEVICE_MEMORY,
        "a tensor needs %zu bytes, but %s allocates at most %llu at once (of %llu in all): take a smaller batch or "
        "network",
        bytes, device->name, (unsigned long long)device->largest_allocation_bytes,
        (unsigned long long)device->global_memory_bytes);
  cl_int code;
  *buffer = clCreateBuffer(self->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
  if (code != CL_SUCCESS)
    return fail(error, MLP_CL_DEVICE_MEMORY, "%s has no memory for a tensor of %zu bytes (of %llu in all): %s (%d)",
                device->name, bytes, (unsigned long long)device->global_memory_bytes, opencl_error_name(code), code);
  return MLP_CL_OK;
}

static mlp_cl_status fill_zero(opencl_backend *self, cl_mem buffer, size_t bytes, mlp_cl_error *error) {
  static const cl_uint zero = 0;
  TRY_CL(clEnqueueFillBuffer(self->queue, buffer, &zero, bytes % sizeof zero == 0 ? sizeof zero : 1, 0, bytes, 0, NULL,
                             NULL),
         "filling a tensor of %zu bytes", bytes);
  return MLP_CL_OK;
}

mlp_cl_status opencl_tensor_create(backend *base, tensor_role role, tensor_element element, size_t rows, size_t cols,
                                   tensor **created, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  *created = NULL;
  opencl_tensor *t = calloc(1, sizeof *t);
  if (t == NULL) return fail_memory(error, sizeof *t, "a tensor");
  t->base = (tensor){role, element, rows, cols};
  bool fits = in_panels(&t->base) ? panel_bytes(rows, cols, &t->stride, &t->bytes) : plain_bytes(&t->base, &t->bytes);
  mlp_cl_status status = fits ? allocate(self, t->bytes, &t->buffer, error)
                              : fail(error, MLP_CL_BAD_SHAPE, "a tensor of %zu × %zu is too large", rows, cols);
  /* Padding must be zero: it is computed with, though never read out. What has none is left alone: what is sent to it
   * would not wait for that. */
  if (status == MLP_CL_OK && in_panels(&t->base)) status = fill_zero(self, t->buffer, t->bytes, error);
  if (status != MLP_CL_OK) {
    opencl_tensor_destroy(base, &t->base);
    return status;
  }
  *created = &t->base;
  return MLP_CL_OK;
}

/* CPU devices read the host's memory. A driver that will not has its reasons: the values are copied then. */
mlp_cl_status opencl_tensor_share(backend *base, tensor_element element, size_t rows, size_t cols, const void *values,
                                  tensor **shared, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  *shared = NULL;
  if (self->tuning.variant != VARIANT_PANEL) return MLP_CL_OK;
  opencl_tensor *t = calloc(1, sizeof *t);
  if (t == NULL) return fail_memory(error, sizeof *t, "a tensor");
  t->base = (tensor){TENSOR_PLAIN, element, rows, cols};
  cl_int code = CL_INVALID_BUFFER_SIZE;
  if (plain_bytes(&t->base, &t->bytes))
    t->buffer = clCreateBuffer(self->context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, t->bytes, (void *)values, &code);
  if (code == CL_SUCCESS)
    *shared = &t->base;
  else
    free(t);
  return MLP_CL_OK;
}

uint64_t opencl_tensor_bytes(const backend *base, const tensor *t) {
  size_t stride, bytes, transposed = 0;
  if (!(in_panels(t) ? panel_bytes(t->rows, t->cols, &stride, &bytes) : plain_bytes(t, &bytes))) return UINT64_MAX;
  bool twice = t->role == TENSOR_GRADIENT && ((const opencl_backend *)base)->tuning.variant == VARIANT_PANEL;
  if (twice && !panel_bytes(t->cols, t->rows, &stride, &transposed)) return UINT64_MAX;
  return (uint64_t)bytes + transposed;
}

void opencl_tensor_destroy(backend *base, tensor *destroyed) {
  if (destroyed == NULL) return;
  opencl_tensor *t = opencl_of(destroyed);
  opencl_backend *self = (opencl_backend *)base;
  if (self->transfers != NULL) opencl_wait(self, self->transfers);
  opencl_wait(self, self->queue);
  if (t->buffer != NULL) clReleaseMemObject(t->buffer);
  if (t->transposed != NULL) clReleaseMemObject(t->transposed);
  free(t);
}

mlp_cl_status opencl_tensor_copy(backend *base, const tensor *source, tensor *target, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  opencl_tensor *t = opencl_of(target);
  t->transposed_valid = false;
  TRY_CL(clEnqueueCopyBuffer(self->queue, opencl_of(source)->buffer, t->buffer, 0, 0, t->bytes, 0, NULL, NULL),
         "copying a tensor of %zu bytes", t->bytes);
  return MLP_CL_OK;
}

mlp_cl_status opencl_tensor_zero(backend *base, tensor *target, mlp_cl_error *error) {
  opencl_tensor *t = opencl_of(target);
  t->transposed_valid = false;
  return fill_zero((opencl_backend *)base, t->buffer, t->bytes, error);
}

/* ---- Rows to panels and back ------------------------------------------------------------------------------------ */

/* A range of rows is one piece of each panel. Pieces are copied one by one: the rectangle copies of rusticl (Mesa 22.3)
 * go wrong from 64 KiB a row on. */
static void pack(const tensor *t, const float *source, size_t rows, float *panels) {
  float floor = t->role == TENSOR_GRADIENT || t->role == TENSOR_STATE ? FLOOR_GRADIENT : FLOOR_VALUE;
  for (size_t col = 0; col < size_round_up(t->cols, PANEL); col++) {
    float *panel = panels + col / PANEL * rows * PANEL + col % PANEL;
    for (size_t row = 0; row < rows; row++)
      panel[row * PANEL] = col < t->cols ? canonical(source[row * t->cols + col], floor) : 0.0f;
  }
}

static void unpack(const tensor *t, const float *panels, size_t rows, float *target) {
  for (size_t row = 0; row < rows; row++)
    for (size_t col = 0; col < t->cols; col++)
      target[row * t->cols + col] = panels[(col / PANEL * rows + row) * PANEL + col % PANEL];
}

/* Makes self->staging large enough for so many rows of a tensor. It is kept: predicting in a loop allocates nothing. */
static mlp_cl_status staging_reserve(opencl_backend *self, const tensor *t, size_t rows, mlp_cl_error *error) {
  size_t bytes = rows * opencl_panels(t) * PANEL * sizeof(float); /* at most the tensor's bytes: no overflow */
  if (bytes <= self->staging_bytes) return MLP_CL_OK;
  free(self->staging);
  self->staging = malloc(bytes);
  self->staging_bytes = self->staging != NULL ? bytes : 0;
  return self->staging != NULL ? MLP_CL_OK : fail_memory(error, bytes, "packing a tensor");
}

mlp_cl_status opencl_tensor_write(backend *base, tensor *target, size_t first, size_t rows, const void *source,
                                  mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  opencl_tensor *t = opencl_of(target);
  t->transposed_valid = false;
  if (rows == 0) return MLP_CL_OK;
  if (!in_panels(target)) {
    size_t row_bytes = target->cols * tensor_element_bytes(target->element);
    TRY_CL(clEnqueueWriteBuffer(self->queue, t->buffer, CL_TRUE, first * row_bytes, rows * row_bytes, source, 0, NULL,
                                NULL),
           "writing a tensor");
    return MLP_CL_OK;
  }
  TRY(staging_reserve(self, target, rows, error));
  float *staging = self->staging;
  pack(target, source, rows, staging);
  cl_int code = CL_SUCCESS;
  size_t panels = opencl_panels(target), piece = rows * LINE_BYTES;
  for (size_t p = 0; p < panels && code == CL_SUCCESS; p++)
    code = clEnqueueWriteBuffer(self->queue, t->buffer, CL_FALSE, (p * t->stride + first) * LINE_BYTES, piece,
                                staging + p * rows * PANEL, 0, NULL, NULL);
  /* Pieces may still read the staging memory. A last write that blocks would not do: it may have copied what it writes
   * and return before the others, as Intel's CPU runtime does. */
  cl_int finished = opencl_wait(self, self->queue);
  if (code == CL_SUCCESS) code = finished;
  return code == CL_SUCCESS ? MLP_CL_OK : fail_cl(error, code, "writing a tensor");
}

/* ---- Transfers beside the work in flight ------------------------------------------------------------------------- */

static void event_release(cl_event *event) {
  if (*event != NULL) clReleaseEvent(*event);
  *event = NULL;
}

static mlp_cl_status transfers_open(opencl_backend *self, mlp_cl_error *error) {
  if (self->transfers != NULL) return MLP_CL_OK;
  cl_int code;
  self->transfers = clCreateCommandQueue(self->context, self->device, 0, &code);
  TRY_CL(code, "creating a queue for transfers");
  return MLP_CL_OK;
}

/* The write waits for the work before the last call, the work from now on for the write. */
static mlp_cl_status send_beside(opencl_backend *self, cl_mem buffer, size_t offset, size_t bytes, const void *source,
                                 mlp_cl_error *error) {
  TRY(transfers_open(self, error));
  cl_event now = NULL;
  TRY_CL(clEnqueueMarkerWithWaitList(self->queue, 0, NULL, &now), "marking the work before a transfer");
  cl_int code =
      clEnqueueWriteBuffer(self->transfers, buffer, CL_FALSE, offset, bytes, source, self->before_send != NULL ? 1 : 0,
                           self->before_send != NULL ? &self->before_send : NULL, &self->sent);
  event_release(&self->before_send);
  self->before_send = now;
  if (code == CL_SUCCESS) code = clEnqueueBarrierWithWaitList(self->queue, 1, &self->sent, NULL);
  if (code == CL_SUCCESS) code = clFlush(self->queue);
  if (code == CL_SUCCESS) code = clFlush(self->transfers);
  return code == CL_SUCCESS ? MLP_CL_OK : fail_cl(error, code, "sending rows to %s", self->base.device.name);
}

/* A CPU copies by itself, whatever the queue: there the write goes behind the work. And between two queues of Intel's
 * CPU runtime (2026.2) work begins before what it waits for has ended. */
mlp_cl_status opencl_tensor_send(backend *base, tensor *target, size_t first, size_t rows, const void *source,
                                 mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  size_t row_bytes = target->cols * tensor_element_bytes(target->element);
  cl_mem buffer = opencl_of(target)->buffer;
  if (self->sent != NULL) TRY_CL(clWaitForEvents(1, &self->sent), "waiting for a transfer");
  event_release(&self->sent);
  if (base->device.type != MLP_CL_DEVICE_CPU)
    return send_beside(self, buffer, first * row_bytes, rows * row_bytes, source, error);
  TRY_CL(clEnqueueWriteBuffer(self->queue, buffer, CL_FALSE, first * row_bytes, rows * row_bytes, source, 0, NULL,
                              &self->sent),
         "sending rows to %s", base->device.name);
  TRY_CL(clFlush(self->queue), "sending rows to %s", base->device.name);
  return MLP_CL_OK;
}

void opencl_transfers_release(opencl_backend *self) {
  if (self->transfers != NULL) opencl_wait(self, self->transfers);
  event_release(&self->sent);
  event_release(&self->before_send);
  if (self->transfers != NULL) clReleaseCommandQueue(self->transfers);
}

mlp_cl_status opencl_tensor_read(backend *base, const tensor *source, size_t first, size_t rows, void *target,
                                 mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  const opencl_tensor *t = opencl_of(source);
  if (rows == 0) return MLP_CL_OK;
  if (!in_panels(source)) {
    size_t row_bytes = source->cols * tensor_element_bytes(source->element);
    TRY_CL(clEnqueueReadBuffer(self->queue, t->buffer, CL_TRUE, first * row_bytes, rows * row_bytes, target, 0, NULL,
                               NULL),
           "reading a tensor");
    return MLP_CL_OK;
  }
  TRY(staging_reserve(self, source, rows, error));
  float *staging = self->staging;
  cl_int code = CL_SUCCESS;
  size_t panels = opencl_panels(source), piece = rows * LINE_BYTES;
  for (size_t p = 0; p < panels && code == CL_SUCCESS; p++)
    code = clEnqueueReadBuffer(self->queue, t->buffer, p + 1 == panels, (p * t->stride + first) * LINE_BYTES, piece,
                               staging + p * rows * PANEL, 0, NULL, NULL);
  if (code != CL_SUCCESS) opencl_wait(self, self->queue);
  if (code == CL_SUCCESS) unpack(source, staging, rows, target);
  return code == CL_SUCCESS ? MLP_CL_OK : fail_cl(error, code, "reading a tensor");
}

/* ---- Transposes ------------------------------------------------------------------------------------------------- */

mlp_cl_status opencl_transposed_create(opencl_backend *self, opencl_tensor *t, mlp_cl_error *error) {
  size_t bytes;
  if (t->transposed != NULL) return MLP_CL_OK;
  if (!panel_bytes(t->base.cols, t->base.rows, &t->transposed_stride, &bytes))
    return fail(error, MLP_CL_BAD_SHAPE, "a tensor of %zu × %zu is too large", t->base.rows, t->base.cols);
  TRY(allocate(self, bytes, &t->transposed, error));
  return fill_zero(self, t->transposed, bytes, error);
}

mlp_cl_status opencl_transposed_update(opencl_backend *self, opencl_tensor *t, size_t rows, mlp_cl_error *error) {
  if (t->transposed_valid) return MLP_CL_OK;
  launch l;
  TRY(opencl_transposed_create(self, t, error));
  TRY(launch_begin(&l, self, "transpose", error));
  launch_int(&l, rows);
  launch_int(&l, t->base.cols);
  launch_tensor(&l, &t->base);
  launch_buffer(&l, t->transposed);
  launch_int(&l, t->transposed_stride);
  TRY(launch_shares(&l, size_divide_up(rows, PANEL) * opencl_panels(&t->base), error));
  t->transposed_valid = true;
  return MLP_CL_OK;
}

mlp_cl_status opencl_room_reserve(opencl_backend *self, opencl_room *room, size_t bytes, mlp_cl_error *error) {
  if (bytes <= room->bytes) return MLP_CL_OK;
  if (room->buffer != NULL) clReleaseMemObject(room->buffer); /* work in flight keeps its own reference */
  *room = (opencl_room){NULL, 0};
  TRY(allocate(self, bytes, &room->buffer, error));
  room->bytes = bytes;
  return fill_zero(self, room->buffer, bytes, error); /* padding is computed with */
}
