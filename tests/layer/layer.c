/* See layer.h. The wrapper of each function is made from its line in functions.h. */
#include "layer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edits.h"
#include "functions.h"
#include "keep.h"

enum { LOST_CODE = CL_OUT_OF_RESOURCES, KERNELS_MAX = 256, NAME_MAX_BYTES = 64 };

enum function {
#define NAME(name, ...) FUNCTION_##name,
  LAYER_FUNCTIONS(NAME, NAME, NAME, NAME, NAME, NAME)
#undef NAME
      FUNCTIONS_COUNT
};

static const struct {
  const char *name;
  cl_int code;
} functions[] = {
#define ENTRY(name, code, ...) {#name, code},
    LAYER_FUNCTIONS(ENTRY, ENTRY, ENTRY, ENTRY, ENTRY, ENTRY)
#undef ENTRY
};

#include "codes.h"

enum type { TYPE_cl_context, TYPE_cl_command_queue, TYPE_cl_mem, TYPE_cl_program, TYPE_cl_kernel, TYPE_cl_event };
static const char *const types[] = {"cl_context", "cl_command_queue", "cl_mem", "cl_program", "cl_kernel", "cl_event"};
enum { TYPES_COUNT = sizeof types / sizeof *types };

/* Handles come again after a release, and contexts create kernels of the same name: one entry for each name. */
typedef struct kernel_count {
  char name[NAME_MAX_BYTES];
  uint64_t launches;
} kernel_count;

static struct layer {
  const cl_icd_dispatch *target; /* what the wrappers call; NULL before the loader takes the layer in */
  cl_icd_dispatch own, keeping;
  bool keeps;
  uint64_t calls[FUNCTIONS_COUNT], calls_in_all, waits, transfers;
  int64_t objects[TYPES_COUNT];
  kernel_count kernels[KERNELS_MAX];
  size_t kernels_count;
  struct {
    cl_kernel handle;
    size_t name; /* in kernels */
  } handles[KERNELS_MAX];
  size_t handles_count;
  int hanging; /* the function, or -1 */
  uint64_t hangs_in;
  int failing; /* the function, or -1 */
  cl_int failing_code;
  uint64_t fails_in, lost_in; /* calls from now; 0: never */
  bool lost;
  bool gpu;
  size_t group_most; /* 0: as the device says, as the next */
  cl_ulong local_bytes;
  const char *options; /* for clBuildProgram, or NULL */
  char skipped[NAME_MAX_BYTES];
  uint64_t skips_in; /* launches from now; 0: never */
} layer = {.failing = -1, .hanging = -1};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int find_function(const char *name) {
  for (int i = 0; i < FUNCTIONS_COUNT; i++)
    if (strcmp(functions[i].name, name) == 0) return i;
  fprintf(stderr, "layer: functions.h does not list \"%s\"\n", name);
  abort();
}

/* ---- What each wrapper does ------------------------------------------------------------------------------------- */

/* Counts the call; CL_SUCCESS, or the code that it must fail with. */
static cl_int enter(enum function function) {
  cl_int code = CL_SUCCESS;
  pthread_mutex_lock(&mutex);
  layer.calls[function]++;
  layer.calls_in_all++;
  if (layer.lost_in > 0 && --layer.lost_in == 0) layer.lost = true;
  if (layer.lost) code = LOST_CODE;
  bool hang = layer.hanging == (int)function && --layer.hangs_in == 0;
  if (layer.failing == (int)function && --layer.fails_in == 0) {
    layer.failing = -1;
    code = layer.failing_code;
  }
  pthread_mutex_unlock(&mutex);
  while (hang) pause();
  return code;
}

static void count_wait(void) {
  pthread_mutex_lock(&mutex);
  layer.waits++;
  layer.transfers = 0;
  pthread_mutex_unlock(&mutex);
}

/* A write that blocks has read its own memory when it returns, and no more. */
static void count_transfer(enum function function, bool blocking) {
  if (blocking && function != FUNCTION_clEnqueueWriteBuffer) {
    count_wait();
    return;
  }
  pthread_mutex_lock(&mutex);
  layer.waits += blocking;
  layer.transfers += !blocking;
  pthread_mutex_unlock(&mutex);
}

static void count_object(enum type type, int change) {
  pthread_mutex_lock(&mutex);
  layer.objects[type] += change;
  pthread_mutex_unlock(&mutex);
}

