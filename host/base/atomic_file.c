/* Write beside the target, flush, rename; see atomic_file.h. */
#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a process finds its open files by their numbers. */
#define OWN_FILES "/proc/self/fd"

#define MODE_NONE ((mode_t)-1)

static mlp_cl_status fail_io(mlp_cl_error *error, const char *path, const char *what) {
  mlp_cl_status status = errno == ENOMEM ? MLP_CL_NO_MEMORY : MLP_CL_IO;
  return fail(error, status, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* The file that a name stands for, and its permissions, or MODE_NONE: renaming onto a link would replace the link, and
 * onto a device node would, for root, replace the node. */
static mlp_cl_status resolve_target(const char *path, char **target, mode_t *mode, mlp_cl_error *error) {
  size_t length = strlen(path);
  *mode = MODE_NONE;
  if (length == 0) return fail(error, MLP_CL_BAD_ARGUMENT, "the output path is empty; name a file");
  struct stat status;
  bool exists = lstat(path, &status) == 0;
  if ((exists && S_ISDIR(status.st_mode)) || path[length - 1] == '/') {
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s: is a folder; name a file in it", path);
  }
  bool link = exists && S_ISLNK(status.st_mode);
  if (link && stat(path, &status) != 0) return fail_io(error, path, "follow the link");
  if (exists && !S_ISREG(status.st_mode)) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "%s: is not a regular file; name another output", path);
  }
  if (exists) *mode = status.st_mode & 0777;
  *target = link ? realpath(path, NULL) : strdup(path);
  if (*target == NULL) return fail_io(error, path, "resolve the name");
  return MLP_CL_OK;
}

static int open_folder(const char *path, size_t folder_length) {
  if (folder_length == 0) return open(path[0] == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char *folder = strndup(path, folder_length);
  if (folder == NULL) return -1;
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int reason = errno;
  free(folder);
  errno = reason;
  return descriptor;
}

static bool choose_name(atomic_file *file) {
  uint64_t random;
  if (getentropy(&random, sizeof random) != 0) return false;
  snprintf(file->temporary_name, sizeof file->temporary_name, ".mlp_cl-%016" PRIx64, random);
  return true;
}

static int create_named(atomic_file *file) {
  for (int attempt = 0; attempt < 100; attempt++) {
    if (!choose_name(file)) return -1;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int descriptor = openat(file->folder, file->temporary_name, flags, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

/* Without a name where the system can do that: nothing is left behind then by a process that is killed. */
static int create_temporary(atomic_file *file) {
#ifdef O_TMPFILE
  int descriptor =
      access(OWN_FILES, X_OK) == 0 ? openat(file->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
  if (descriptor >= 0) return descriptor;
#endif
  return create_named(file);
}

/* Gives the temporary file a name, unless it has one. */
static int name_temporary(atomic_file *file) {
  char own[64];
  if (file->temporary_name[0] != '\0') return 0;
  snprintf(own, sizeof own, OWN_FILES "/%d", file->temporary);
  for (int attempt = 0; attempt < 100; attempt++) {
    if (!choose_name(file)) break;
    if (linkat(AT_FDCWD, own, file->folder, file->temporary_name, AT_SYMLINK_FOLLOW) == 0) return 0;
    if (errno != EEXIST) break;
  }
  file->temporary_name[0] = '\0';
  return -1;
}

mlp_cl_status atomic_file_begin(atomic_file *file, const char *path, mlp_cl_error *error) {
  *file = (atomic_file){.folder = -1, .temporary = -1};
  mode_t mode; /* which the new file has, too */
  TRY(resolve_target(path, &file->path, &mode, error));
  const char *slash = strrchr(file->path, '/');
  file->name = slash == NULL ? file->path : slash + 1;

  mlp_cl_status status;
  file->folder = open_folder(file->path, slash == NULL ? 0 : (size_t)(slash - file->path));
  if (file->folder < 0) {
    status = fail_io(error, path, "open its folder");
    goto free_path;
  }
  if (strlen(file->name) > NAME_MAX) {
    errno = ENAMETOOLONG;
    status = fail_io(error, path, "write");
    goto close_folder;
  }
  file->temporary = create_temporary(file);
  if (file->temporary < 0) {
    status = fail_io(error, path, "create a file in its folder");
    goto close_folder;
  }
  if (mode != MODE_NONE) (void)fchmod(file->temporary, mode);
  return MLP_CL_OK;

close_folder:
  close(file->folder);
free_path:
  free(file->path);
  return status;
}

mlp_cl_status atomic_file_write(atomic_file *file, const void *bytes, size_t count, mlp_cl_error *error) {
  const char *next = bytes;
  while (count > 0) {
    /* Some systems refuse more than 2 GiB at once. */
    ssize_t written = write(file->temporary, next, count < (1u << 30) ? count : (1u << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_io(error, file->path, "write");
    next += written;
    count -= (size_t)written;
  }
  return MLP_CL_OK;
}

void atomic_file_abandon(atomic_file *file) {
  if (file->temporary >= 0) close(file->temporary);
  if (file->temporary_name[0] != '\0') unlinkat(file->folder, file->temporary_name, 0);
  close(file->folder);
  free(file->path);
}

mlp_cl_status atomic_file_commit(atomic_file *file, mlp_cl_error *error) {
  const char *failed = NULL;
  if (fsync(file->temporary) != 0)
    failed = "flush to disk";
  else if (name_temporary(file) != 0)
    failed = "name";
  int reason = errno;
  if (close(file->temporary) != 0 && failed == NULL) {
    failed = "write";
    reason = errno;
  }
  file->temporary = -1;
  if (failed == NULL && renameat(file->folder, file->temporary_name, file->folder, file->name) != 0) {
    failed = "rename";
    reason = errno;
  }
  if (failed != NULL) {
    errno = reason;
    mlp_cl_status status = fail_io(error, file->path, failed);
    atomic_file_abandon(file);
    return status;
  }
  /* Makes the new name survive a power failure. Some file systems cannot; the file itself is safe either way. */
  fsync(file->folder);
  close(file->folder);
  free(file->path);
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_check_output(const char *path, mlp_cl_error *error) {
  if (path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the output path is NULL; name a file");
  atomic_file file;
  TRY(atomic_file_begin(&file, path, error));
  atomic_file_abandon(&file);
  return MLP_CL_OK;
}
