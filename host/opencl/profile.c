/* profile: when each kernel began and ended, written as a trace that Perfetto and chrome://tracing show. Memory is
 * bounded: the first launches are kept and the rest counted. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/atomic_file.h"
#include "opencl/internal.h"

/* Launches whose times are still to come; more are waited for. Launches that are kept. */
enum { PENDING_MAX = 256, RECORDS_MAX = 1 << 17 };

typedef struct record {
  const char *kernel; /* a literal */
  uint32_t items[2], group[2];
  double began_us, ended_us; /* since the profile began */
} record;

struct opencl_profile {
  enum { CLOCK_UNKNOWN, CLOCK_DEVICE, CLOCK_WALL } clock;
  double origin_s;        /* wall clock at the first launch */
  cl_ulong device_origin; /* device clock in ns at the same time */
  uint64_t launches;      /* in all */
  size_t count, capacity;
  record *records;
  cl_event pending[PENDING_MAX]; /* of the last records, the oldest at `first` */
  size_t pending_first, pending_count;
};

mlp_cl_status opencl_profile_create(opencl_backend *self, mlp_cl_error *error) {
  self->profile = calloc(1, sizeof *self->profile);
  return self->profile != NULL ? MLP_CL_OK : fail_memory(error, sizeof *self->profile, "a profile");
}

void opencl_profile_release(opencl_backend *self) {
  opencl_profile *p = self->profile;
  if (p == NULL) return;
  for (; p->pending_count > 0; p->pending_count--) {
    clReleaseEvent(p->pending[p->pending_first]);
    p->pending_first = (p->pending_first + 1) % PENDING_MAX;
  }
  free(p->records);
  free(p);
  self->profile = NULL;
}

/* ---- Times ------------------------------------------------------------------------------------------------------- */

typedef struct event_times {
  cl_ulong queued, start, end; /* ns */
} event_times;

static bool read_times(cl_event event, event_times *t) {
  return clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_QUEUED, sizeof t->queued, &t->queued, NULL) ==
             CL_SUCCESS &&
         clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof t->start, &t->start, NULL) == CL_SUCCESS &&
         clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof t->end, &t->end, NULL) == CL_SUCCESS &&
         t->queued <= t->start && t->start <= t->end;
}

/* Some drivers make times up (0, 1, 2, 3) or count in units of their own: what was queued within `waited_s` of wall
 * clock and is over must have taken about as long by the device's, at most. */
static bool plausible(const event_times *t, double waited_s) {
  double took_s = 1e-9 * (double)(t->end - t->queued);
  return t->queued > 1000 && took_s > 0.02 * waited_s && took_s < 1.5 * waited_s + 1e-3;
}

/* The first launch is waited for, which tells whether the driver's times can be believed. */
static mlp_cl_status choose_clock(opencl_profile *p, cl_event event, double began_s, mlp_cl_error *error) {
  event_times t;
  TRY_CL(clWaitForEvents(1, &event), "waiting for a launch to profile");
  p->origin_s = began_s;
  p->clock = read_times(event, &t) && plausible(&t, clock_now_s() - began_s) ? CLOCK_DEVICE : CLOCK_WALL;
  if (p->clock == CLOCK_DEVICE) p->device_origin = t.queued;
  return MLP_CL_OK;
}

/* The oldest of the pending launches: its record gets its times. */
static mlp_cl_status complete_oldest(opencl_profile *p, mlp_cl_error *error) {
  cl_event event = p->pending[p->pending_first];
  record *r = &p->records[p->count - p->pending_count];
  event_times t;
  cl_int code = clWaitForEvents(1, &event);
  bool read = code == CL_SUCCESS && read_times(event, &t);
  clReleaseEvent(event);
  p->pending_first = (p->pending_first + 1) % PENDING_MAX;
  p->pending_count--;
  if (code != CL_SUCCESS) return fail_cl(error, code, "waiting for a launch to profile");
  if (read) {
    r->began_us = ((double)t.start - (double)p->device_origin) * 1e-3;
    r->ended_us = ((double)t.end - (double)p->device_origin) * 1e-3;
  }
  return MLP_CL_OK;
}

/* ---- Recording --------------------------------------------------------------------------------------------------- */

static bool grow(opencl_profile *p) {
  if (p->count < p->capacity) return true;
  size_t capacity = p->capacity > 0 ? 2 * p->capacity : 1024;
  record *more = realloc(p->records, capacity * sizeof *more);
  if (more == NULL) return false;
  p->records = more;
  p->capacity = capacity;
  return true;
}

bool opencl_profile_wants(opencl_backend *self) {
  opencl_profile *p = self->profile;
  if (p == NULL || !self->base.profiling) return false;
  p->launches++;
  return p->count < RECORDS_MAX && grow(p);
}

