/* Kernels by name: a program is built from source, or from what its driver made of it before, on first use. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/identity.h"
#include "base/cache.h"
#include "opencl/internal.h"

static mlp_cl_status fail_build(opencl_backend *self, cl_program program, const char *file, cl_int code,
                                mlp_cl_error *error) {
  char log[1536] = "(the driver gives no log)";
  size_t size = 0;
  clGetProgramBuildInfo(program, self->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
  char *whole = size > 0 ? calloc(1, size + 1) : NULL;
  if (whole != NULL &&
      clGetProgramBuildInfo(program, self->device, CL_PROGRAM_BUILD_LOG, size, whole, NULL) == CL_SUCCESS)
    snprintf(log, sizeof log, "%s", whole);
  free(whole);
  return fail(error, MLP_CL_BUILD, "kernels/%s does not build on %s: %s (%" PRId32 ")\n%s", file,
              self->base.device.name, opencl_error_name(code), code, log);
}

/* ---- Programs kept between runs ---------------------------------------------------------------------------------- */

/* PoCL compiles a kernel when it is first launched and keeps it, but before it hands out a program it compiles all of
 * its kernels for every size of work-groups: seconds, to save the hundredth of one that it needs to find its own. */
static bool worth_keeping(const opencl_backend *self) {
  return strstr(self->base.device.platform, "Portable Computing Language") == NULL;
}

/* All that a driver's binary depends on. */
static void program_key(const opencl_backend *self, const char *source, const char *options, char key[65]) {
  sha256 state;
  sha256_begin(&state);
  sha256_add_text(&state, "program");
  identity_add(&self->base, &state);
  sha256_add_text(&state, source);
  sha256_add_text(&state, options);
  sha256_end(&state, key);
}

/* NULL when there is none, or when the driver does not take it. */
static cl_program load_program(const opencl_backend *self, const char key[65], const char *options) {
  size_t count;
  unsigned char *bytes = cache_read(key, &count);
  if (bytes == NULL) return NULL;
  const unsigned char *binaries[1] = {bytes};
  cl_int code, taken;
  cl_program program = clCreateProgramWithBinary(self->context, 1, &self->device, &count, binaries, &taken, &code);
  free(bytes);
  if (code != CL_SUCCESS) return NULL;
  if (taken == CL_SUCCESS && clBuildProgram(program, 1, &self->device, options, NULL, NULL) == CL_SUCCESS)
    return program;
  clReleaseProgram(program);
  return NULL;
}

static void keep_program(cl_program program, const char key[65]) {
  size_t count = 0;
  if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof count, &count, NULL) != CL_SUCCESS || count == 0)
    return;
  unsigned char *bytes = malloc(count);
  if (bytes != NULL && clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL) == CL_SUCCESS)
    cache_write(key, bytes, count);
  free(bytes);
}

/* ---- Building ---------------------------------------------------------------------------------------------------- */

static mlp_cl_status build_source(opencl_backend *self, const char *file, const char *source, size_t count,
                                  const char *options, cl_program *built, mlp_cl_error *error) {
  cl_int code;
  cl_program program = clCreateProgramWithSource(self->context, 1, &source, &count, &code);
  TRY_CL(code, "creating a program from kernels/%s", file);
  code = clBuildProgram(program, 1, &self->device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    mlp_cl_status status = fail_build(self, program, file, code, error);
    clReleaseProgram(program);
    return status;
  }
  *built = program;
  return MLP_CL_OK;
}

mlp_cl_status opencl_program_build(opencl_backend *self, const char *file, cl_program *built, mlp_cl_error *error) {
  char key[65], *source;
  const char *options = self->base.build_options;
  size_t count;
  bool keep = worth_keeping(self);
  TRY(opencl_source(file, &source, &count, error));
  program_key(self, source, options, key);
  *built = keep ? load_program(self, key, options) : NULL;
  mlp_cl_status status = MLP_CL_OK;
  if (*built == NULL) {
    status = build_source(self, file, source, count, options, built, error);
    if (status == MLP_CL_OK && keep) keep_program(*built, key);
  }
  free(source);
  return status;
}

/* ---- Kernels ----------------------------------------------------------------------------------------------------- */

/* Kernels that most runs do without are programs of their own. */
static const char *file_of(const opencl_backend *self, const char *kernel) {
  static const char *const files[] = {
      [VARIANT_PLAIN] = "program_plain.cl", [VARIANT_PANEL] = "program_panel.cl", [VARIANT_TILE] = "program_tile.cl"};
  static const struct {
    const char *kernel, *file;
  } apart[] = {{"train_steps", "program_steps.cl"},
               {"dense_forward_small", "matmul_tile_small.cl"},
               {"dense_backward_input_small", "matmul_tile_small.cl"},
               {"dense_backward_weight_small", "matmul_tile_small.cl"},
               {"activation_forward", "activation.cl"},
               {"activation_backward", "activation.cl"},
               {"target_loss", "target_loss.cl"},
               {"adam", "adam.cl"},
               {"dense_backward_weight_adam", "program_adam.cl"},
               {"dense_backward_weight_adam_small", "program_adam_small.cl"},
               {"train_steps_adam", "program_steps_adam.cl"},
               {"train_steps_targets", "program_steps_targets.cl"},
               {"train_steps_targets_adam", "program_steps_targets_adam.cl"},
               {"squared_blocks", "clip.cl"},
               {"squared_sum", "clip.cl"},
               {"clip", "clip.cl"},
               {"label_terms", "label_terms.cl"}};
  for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
    if (strcmp(apart[i].kernel, kernel) == 0) return apart[i].file;
  return files[self->tuning.variant];
}

/* The program of the file, which is built on first use. */
static mlp_cl_status get_program(opencl_backend *self, const char *file, cl_program *program, mlp_cl_error *error) {
  for (size_t i = 0; i < self->programs_count; i++)
    if (strcmp(self->programs[i].file, file) == 0) {
      *program = self->programs[i].program;
      return MLP_CL_OK;
    }
  if (self->programs_count == PROGRAMS_MAX) return fail(error, MLP_CL_BUILD, "more than %d programs", PROGRAMS_MAX);
  TRY(opencl_program_build(self, file, program, error));
  self->programs[self->programs_count++] = (opencl_program){file, *program};
  return MLP_CL_OK;
}

mlp_cl_status opencl_kernel_get(opencl_backend *self, const char *name, cl_kernel *kernel, mlp_cl_error *error) {
  for (size_t i = 0; i < self->kernels_count; i++)
    if (strcmp(self->kernels[i].name, name) == 0) {
      *kernel = self->kernels[i].kernel;
      return MLP_CL_OK;
    }
  if (self->kernels_count == KERNELS_MAX) return fail(error, MLP_CL_BUILD, "more than %d kernels", KERNELS_MAX);
  cl_program program;
  TRY(get_program(self, file_of(self, name), &program, error));
  cl_int code;
  *kernel = clCreateKernel(program, name, &code);
  if (code != CL_SUCCESS)
    return fail(error, MLP_CL_BUILD, "kernel %s is built on %s, but cannot be created: %s (%" PRId32 ")", name,
                self->base.device.name, opencl_error_name(code), code);
  self->kernels[self->kernels_count++] = (opencl_kernel){name, *kernel};
  return MLP_CL_OK;
}

void opencl_program_release(opencl_backend *self) {
  while (self->kernels_count > 0) clReleaseKernel(self->kernels[--self->kernels_count].kernel);
  while (self->programs_count > 0) clReleaseProgram(self->programs[--self->programs_count].program);
}