#define WRAP_ASK(name, failure, parameters, arguments)               \
  static cl_int CL_API_CALL wrapped_##name parameters {              \
    cl_int code = enter(FUNCTION_##name);                            \
    return code != CL_SUCCESS ? code : layer.target->name arguments; \
  }

/* A device that was lost does not touch memory any more: so its work is let come to an end first. */
#define WRAP_WAIT(name, failure, parameters, arguments)     \
  static cl_int CL_API_CALL wrapped_##name parameters {     \
    cl_int code = enter(FUNCTION_##name);                   \
    if (FUNCTION_##name == FUNCTION_clFinish) count_wait(); \
    if (code != CL_SUCCESS && !layer.lost) return code;     \
    cl_int real = layer.target->name arguments;             \
    return code != CL_SUCCESS ? code : real;                \
  }

#define WRAP_ENQUEUE(name, failure, parameters, arguments)                   \
  static cl_int CL_API_CALL wrapped_##name parameters {                      \
    cl_int code = enter(FUNCTION_##name);                                    \
    if (code == CL_SUCCESS) code = layer.target->name arguments;             \
    if (code == CL_SUCCESS && event != NULL) count_object(TYPE_cl_event, 1); \
    return code;                                                             \
  }

#define WRAP_TRANSFER(name, failure, parameters, arguments)                  \
  static cl_int CL_API_CALL wrapped_##name parameters {                      \
    cl_int code = enter(FUNCTION_##name);                                    \
    count_transfer(FUNCTION_##name, blocking == CL_TRUE);                    \
    if (code == CL_SUCCESS) code = layer.target->name arguments;             \
    if (code == CL_SUCCESS && event != NULL) count_object(TYPE_cl_event, 1); \
    return code;                                                             \
  }

#define WRAP_CREATE(name, failure, type, parameters, arguments) \
  static type CL_API_CALL wrapped_##name parameters {           \
    cl_int code = enter(FUNCTION_##name);                       \
    if (code != CL_SUCCESS) {                                   \
      if (status != NULL) *status = code;                       \
      return NULL;                                              \
    }                                                           \
    type created = layer.target->name arguments;                \
    if (created != NULL) count_object(TYPE_##type, 1);          \
    return created;                                             \
  }

#define WRAP_RELEASE(name, failure, type)                   \
  static cl_int CL_API_CALL wrapped_##name(type object) {   \
    cl_int code = enter(FUNCTION_##name);                   \
    cl_int real = layer.target->name(object);               \
    if (real == CL_SUCCESS) count_object(TYPE_##type, -1);  \
    return code != CL_SUCCESS && !layer.lost ? code : real; \
  }

LAYER_FUNCTIONS(WRAP_ASK, WRAP_WAIT, WRAP_ENQUEUE, WRAP_TRANSFER, WRAP_CREATE, WRAP_RELEASE)

/* ---- Programs that are built otherwise -------------------------------------------------------------------------- */

static cl_program CL_API_CALL create_program(cl_context context, cl_uint count, const char **sources,
                                             const size_t *lengths, cl_int *status) {
  if (!edits_wanted()) return wrapped_clCreateProgramWithSource(context, count, sources, lengths, status);
  if (count != 1) abort();
  char *source = edits_apply(sources[0], lengths != NULL ? lengths[0] : strlen(sources[0]));
  cl_program created = wrapped_clCreateProgramWithSource(context, 1, (const char **)&source, NULL, status);
  free(source);
  return created;
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint count, const cl_device_id *devices,
                                        const char *options, notify_program notify, void *user) {
  char all[2048];
  snprintf(all, sizeof all, "%s %s", options != NULL ? options : "", layer.options != NULL ? layer.options : "");
  return wrapped_clBuildProgram(program, count, devices, all, notify, user);
}

static void give(void *value, size_t room, const void *other, size_t bytes) {
  if (value != NULL && room >= bytes) memcpy(value, other, bytes);
}

/* A CPU that says it is a GPU is given a GPU's kernels, with the sizes of work-groups that suit one. */
static cl_int CL_API_CALL get_device_info(cl_device_id id, cl_device_info what, size_t room, void *value,
                                          size_t *size) {
  static const cl_device_type gpu = CL_DEVICE_TYPE_GPU;
  cl_int code = wrapped_clGetDeviceInfo(id, what, room, value, size);
  if (code != CL_SUCCESS) return code;
  if (what == CL_DEVICE_TYPE && layer.gpu) give(value, room, &gpu, sizeof gpu);
  if (what == CL_DEVICE_MAX_WORK_GROUP_SIZE && layer.group_most > 0)
    give(value, room, &layer.group_most, sizeof layer.group_most);
  if (what == CL_DEVICE_LOCAL_MEM_SIZE && layer.local_bytes > 0)
    give(value, room, &layer.local_bytes, sizeof layer.local_bytes);
  return code;
}

/* ---- Kernels by name -------------------------------------------------------------------------------------------- */

static size_t find_kernel(const char *name) {
  for (size_t i = 0; i < layer.kernels_count; i++)
    if (strcmp(layer.kernels[i].name, name) == 0) return i;
  return SIZE_MAX;
}

static void remember_kernel(cl_kernel handle, const char *name) {
  size_t at = find_kernel(name), i = 0;
  while (i < layer.handles_count && layer.handles[i].handle != handle) i++;
  if (i == KERNELS_MAX || (at == SIZE_MAX && layer.kernels_count == KERNELS_MAX)) abort();
  if (at == SIZE_MAX) {
    at = layer.kernels_count++;
    snprintf(layer.kernels[at].name, NAME_MAX_BYTES, "%s", name);
  }
  if (i == layer.handles_count) layer.handles_count++;
  layer.handles[i].handle = handle;
  layer.handles[i].name = at;
}

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *status) {
  cl_kernel created = wrapped_clCreateKernel(program, name, status);
  pthread_mutex_lock(&mutex);
  if (created != NULL) remember_kernel(created, name);
  pthread_mutex_unlock(&mutex);
  return created;
}

/* Whether this launch is the one that is to do nothing. */
static bool is_skipped(cl_kernel kernel) {
  bool skipped = false;
  pthread_mutex_lock(&mutex);
  for (size_t i = 0; i < layer.handles_count && layer.skips_in > 0; i++)
    if (layer.handles[i].handle == kernel && strcmp(layer.kernels[layer.handles[i].name].name, layer.skipped) == 0)
      skipped = --layer.skips_in == 0;
  pthread_mutex_unlock(&mutex);
  return skipped;
}

static cl_int CL_API_CALL launch_kernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                        const size_t *offset, const size_t *global, const size_t *local, cl_uint count,
                                        const cl_event *after, cl_event *event) {
  if (is_skipped(kernel)) return CL_SUCCESS;
  cl_int code = wrapped_clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count, after, event);
  pthread_mutex_lock(&mutex);
  for (size_t i = 0; i < layer.handles_count && code == CL_SUCCESS; i++)
    if (layer.handles[i].handle == kernel) layer.kernels[layer.handles[i].name].launches++;
  pthread_mutex_unlock(&mutex);
  return code;
}

/* ---- Entry points of a layer ------------------------------------------------------------------------------------ */

static void read_environment(void) {
  const char *text = getenv("LAYER_SKIP"), *hang = getenv("LAYER_HANG");
  char name[NAME_MAX_BYTES];
  if (text != NULL && sscanf(text, "%63s %" SCNu64, layer.skipped, &layer.skips_in) != 2) layer.skips_in = 0;
  layer.options = getenv("LAYER_OPTIONS");
  layer.gpu = getenv("LAYER_GPU") != NULL;
  text = getenv("LAYER_LIMITS");
  if (text != NULL) (void)sscanf(text, "%zu %" SCNu64, &layer.group_most, &layer.local_bytes);
  edits_read();
  text = getenv("LAYER_FAIL");
  uint64_t nth;
  int code = 0;
  if (hang != NULL && sscanf(hang, "%63s %" SCNu64, name, &nth) == 2) {
    layer.hanging = find_function(name);
    layer.hangs_in = nth;
  }
  if (text == NULL || sscanf(text, "%63s %" SCNu64 " %d", name, &nth, &code) < 2) return;
  if (strcmp(name, "any") == 0)
    layer_lose_device(nth);
  else
    layer_fail(name, nth, code);
}

CL_API_ENTRY LAYER_API cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t room, void *value, size_t *size) {
  static const char name[] = "mlp_cl's counts and faults";
  static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
  const void *answer = what == CL_LAYER_NAME ? (const void *)name : &version;
  size_t bytes = what == CL_LAYER_NAME ? sizeof name : sizeof version;
  if (what != CL_LAYER_NAME && what != CL_LAYER_API_VERSION) return CL_INVALID_VALUE;
  if (value != NULL && room < bytes) return CL_INVALID_VALUE;
  if (value != NULL) memcpy(value, answer, bytes);
  if (size != NULL) *size = bytes;
  return CL_SUCCESS;
}

