#include "base/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/sha256.h"

enum { PATH_BYTES = 4096, HEADER_BYTES = 74, ENTRY_BYTES_MAX = 1 << 26 };

/* Creates the folders of a path that are missing, closed to others. */
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
  return length > 0 && length < PATH_BYTES;
}

/* Whether nobody else can change what the descriptor stands for. */
static bool is_private(int descriptor, struct stat *about) {
  return fstat(descriptor, about) == 0 && about->st_uid == geteuid() && (about->st_mode & 077) == 0;
}

/* The folder's descriptor, or -1. */
static int open_folder(void) {
  char path[PATH_BYTES];
  if (!choose_folder(path)) return -1;
  create_folders(path);
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat about;
  if (folder < 0 || is_private(folder, &about)) return folder;
  close(folder);
  return -1;
}

/* What an entry's file begins with: a hash of its key and its bytes, so that what was cut off, damaged or renamed does
 * not count. */
static size_t header_of(const char key[65], const void *bytes, size_t count, char header[HEADER_BYTES + 1]) {
  sha256 state;
  char hash[65];
  sha256_begin(&state);
  sha256_add(&state, key, 64);
  sha256_add(&state, bytes, count);
  sha256_end(&state, hash);
  return (size_t)snprintf(header, HEADER_BYTES + 1, "mlp_cl 2 %s\n", hash);
}

static bool read_all(int file, char *bytes, size_t count) {
  while (count > 0) {
    ssize_t got = read(file, bytes, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    count -= (size_t)got;
  }
  return true;
}

static bool write_all(int file, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(file, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    count -= (size_t)written;
  }
  return true;
}

/* The bytes behind the file's header, or NULL when they are not what was kept. */
static char *read_entry(int file, const char key[65], size_t *count) {
  struct stat about;
  char found[HEADER_BYTES], wanted[HEADER_BYTES + 1];
  if (!is_private(file, &about) || !S_ISREG(about.st_mode)) return NULL;
  if (about.st_size < HEADER_BYTES || about.st_size > ENTRY_BYTES_MAX) return NULL;
  size_t size = (size_t)about.st_size - HEADER_BYTES;
  char *bytes = malloc(size + 1);
  if (bytes == NULL) return NULL;
  bool good = read_all(file, found, HEADER_BYTES) && read_all(file, bytes, size) &&
              header_of(key, bytes, size, wanted) == HEADER_BYTES && memcmp(found, wanted, HEADER_BYTES) == 0;
  if (!good) {
    free(bytes);
    return NULL;
  }
  bytes[size] = '\0';
  *count = size;
  return bytes;
}

/* ---- Not for ever ------------------------------------------------------------------------------------------------ */

/* Programs of drivers and parameters that have gone are never asked for again. Facts, which are short and took long to
 * find, stay. */
enum { FACT_BYTES_MAX = 4096, UNFINISHED_S = 24 * 60 * 60 };
static const uint64_t most_bytes = (uint64_t)256 << 20;

static bool is_entry(const char *name) {
  return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* What a process left that was killed while it wrote. */
static bool is_unfinished(const char *name, const struct stat *about) {
  return strncmp(name, ".new-", 5) == 0 && time(NULL) - about->st_mtime > UNFINISHED_S;
}

/* The bytes of all programs, and the name of the one whose last use is the longest ago; removes what is unfinished. */
static uint64_t survey(DIR *list, char oldest[65]) {
  uint64_t bytes = 0;
  struct timespec since = {0};
  struct stat about;
  *oldest = '\0';
  rewinddir(list);
  for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
    if (fstatat(dirfd(list), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(about.st_mode)) continue;
    if (is_unfinished(entry->d_name, &about)) unlinkat(dirfd(list), entry->d_name, 0);
    if (!is_entry(entry->d_name) || about.st_size <= FACT_BYTES_MAX) continue;
    bytes += (uint64_t)about.st_size;
    bool older = about.st_mtim.tv_sec < since.tv_sec ||
                 (about.st_mtim.tv_sec == since.tv_sec && about.st_mtim.tv_nsec < since.tv_nsec);
    if (*oldest != '\0' && !older) continue;
    memcpy(oldest, entry->d_name, 65);
    since = about.st_mtim;
  }
  return bytes;
}

void cache_prune(uint64_t most) {
  int folder = open_folder();
  DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
  if (list == NULL) {
    if (folder >= 0) close(folder);
    return;
  }
  char oldest[65];
  while (survey(list, oldest) > most && unlinkat(dirfd(list), oldest, 0) == 0) {
  }
  closedir(list);
}

/* ---- Entries ----------------------------------------------------------------------------------------------------- */

bool cache_available(void) {
  int folder = open_folder();
  if (folder >= 0) close(folder);
  return folder >= 0;
}

void *cache_read(const char key[65], size_t *count) {
  int folder = open_folder();
  if (folder < 0) return NULL;
  int file = openat(folder, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  close(folder);
  if (file < 0) return NULL;
  char *bytes = read_entry(file, key, count);
  if (bytes != NULL) (void)futimens(file, NULL); /* it was of use today */
  close(file);
  return bytes;
}

bool cache_write(const char key[65], const void *bytes, size_t count) {
  char header[HEADER_BYTES + 1], name[32];
  uint64_t random;
  if (count > ENTRY_BYTES_MAX - HEADER_BYTES || getentropy(&random, sizeof random) != 0) return false;
  int folder = open_folder();
  if (folder < 0) return false;
  bool written = false;
  /* Not by the process's number: other containers have the same, and one that was killed left its file. */
  snprintf(name, sizeof name, ".new-%016" PRIx64, random);
  int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file >= 0) {
    size_t length = header_of(key, bytes, count, header);
    written = write_all(file, header, length) && write_all(file, bytes, count);
    written = close(file) == 0 && written;
    written = written && renameat(folder, name, folder, key) == 0;
    if (!written) unlinkat(folder, name, 0);
  }
  close(folder);
  if (count > FACT_BYTES_MAX) cache_prune(most_bytes);
  return written;
}

void cache_forget(const char key[65]) {
  int folder = open_folder();
  if (folder < 0) return;
  unlinkat(folder, key, 0);
  close(folder);
}

bool cache_holds(const char key[65], const char *fact) {
  size_t count;
  char *found = cache_read(key, &count);
  bool holds = found != NULL && count == strlen(fact) && memcmp(found, fact, count) == 0;
  free(found);
  return holds;
}

bool cache_keep(const char key[65], const char *fact) {
  return cache_write(key, fact, strlen(fact));
}
