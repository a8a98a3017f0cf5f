/* See keep.h. */
#include "keep.h"

#include <stdlib.h>
#include <string.h>

#include "functions.h"

enum { PROGRAMS_MAX = 16 };

static const cl_icd_dispatch *driver;

static struct {
  cl_context context;
  struct {
    cl_program program;
    char *source, *options;
  } programs[PROGRAMS_MAX];
  size_t programs_count;
} kept;

static cl_context CL_API_CALL keep_context(const cl_context_properties *properties, cl_uint count,
                                           const cl_device_id *devices, notify_context notify, void *user,
                                           cl_int *status) {
  if (kept.context == NULL) kept.context = driver->clCreateContext(properties, count, devices, notify, user, status);
  if (kept.context != NULL) *status = driver->clRetainContext(kept.context);
  return kept.context;
}

static cl_program CL_API_CALL keep_program(cl_context context, cl_uint count, const char **sources,
                                           const size_t *lengths, cl_int *status) {
  if (count != 1 || lengths == NULL || kept.programs_count == PROGRAMS_MAX) abort();
  size_t i = 0;
  while (i < kept.programs_count && (strlen(kept.programs[i].source) != lengths[0] ||
                                     memcmp(kept.programs[i].source, sources[0], lengths[0]) != 0))
    i++;
  if (i == kept.programs_count) {
    cl_program created = driver->clCreateProgramWithSource(context, 1, sources, lengths, status);
    if (created == NULL) return NULL;
    kept.programs[i].program = created;
    kept.programs[i].source = strndup(sources[0], lengths[0]);
    kept.programs_count++;
  }
  *status = driver->clRetainProgram(kept.programs[i].program);
  return kept.programs[i].program;
}

static cl_int CL_API_CALL keep_build(cl_program program, cl_uint count, const cl_device_id *devices,
                                     const char *options, notify_program notify, void *user) {
  size_t i = 0;
  while (kept.programs[i].program != program) i++;
  char **built = &kept.programs[i].options;
  if (*built != NULL && strcmp(*built, options) == 0) return CL_SUCCESS;
  if (*built != NULL) abort();
  cl_int code = driver->clBuildProgram(program, count, devices, options, notify, user);
  if (code == CL_SUCCESS) *built = strdup(options);
  return code;
}

void keep_programs(const cl_icd_dispatch *target, cl_icd_dispatch *keeping) {
  driver = target;
  keeping->clCreateContext = keep_context;
  keeping->clCreateProgramWithSource = keep_program;
  keeping->clBuildProgram = keep_build;
}