CL_API_ENTRY LAYER_API cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *own_count,
                                                      const cl_icd_dispatch **own) {
  enum { ENTRIES = sizeof layer.own / sizeof(void (*)(void)) };
  if (own == NULL || own_count == NULL || count < ENTRIES) return CL_INVALID_VALUE;
  layer.own = *target;
#define SET(name, ...) layer.own.name = wrapped_##name;
  LAYER_FUNCTIONS(SET, SET, SET, SET, SET, SET)
#undef SET
  layer.own.clCreateProgramWithSource = create_program;
  layer.own.clGetDeviceInfo = get_device_info;
  layer.own.clBuildProgram = build_program;
  layer.own.clCreateKernel = create_kernel;
  layer.own.clEnqueueNDRangeKernel = launch_kernel;
  layer.keeping = *target;
  layer.target = &layer.keeping;
  if (layer.keeps) keep_programs(target, &layer.keeping);
  *own = &layer.own;
  *own_count = ENTRIES;
  read_environment();
  return CL_SUCCESS;
}

/* ---- What tests ask --------------------------------------------------------------------------------------------- */

bool layer_active(void) {
  return layer.target != NULL;
}

size_t layer_functions_count(void) {
  return FUNCTIONS_COUNT;
}

const char *layer_function_name(size_t function) {
  return functions[function].name;
}

