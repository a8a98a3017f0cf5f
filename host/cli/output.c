/* See output.h. */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

int output_check(const options *o, option_id id) {
  mlp_cl_error error;
  const char *path = options_text(o, id, NULL);
  if (!path) return STATUS_OK;
  if (mlp_cl_check_output(path, &error) != MLP_CL_OK) return report_failure(&error);
  if (access(path, F_OK) == 0 && !options_has(o, OPTION_FORCE))
    return report_failed(MLP_CL_IO, "%s exists; give --force to overwrite it, or another --%s", path,
                         options_find(o->table, NULL, (int)id)->longName);
  return STATUS_OK;
}

/* There is a whole file or none. */
static bool write_beside(const char *target, const char *text, size_t length) {
  char *temporary = NULL;
  if (asprintf(&temporary, "%s.XXXXXX", target) < 0) return false;
  int file = mkstemp(temporary);
  mode_t mask = umask(0);
  umask(mask);
  if (file >= 0) (void)fchmod(file, 0666 & ~mask);
  FILE *stream = file < 0 ? NULL : fdopen(file, "w");
  bool written = stream && fwrite(text, 1, length, stream) == length && fflush(stream) == 0 && fsync(file) == 0 &&
                 rename(temporary, target) == 0;
  int reason = errno;
  if (stream) fclose(stream);
  if (!stream && file >= 0) close(file);
  if (!written && file >= 0) unlink(temporary);
  free(temporary);
  errno = reason;
  return written;
}

int output_write(const char *path, const char *text, size_t length) {
  char *target = realpath(path, NULL); /* so that a link stays one; NULL when there is no such file */
  bool written = write_beside(target ? target : path, text, length);
  int reason = errno;
  free(target);
  if (!written) return report_failed(MLP_CL_IO, "%s could not be written: %s", path, strerror(reason));
  report_note("wrote %s", path);
  return STATUS_OK;
}
