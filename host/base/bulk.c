/* See bulk.h. */
#include "base/bulk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"

/* Stands before the array; as long as keeps that aligned for any element. */
typedef union head {
  struct {
    size_t bytes; /* with the head */
    int file;     /* -1: from malloc */
  } is;
  char room[64];
} head;

uint64_t bulk_limit(void) {
  const char *given = getenv("MLP_CL_HOST_MEMORY");
  char *end = NULL;
  uint64_t mib = given != NULL ? strtoull(given, &end, 10) : 0;
  bool good = end != NULL && end != given && *end == '\0' && mib <= UINT64_MAX >> 20;
  return good ? mib << 20 : memory_total_bytes() / 4;
}

static const char *folder(void) {
  const char *given = getenv("TMPDIR");
  return given != NULL && *given != '\0' ? given : "/var/tmp";
}

/* A file that is gone when it is closed, or when the process ends, however it does; or -1. */
static int open_file(void) {
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/mlp_cl-XXXXXX", folder());
  if (length < 0 || (size_t)length >= sizeof path) return -1;
  int file = mkostemp(path, O_CLOEXEC);
  if (file >= 0) unlink(path);
  return file;
}

/* The file's first bytes as memory. Blocks are reserved first: a write to a mapping of a full disk is a signal. */
static head *map(int file, size_t bytes) {
#ifdef __APPLE__
  int failed = ftruncate(file, (off_t)bytes);
#else
  int failed = posix_fallocate(file, 0, (off_t)bytes);
#endif
  if (failed != 0) return NULL;
  head *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return NULL;
  mapped->is.bytes = bytes;
  mapped->is.file = file;
  return mapped;
}

static head *begin_file(size_t bytes) {
  int file = open_file();
  if (file < 0) return NULL;
  head *mapped = map(file, bytes);
  if (mapped == NULL) close(file);
  return mapped;
}

void *bulk_resize(void *array, size_t bytes) {
  head *old = array != NULL ? (head *)array - 1 : NULL, *grown;
  size_t had = old != NULL ? old->is.bytes : 0, whole = bytes + sizeof *old;
  int file = old != NULL ? old->is.file : -1;
  if (bytes > PTRDIFF_MAX - sizeof *old) return NULL;
  if (file >= 0) {
    grown = map(file, whole);
    if (grown != NULL) munmap(old, had);
  } else if (bytes <= bulk_limit()) {
    grown = realloc(old, whole);
    if (grown != NULL) grown->is.bytes = whole, grown->is.file = -1;
  } else {
    grown = begin_file(whole);
    if (grown != NULL && old != NULL) memcpy(grown + 1, array, had - sizeof *old);
    if (grown != NULL) free(old);
  }
  return grown != NULL ? grown + 1 : NULL;
}

void *bulk_allocate(size_t bytes) {
  return bulk_resize(NULL, bytes);
}

bool bulk_in_file(const void *array) {
  return ((const head *)array - 1)->is.file >= 0;
}

void bulk_free(void *array) {
  if (array == NULL) return;
  head *of = (head *)array - 1;
  int file = of->is.file;
  if (!bulk_in_file(array)) {
    free(of);
    return;
  }
  munmap(of, of->is.bytes);
  close(file);
}

void bulk_expect_random(void *array) {
  if (array == NULL || !bulk_in_file(array)) return;
  head *of = (head *)array - 1;
  (void)madvise(of, of->is.bytes, MADV_RANDOM);
}

mlp_cl_status bulk_fail(mlp_cl_error *error, size_t bytes, const char *what) {
  if (bytes <= bulk_limit()) return fail_memory(error, bytes, what);
  return fail(error, MLP_CL_NO_MEMORY, "no room for %s (%zu bytes) in %s; name a folder that has room in TMPDIR", what,
              bytes, folder());
}
