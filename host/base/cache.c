#include "base/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, FACT_BYTES = 256 };

/* Creates the folders of an absolute path that are missing, closed to others. */
static void create_folders(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
  }
  mkdir(path, 0700);
}

static bool choose_folder(char path[PATH_BYTES]) {
  const char *own = getenv("MLP_CL_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int length;
  if (own != NULL && *own != '\0') {
    if (strcmp(own, "off") == 0) return false;
    length = snprintf(path, PATH_BYTES, "%s", own);
  } else if (xdg != NULL && *xdg == '/') {
    length = snprintf(path, PATH_BYTES, "%s/mlp_cl", xdg);
  } else if (home != NULL && *home == '/') {
    length = snprintf(path, PATH_BYTES, "%s/.cache/mlp_cl", home);
  } else {
    return false;
  }
  return length > 0 && length < PATH_BYTES && *path == '/';
}

/* The folder's descriptor, or -1. */
static int open_folder(void) {
  char path[PATH_BYTES];
  if (!choose_folder(path)) return -1;
  create_folders(path);
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat about;
  if (folder < 0) return -1;
  if (fstat(folder, &about) == 0 && about.st_uid == geteuid() && (about.st_mode & 077) == 0) return folder;
  close(folder);
  return -1;
}

/* What the file must hold, to the byte: key and fact. */
static size_t content_of(const char *key, const char *fact, char content[FACT_BYTES]) {
  int length = snprintf(content, FACT_BYTES, "mlp_cl 1 %s %s\n", key, fact);
  return length > 0 && length < FACT_BYTES ? (size_t)length : 0;
}

bool cache_holds(const char key[65], const char *fact) {
  char wanted[FACT_BYTES], found[FACT_BYTES];
  size_t length = content_of(key, fact, wanted);
  int folder = open_folder();
  if (folder < 0) return false;
  int file = openat(folder, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  close(folder);
  if (file < 0) return false;
  ssize_t got = read(file, found, sizeof found);
  close(file);
  return length > 0 && got == (ssize_t)length && memcmp(found, wanted, length) == 0;
}

void cache_keep(const char key[65], const char *fact) {
  char content[FACT_BYTES], name[128];
  size_t length = content_of(key, fact, content);
  int folder = open_folder();
  if (folder < 0) return;
  snprintf(name, sizeof name, "%s.%ld", key, (long)getpid());
  int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file >= 0) {
    bool written = length > 0 && write(file, content, length) == (ssize_t)length;
    written = close(file) == 0 && written;
    if (!written || renameat(folder, name, folder, key) != 0) unlinkat(folder, name, 0);
  }
  close(folder);
}
