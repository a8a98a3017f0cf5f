/* peak: what the device can do at most. A program and memory of its own, which nobody pays for who does not ask. */
#include <stdlib.h>

#include "base/size.h"
#include "opencl/internal.h"

enum { PIECE_BYTES_MAX = 64 };
/* Larger than caches; each of the two buffers. */
static const size_t copy_bytes_wanted = (size_t)128 << 20;

static const char *const names[] = {[PEAK_FMA] = "peak_fma", [PEAK_COPY] = "peak_copy", [PEAK_LAUNCH] = "peak_nothing"};

struct opencl_peak {
  cl_program program;
  cl_kernel kernels[3]; /* by peak_kind */
  cl_mem from, to, result;
  size_t copy_bytes;
  size_t groups, local, rounds; /* of peak_fma */
};

void opencl_peak_release(opencl_backend *self) {
  opencl_peak *p = self->peak;
  if (p == NULL) return;
  cl_mem buffers[] = {p->from, p->to, p->result};
  for (size_t i = 0; i < 3; i++) {
    if (buffers[i] != NULL) clReleaseMemObject(buffers[i]);
    if (p->kernels[i] != NULL) clReleaseKernel(p->kernels[i]);
  }
  if (p->program != NULL) clReleaseProgram(p->program);
  free(p);
  self->peak = NULL;
}

static mlp_cl_status allocate(opencl_backend *self, size_t bytes, cl_mem *buffer, mlp_cl_error *error) {
  static const cl_float one = 1.0f;
  cl_int code;
  *buffer = clCreateBuffer(self->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
  TRY_CL(code, "allocating %zu bytes to measure with", bytes);
  TRY_CL(clEnqueueFillBuffer(self->queue, *buffer, &one, sizeof one, 0, bytes, 0, NULL, NULL), "filling %zu bytes",
         bytes);
  return MLP_CL_OK;
}

static launch launch_of(opencl_backend *self, peak_kind kind) {
  return (launch){.self = self, .kernel = self->peak->kernels[kind], .name = names[kind], .code = CL_SUCCESS};
}

/* A value that stays near 1 in all chains: nothing overflows or becomes subnormal. */
static mlp_cl_status run_fma(opencl_backend *self, double *amount, mlp_cl_error *error) {
  const opencl_peak *p = self->peak;
  size_t lines = (size_t)(self->tuning.tile_rows * self->tuning.tile_panels);
  size_t chains = self->tuning.variant == VARIANT_PANEL ? lines * PANEL : PANEL;
  size_t items = p->groups * p->local;
  launch l = launch_of(self, PEAK_FMA);
  launch_int(&l, p->rounds);
  launch_float(&l, 0.5f);
  launch_float(&l, 0.5f);
  launch_buffer(&l, p->result);
  *amount = 2.0 * PEAK_UNROLL * (double)chains * (double)p->rounds * (double)items;
  return launch_run(&l, items, 1, p->local, 1, error);
}

/* A launch that is long beside its start, on devices that differ by four orders of magnitude. */
static mlp_cl_status choose_rounds(opencl_backend *self, mlp_cl_error *error) {
  static const double long_s = 0.005;
  opencl_peak *p = self->peak;
  double amount, took = 0;
  p->rounds = 8;
  TRY(run_fma(self, &amount, error)); /* which also compiles */
  TRY_CL(opencl_wait(self, self->queue), "measuring the device's peak");
  while (took < long_s && p->rounds < self->tuning.longest_sum / (4 * PEAK_UNROLL) && p->rounds < 1 << 24) {
    p->rounds *= 2;
    double began = clock_now_s();
    TRY(run_fma(self, &amount, error));
    TRY_CL(opencl_wait(self, self->queue), "measuring the device's peak");
    took = clock_now_s() - began;
  }
  return MLP_CL_OK;
}

static mlp_cl_status prepare(opencl_backend *self, mlp_cl_error *error) {
  opencl_peak *p = self->peak;
  cl_int code;
  TRY(opencl_program_build(self, "peak.cl", &p->program, error));
  for (size_t i = 0; i < 3; i++) {
    p->kernels[i] = clCreateKernel(p->program, names[i], &code);
    TRY_CL(code, "creating kernel %s", names[i]);
  }
  p->local = self->tuning.variant == VARIANT_PANEL ? 1 : size_min(256, (size_t)self->base.device.work_group_size);
  p->groups = 8 * (size_t)self->base.device.compute_units;
  size_t largest = (size_t)self->base.device.largest_allocation_bytes;
  p->copy_bytes = size_min(copy_bytes_wanted, largest / 4) / PIECE_BYTES_MAX * PIECE_BYTES_MAX;
  TRY(allocate(self, p->groups * p->local * sizeof(cl_float16), &p->result, error));
  TRY(allocate(self, p->copy_bytes, &p->from, error));
  TRY(allocate(self, p->copy_bytes, &p->to, error));
  return choose_rounds(self, error);
}

static mlp_cl_status run_copy(opencl_backend *self, double *amount, mlp_cl_error *error) {
  const opencl_peak *p = self->peak;
  size_t count = p->copy_bytes / (self->tuning.variant == VARIANT_PANEL ? sizeof(cl_float16) : sizeof(cl_float4));
  launch l = launch_of(self, PEAK_COPY);
  launch_ulong(&l, count);
  launch_buffer(&l, p->from);
  launch_buffer(&l, p->to);
  *amount = 2.0 * (double)p->copy_bytes;
  return launch_shares(&l, count, error);
}

/* Not recorded: a profile would be part of what is measured, and so many launches leave no room there for others. */
static mlp_cl_status run_nothing(opencl_backend *self, double *amount, mlp_cl_error *error) {
  launch l = launch_of(self, PEAK_LAUNCH);
  launch_buffer(&l, self->peak->result);
  *amount = 1;
  bool profiling = self->base.profiling;
  self->base.profiling = false;
  mlp_cl_status status = launch_run(&l, 1, 1, 1, 1, error);
  self->base.profiling = profiling;
  return status;
}

mlp_cl_status opencl_peak_run(backend *base, peak_kind kind, double *amount, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  if (self->peak == NULL) {
    self->peak = calloc(1, sizeof *self->peak);
    if (self->peak == NULL) return fail_memory(error, sizeof *self->peak, "measuring a device");
    mlp_cl_status status = prepare(self, error);
    if (status != MLP_CL_OK) {
      opencl_peak_release(self);
      return status;
    }
  }
  switch (kind) {
    case PEAK_FMA: return run_fma(self, amount, error);
    case PEAK_COPY: return run_copy(self, amount, error);
    case PEAK_LAUNCH: break;
  }
  return run_nothing(self, amount, error);
}