uint64_t layer_calls_at(size_t function) {
  return layer.calls[function];
}

uint64_t layer_calls(const char *function) {
  return layer.calls[find_function(function)];
}

uint64_t layer_launches(const char *kernel) {
  uint64_t launches = 0;
  for (size_t i = 0; i < layer.kernels_count; i++)
    if (kernel == NULL || strcmp(layer.kernels[i].name, kernel) == 0) launches += layer.kernels[i].launches;
  return launches;
}

uint64_t layer_waits(void) {
  return layer.waits;
}

uint64_t layer_transfers(void) {
  return layer.transfers;
}

int64_t layer_objects(const char *type) {
  int64_t objects = 0;
  for (size_t i = 0; i < TYPES_COUNT; i++)
    if (type == NULL || strcmp(types[i], type) == 0) objects += layer.objects[i];
  return objects;
}

void layer_reset(void) {
  memset(layer.calls, 0, sizeof layer.calls);
  layer.calls_in_all = layer.waits = 0;
  if (layer.objects[TYPE_cl_kernel] == 0) layer.handles_count = 0;
  for (size_t i = 0; i < layer.kernels_count; i++) layer.kernels[i].launches = 0;
}

void layer_keep_programs(void) {
  if (layer_active()) abort();
  layer.keeps = true;
}

void layer_mend(void) {
  layer.failing = -1;
  layer.lost = false;
  layer.lost_in = 0;
}

const int *layer_codes(size_t function) {
  return codes[function];
}

void layer_fail(const char *function, uint64_t nth, int code) {
  layer.failing = find_function(function);
  layer.failing_code = code != 0 ? code : functions[layer.failing].code;
  layer.fails_in = nth;
}

void layer_lose_device(uint64_t nth) {
  layer.lost_in = nth;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("LAYER_REPORT");
  FILE *stream = path != NULL && layer_active() ? fopen(path, "w") : NULL;
  if (stream == NULL) return;
  for (size_t i = 0; i < FUNCTIONS_COUNT; i++)
    fprintf(stream, "calls %s %" PRIu64 "\n", functions[i].name, layer.calls[i]);
  for (size_t i = 0; i < layer.kernels_count; i++)
    fprintf(stream, "launches %s %" PRIu64 "\n", layer.kernels[i].name, layer.kernels[i].launches);
  for (size_t i = 0; i < TYPES_COUNT; i++) fprintf(stream, "objects %s %" PRId64 "\n", types[i], layer.objects[i]);
  fclose(stream);
}
