/* Status codes and error text for every room: fail() fills the caller's mlp_cl_error and returns the status. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "mlp_cl.h"

/* For functions that own nothing: leaves with the status of a failed call. */
#define TRY(call)                             \
  do {                                        \
    mlp_cl_status status_ = (call);           \
    if (status_ != MLP_CL_OK) return status_; \
  } while (0)

/* Writes status and text into *error, unless NULL, and returns status. Control characters in the text that come from
 * names or files are shown as '?', line feeds too but in build logs. */
__attribute__((format(printf, 3, 4))) mlp_cl_status fail(mlp_cl_error *error, mlp_cl_status status, const char *format,
                                                         ...);
/* NO_MEMORY with what was asked for. */
mlp_cl_status fail_memory(mlp_cl_error *error, size_t bytes, const char *what);

/* Static analysis sees one file at a time: here it learns that none of them returns OK. */
#ifdef MLP_CL_ANALYSIS
#define fail(error, status, ...) ((void)fail(error, status, __VA_ARGS__), (status))
#define fail_memory(error, bytes, what) ((void)fail_memory(error, bytes, what), MLP_CL_NO_MEMORY)
#endif

#endif
