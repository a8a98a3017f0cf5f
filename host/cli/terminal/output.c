/* See output.h. */
#include "terminal/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "terminal/report.h"

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The folder of a path that names no file yet. */
static bool stat_folder(const char *path, struct stat *info) {
  const char *slash = strrchr(path, '/');
  char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
  bool found = folder && stat(folder, info) == 0;
  free(folder);
  return found;
}

static const char *last_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

bool output_same_place(const char *a, const char *b) {
  struct stat at_a, at_b;
  bool a_exists = stat(a, &at_a) == 0, b_exists = stat(b, &at_b) == 0;
  if (a_exists || b_exists) return a_exists && b_exists && same_file(&at_a, &at_b);
  return strcmp(last_name(a), last_name(b)) == 0 && stat_folder(a, &at_a) && stat_folder(b, &at_b) &&
         same_file(&at_a, &at_b);
}

int output_check_distinct(const options *o, option_id id) {
  /* Not --resume and --init-from: who goes on from a file may want to replace it. */
  static const option_id others[] = {OPTION_DATA, OPTION_LABELS,     OPTION_TEST,    OPTION_LOG,
                                     OPTION_OUT,  OPTION_CHECKPOINT, OPTION_PROFILE, OPTION_PLOT};
  const char *path = options_text(o, id, NULL), *name = options_find(o->table, NULL, (int)id)->longName;
  if (!path) return STATUS_OK;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    const char *other = options_text(o, others[i], NULL);
    if (others[i] == id || !other || !output_same_place(path, other)) continue;
    return report_failed(MLP_CL_BAD_ARGUMENT, "--%s %s is the file of --%s, too: give another name", name, path,
                         options_find(o->table, NULL, (int)others[i])->longName);
  }
  for (size_t i = 0; i < o->operands_count; i++)
    if (output_same_place(path, o->operands[i]))
      return report_failed(MLP_CL_BAD_ARGUMENT, "--%s %s is the file that is read: give another name", name, path);
  return STATUS_OK;
}

int output_check(const options *o, option_id id) {
  mlp_cl_error error;
  const char *path = options_text(o, id, NULL);
  if (!path) return STATUS_OK;
  int status = output_check_distinct(o, id);
  if (status != STATUS_OK) return status;
  if (mlp_cl_check_output(path, &error) != MLP_CL_OK) return report_failure(&error);
  if (access(path, F_OK) == 0 && !options_has(o, OPTION_FORCE))
    return report_failed(MLP_CL_IO, "%s exists; give --force to overwrite it, or another --%s", path,
                         options_find(o->table, NULL, (int)id)->longName);
  return STATUS_OK;
}

/* There is a whole file or none. */
static bool write_beside(const char *target, const char *text, size_t length) {
  char *temporary = NULL; /* of a short name, which any folder takes that takes the target's */
  if (asprintf(&temporary, "%.*s.mlp_cl-XXXXXX", (int)(last_name(target) - target), target) < 0) return false;
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
