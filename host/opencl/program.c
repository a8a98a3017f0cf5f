/* Kernel sources to kernels: expands #include "…" from the embedded files, builds a file on first use and remembers it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/size.h"
#include "opencl/internal.h"

/* A growing text. */
typedef struct text {
  char *bytes;
  size_t count, capacity;
} text;

static bool text_append(text *t, const char *bytes, size_t count) {
  if (t->count + count + 1 > t->capacity) {
    size_t capacity = 2 * (t->count + count + 1);
    char *more = realloc(t->bytes, capacity);
    if (more == NULL) return false;
    t->bytes = more;
    t->capacity = capacity;
  }
  memcpy(t->bytes + t->count, bytes, count);
  t->count += count;
  t->bytes[t->count] = '\0';
  return true;
}

static const embedded_file *find_file(const char *name, size_t length) {
  for (const embedded_file *f = embedded_kernels; f->name != NULL; f++)
    if (strlen(f->name) == length && memcmp(f->name, name, length) == 0) return f;
  return NULL;
}

static bool append_line_directive(text *t, size_t line, const char *file) {
  char directive[128];
  int length = snprintf(directive, sizeof directive, "#line %zu \"%s\"\n", line, file);
  return text_append(t, directive, (size_t)length);
}

/* Appends the file with its includes in their place; #line keeps the compiler's messages true. Guards in the headers do
 * what they always do. */
static bool expand(text *t, const embedded_file *file) {
  static const char include[] = "#include \"";
  const char *at = (const char *)file->bytes;
  if (!append_line_directive(t, 1, file->name)) return false;
  for (size_t line = 1; *at != '\0'; line++) {
    const char *end = strchr(at, '\n');
    end = end != NULL ? end + 1 : at + strlen(at);
    const embedded_file *included = NULL;
    if (strncmp(at, include, sizeof include - 1) == 0) {
      const char *name = at + sizeof include - 1;
      const char *quote = memchr(name, '"', (size_t)(end - name));
      included = quote != NULL ? find_file(name, (size_t)(quote - name)) : NULL;
    }
    if (included != NULL) {
      if (!expand(t, included) || !append_line_directive(t, line + 1, file->name)) return false;
    } else if (!text_append(t, at, (size_t)(end - at))) {
      return false;
    }
    at = end;
  }
  return true;
}

static void build_options(const opencl_tuning *u, char *options, size_t size) {
  int length = snprintf(options, size, "-cl-std=CL1.2 -w -DTILE_ROWS=%d -DUNIT_ROWS=%d -DGROUP_ROWS=%d -DGROUP_COLS=%d",
                        u->tile_rows, u->unit_rows, u->group_rows, u->group_cols);
  snprintf(options + length, size - (size_t)length, " -DITEM_ROWS=%d -DITEM_COLS=%d -DSLAB_UNROLL=%d -DVECTOR_LINES=%d",
           u->item_rows, u->item_cols, u->slab_unroll, u->variant == VARIANT_PANEL);
}

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

mlp_cl_status opencl_program_build(opencl_backend *self, const char *file, cl_program *built, mlp_cl_error *error) {
  text source = {0};
  const embedded_file *embedded = find_file(file, strlen(file));
  if (embedded == NULL) return fail(error, MLP_CL_BUILD, "there is no kernels/%s in this build", file);
  if (!expand(&source, embedded)) {
    free(source.bytes);
    return fail_memory(error, source.count, file);
  }
  const char *sources[1] = {source.bytes};
  cl_int code;
  cl_program program = clCreateProgramWithSource(self->context, 1, sources, &source.count, &code);
  free(source.bytes);
  TRY_CL(code, "creating a program from kernels/%s", file);
  char options[256];
  build_options(&self->tuning, options, sizeof options);
  code = clBuildProgram(program, 1, &self->device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    mlp_cl_status status = fail_build(self, program, file, code, error);
    clReleaseProgram(program);
    return status;
  }
  *built = program;
  return MLP_CL_OK;
}

static mlp_cl_status build_program(opencl_backend *self, mlp_cl_error *error) {
  static const char *const files[] = {
      [VARIANT_PLAIN] = "program_plain.cl", [VARIANT_PANEL] = "program_panel.cl", [VARIANT_TILE] = "program_tile.cl"};
  return opencl_program_build(self, files[self->tuning.variant], &self->program, error);
}

mlp_cl_status opencl_kernel_get(opencl_backend *self, const char *name, cl_kernel *kernel, mlp_cl_error *error) {
  for (size_t i = 0; i < self->kernels_count; i++)
    if (strcmp(self->kernels[i].name, name) == 0) {
      *kernel = self->kernels[i].kernel;
      return MLP_CL_OK;
    }
  if (self->kernels_count == KERNELS_MAX) return fail(error, MLP_CL_BUILD, "more than %d kernels", KERNELS_MAX);
  if (self->program == NULL) TRY(build_program(self, error));
  cl_int code;
  *kernel = clCreateKernel(self->program, name, &code);
  if (code != CL_SUCCESS)
    return fail(error, MLP_CL_BUILD, "kernel %s is built on %s, but cannot be created: %s (%" PRId32 ")", name,
                self->base.device.name, opencl_error_name(code), code);
  self->kernels[self->kernels_count++] = (opencl_kernel){name, *kernel};
  return MLP_CL_OK;
}

void opencl_program_release(opencl_backend *self) {
  while (self->kernels_count > 0) clReleaseKernel(self->kernels[--self->kernels_count].kernel);
  if (self->program != NULL) clReleaseProgram(self->program);
  self->program = NULL;
}