mlp_cl_status opencl_profile_add(opencl_backend *self, const char *kernel, const size_t global[2],
                                 const size_t local[2], double began_s, cl_event event, mlp_cl_error *error) {
  opencl_profile *p = self->profile;
  mlp_cl_status status = p->clock == CLOCK_UNKNOWN ? choose_clock(p, event, began_s, error) : MLP_CL_OK;
  if (status == MLP_CL_OK && p->clock == CLOCK_WALL) {
    cl_int code = clWaitForEvents(1, &event);
    if (code != CL_SUCCESS) status = fail_cl(error, code, "waiting for a launch to profile");
  }
  if (status == MLP_CL_OK && p->pending_count == PENDING_MAX) status = complete_oldest(p, error);
  if (status != MLP_CL_OK) {
    clReleaseEvent(event);
    return status;
  }
  p->records[p->count++] = (record){.kernel = kernel,
                                    .items = {(uint32_t)global[0], (uint32_t)global[1]},
                                    .group = {(uint32_t)local[0], (uint32_t)local[1]},
                                    .began_us = (began_s - p->origin_s) * 1e6,
                                    .ended_us = (clock_now_s() - p->origin_s) * 1e6};
  if (p->clock == CLOCK_WALL) {
    clReleaseEvent(event);
    return MLP_CL_OK;
  }
  p->pending[(p->pending_first + p->pending_count++) % PENDING_MAX] = event;
  return MLP_CL_OK;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* Microseconds with three decimals, whatever the locale says of the point. */
typedef struct microseconds {
  char text[32];
} microseconds;

static microseconds format_us(double us) {
  microseconds m;
  int64_t ns = us > 0 ? (int64_t)(us * 1e3 + 0.5) : 0;
  snprintf(m.text, sizeof m.text, "%" PRId64 ".%03d", ns / 1000, (int)(ns % 1000));
  return m;
}

static mlp_cl_status write_head(atomic_file *file, const opencl_backend *self, mlp_cl_error *error) {
  const opencl_profile *p = self->profile;
  char text[2048];
  json_t *name = json_sprintf("mlp_cl on %s", self->base.device.name);
  char *quoted = name != NULL ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
  int length =
      snprintf(text, sizeof text,
               "{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"version\":\"%s\",\"clock\":\"%s\",\"launches\":%" PRIu64
               ",\"recorded\":%zu},\n\"traceEvents\":[\n"
               "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"tid\":1,\"args\":{\"name\":%s}},\n"
               "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"kernels\"}}",
               mlp_cl_version(), p->clock == CLOCK_WALL ? "wall" : "device", p->launches, p->count,
               quoted != NULL ? quoted : "\"mlp_cl\"");
  free(quoted);
  json_decref(name);
  return atomic_file_write(file, text, (size_t)length, error);
}

static mlp_cl_status write_records(atomic_file *file, const opencl_profile *p, mlp_cl_error *error) {
  enum { RECORD_BYTES_MAX = 512 };
  char text[64 * RECORD_BYTES_MAX];
  size_t used = 0;
  for (size_t i = 0; i < p->count; i++) {
    const record *r = &p->records[i];
    used += (size_t)snprintf(text + used, RECORD_BYTES_MAX,
                             ",\n{\"ph\":\"X\",\"cat\":\"kernel\",\"name\":\"%s\",\"pid\":1,\"tid\":1,\"ts\":%s,"
                             "\"dur\":%s,\"args\":{\"work_items\":[%" PRIu32 ",%" PRIu32 "],\"work_group\":[%" PRIu32
                             ",%" PRIu32 "]}}",
                             r->kernel, format_us(r->began_us).text, format_us(r->ended_us - r->began_us).text,
                             r->items[0], r->items[1], r->group[0], r->group[1]);
    if (used <= sizeof text - RECORD_BYTES_MAX) continue;
    TRY(atomic_file_write(file, text, used, error));
    used = 0;
  }
  TRY(atomic_file_write(file, text, used, error));
  return atomic_file_write(file, "\n]}\n", 4, error);
}

mlp_cl_status opencl_profile_write(backend *base, const char *path, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  if (self->profile == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "nothing was recorded: open the context with profile = true");
  while (self->profile->pending_count > 0) TRY(complete_oldest(self->profile, error));
  atomic_file file;
  TRY(atomic_file_begin(&file, path, error));
  mlp_cl_status status = write_head(&file, self, error);
  if (status == MLP_CL_OK) status = write_records(&file, self->profile, error);
  if (status == MLP_CL_OK) return atomic_file_commit(&file, error);
  atomic_file_abandon(&file);
  return status;
}
