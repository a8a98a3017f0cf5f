/* Files that appear whole or not at all: bytes go to a temporary file in the target's folder, which commit flushes to
 * disk and renames. Whoever reads the target sees the old content or the new, also after a crash or a full disk. */
#ifndef BASE_ATOMIC_FILE_H
#define BASE_ATOMIC_FILE_H

#include <stddef.h>

#include "base/error.h"

typedef struct atomic_file {
  int folder, temporary;   /* file descriptors */
  char *path;              /* the target, links resolved; owned */
  const char *name;        /* its last part */
  char temporary_name[32]; /* "" while it has none */
} atomic_file;

/* Errors: as mlp_cl_check_output. On failure there is nothing to abandon. */
mlp_cl_status atomic_file_begin(atomic_file *file, const char *path, mlp_cl_error *error);
/* Error: IO. The file stays open: end with atomic_file_abandon. */
mlp_cl_status atomic_file_write(atomic_file *file, const void *bytes, size_t count, mlp_cl_error *error);
/* Ends the file in any case; when it fails, the target is as it was. Error: IO. */
mlp_cl_status atomic_file_commit(atomic_file *file, mlp_cl_error *error);
/* Removes the temporary file; the target is as it was. */
void atomic_file_abandon(atomic_file *file);

#endif
