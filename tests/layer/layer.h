/* An OpenCL layer for tests: between the program and the driver it counts calls, kernel launches and live objects, and
 * makes calls fail. The loader takes it in when OPENCL_LAYERS names it before the first OpenCL call. A test links it
 * and calls what is declared here; a program that knows nothing of it is told by the environment:
 *   LAYER_FAIL="clCreateBuffer 3"   the third call of that function fails, "clCreateBuffer 3 -6" with that code;
 *                                   "any 3": from the third call on all fail
 *   LAYER_HANG="clFinish 3"         the third call of that function never returns
 *   LAYER_SKIP="sgd 7"              the seventh launch of that kernel does nothing, and says that it went well
 *   LAYER_OPTIONS="-cl-opt-disable" programs are built with these options too
 *   LAYER_GPU=1                     devices say that they are GPUs
 *   LAYER_LIMITS="64 16384"         devices say that they have work-groups of 64, and 16384 bytes of local memory
 *   LAYER_EDIT="fma( => mad("       in all sources the second text stands for the first; one a line. Status 99
 *                                   when no source has any of them
 *   LAYER_REPORT=FILE               at exit the counts are written there, one "kind name count" a line */
#ifndef LAYER_LAYER_H
#define LAYER_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYER_API __attribute__((visibility("default")))

/* Whether the loader has taken it in, which is at its first call. */
LAYER_API bool layer_active(void);

/* The functions that are counted. */
LAYER_API size_t layer_functions_count(void);
LAYER_API const char *layer_function_name(size_t function);
LAYER_API uint64_t layer_calls_at(size_t function);
/* The same by name; the process aborts when the layer does not know the function. */
LAYER_API uint64_t layer_calls(const char *function);
/* Launches of one kernel, or of all for NULL. */
LAYER_API uint64_t layer_launches(const char *kernel);
/* Calls that wait for all work before them: clFinish and blocking transfers. */
LAYER_API uint64_t layer_waits(void);
/* Transfers that did not block and may still use host memory: none after the next wait for all work. */
LAYER_API uint64_t layer_transfers(void);
/* Objects created and not released: of a type ("cl_mem"), or of all for NULL. */
LAYER_API int64_t layer_objects(const char *type);
/* Sets all counts to 0, except those of objects. */
LAYER_API void layer_reset(void);
/* Takes back what is to fail. */
LAYER_API void layer_mend(void);

/* Before the first OpenCL call: the driver makes one context and builds each program once, and these are handed out
 * again by later calls, which are counted, and fail, as before. For many runs in one process, since building takes
 * longest. */
LAYER_API void layer_keep_programs(void);

/* The codes that a function may fail with, fewer than LAYER_CODES_MAX, ended by 0. */
enum { LAYER_CODES_MAX = 20 };
LAYER_API const int *layer_codes(size_t function);

/* The nth call from now (1: the next one) of a function fails with the code (0: one that fits it) and does nothing;
 * except that what is to be released is released all the same, since nobody can try again. */
LAYER_API void layer_fail(const char *function, uint64_t nth, int code);
/* From the nth call of any function on, all fail but releases, as on a device that was pulled out. */
LAYER_API void layer_lose_device(uint64_t nth);

#endif
