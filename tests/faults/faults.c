/* A library for LD_PRELOAD that makes calls to the C library fail, told by the environment:
 *   FAULT="write 3 ENOSPC"   the third call fails with that errno; "3+": all from the third on; SHORT instead of an
 * errno: half of the bytes go through FAULT_OWN=1              count and fail only calls from the command and the
 * libraries it links itself, not a driver's FAULT_REPORT=FILE        at exit the counts are written there, one "name
 * count" a line, with the memory blocks that are still allocated and the open files Calls that the C library makes
 * itself are seen for memory only. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

/* clang-format off */
#define FUNCTIONS(X)                                                                                                   \
  X(malloc) X(calloc) X(realloc) X(aligned_alloc) X(open) X(openat) X(read) X(write) X(fsync) X(close) X(rename) X(renameat) X(linkat) X(unlink)  \
  X(unlinkat) X(mkdir) X(stat) X(lstat) X(fstat) X(fopen) X(fread) X(fwrite) X(fflush) X(realpath) X(getentropy)       \
  X(mkstemp) X(fdopen) X(fchmod) X(scandir) X(pthread_create) X(ftruncate) X(access)
/* clang-format on */

enum function {
#define NAME(name) FUNCTION_##name,
  FUNCTIONS(NAME)
#undef NAME
      FUNCTIONS_COUNT
};

static const char *const names[] = {
#define NAME(name) #name,
    FUNCTIONS(NAME)
#undef NAME
};

static const struct {
  const char *name;
  int number;
} errors[] = {{"ENOMEM", ENOMEM}, {"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
              {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"EROFS", EROFS},   {"EDQUOT", EDQUOT},
              {"ENOENT", ENOENT}, {"EAGAIN", EAGAIN}, {"EEXIST", EEXIST}, {"SHORT", -1}};

static struct {
  bool ready, own_only, stays;
  int function; /* that fails, or -1 */
  uint64_t nth;
  int error; /* -1: SHORT */
  uint64_t calls[FUNCTIONS_COUNT];
  int64_t blocks;
  struct {
    uintptr_t begin, end;
  } own[16];
  size_t own_count;
} state = {.function = -1};

/* ---- Who calls, and whether it fails ----------------------------------------------------------------------------- */

static int remember_own(struct dl_phdr_info *info, size_t size, void *user) {
  static const char *const own[] = {"libmlp_cl", "libz.", "libjansson", "libpopt", "libsodium", "libzip"};
  (void)size, (void)user;
  bool mine = info->dlpi_name[0] == '\0';
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) mine = mine || strstr(info->dlpi_name, own[i]) != NULL;
  for (int i = 0; mine && i < info->dlpi_phnum && state.own_count < 16; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
    state.own[state.own_count].begin = info->dlpi_addr + part->p_vaddr;
    state.own[state.own_count++].end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
  }
  return 0;
}

__attribute__((constructor)) static void read_environment(void) {
  const char *text = getenv("FAULT");
  char name[32], nth[32], error[32];
  state.own_only = getenv("FAULT_OWN") != NULL;
  dl_iterate_phdr(remember_own, NULL);
  if (text != NULL && sscanf(text, "%31s %31s %31s", name, nth, error) == 3) {
    for (int i = 0; i < FUNCTIONS_COUNT; i++)
      if (strcmp(names[i], name) == 0) state.function = i;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
      if (strcmp(errors[i].name, error) == 0) state.error = errors[i].number;
    state.nth = strtoull(nth, NULL, 10);
    state.stays = strchr(nth, '+') != NULL;
    if (state.function < 0 || state.error == 0 || state.nth == 0) {
      fprintf(stderr, "FAULT=\"%s\" is not understood\n", text);
      abort();
    }
  }
  memset(state.calls, 0, sizeof state.calls);
  state.blocks = 0;
  state.ready = true;
}

static bool is_own(const void *caller) {
  for (size_t i = 0; i < state.own_count; i++)
    if ((uintptr_t)caller >= state.own[i].begin && (uintptr_t)caller < state.own[i].end) return true;
  return false;
}

typedef enum verdict { GOES, FAILS, SHORT } verdict;

static __thread bool left_aside;

/* Counts the call; when it must fail, errno is set. */
static verdict enter(enum function function, const void *caller) {
  if (!state.ready || left_aside || (state.own_only && !is_own(caller))) return GOES;
  uint64_t call = __atomic_add_fetch(&state.calls[function], 1, __ATOMIC_RELAXED);
  if (state.function != (int)function || (state.stays ? call < state.nth : call != state.nth)) return GOES;
  if (state.error < 0) return SHORT;
  errno = state.error;
  return FAILS;
}

static void count_blocks(int change) {
  if (state.ready) __atomic_add_fetch(&state.blocks, change, __ATOMIC_RELAXED);
}

static size_t count_descriptors(void) {
  size_t count = 0;
  for (int i = 3; i < 256; i++) count += fcntl(i, F_GETFD) != -1;
  return count;
}

__attribute__((destructor)) static void report(void) {
  const char *path = getenv("FAULT_REPORT");
  int64_t blocks = state.blocks;
  state.ready = false;
  size_t descriptors = count_descriptors();
  int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) return;
  for (int i = 0; i < FUNCTIONS_COUNT; i++) dprintf(file, "%s %" PRIu64 "\n", names[i], state.calls[i]);
  dprintf(file, "blocks %" PRId64 "\ndescriptors %zu\n", blocks, descriptors);
  close(file);
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static void *counted(void *block) {
  if (block != NULL) count_blocks(1);
  return block;
}

API void *malloc(size_t size) {
  return enter(FUNCTION_malloc, CALLER) == GOES ? counted(__libc_malloc(size)) : NULL;
}

API void *calloc(size_t count, size_t size) {
  return enter(FUNCTION_calloc, CALLER) == GOES ? counted(__libc_calloc(count, size)) : NULL;
}

API void *realloc(void *block, size_t size) {
  if (enter(FUNCTION_realloc, CALLER) != GOES) return NULL;
  void *grown = __libc_realloc(block, size);
  if (block == NULL) return counted(grown);
  if (grown == NULL && size == 0) count_blocks(-1);
  return grown;
}

API void *memalign(size_t alignment, size_t size) {
  return counted(__libc_memalign(alignment, size));
}

API void *aligned_alloc(size_t alignment, size_t size) {
  return enter(FUNCTION_aligned_alloc, CALLER) == GOES ? counted(__libc_memalign(alignment, size)) : NULL;
}

API int posix_memalign(void **block, size_t alignment, size_t size) {
  *block = counted(__libc_memalign(alignment, size));
  return *block == NULL ? ENOMEM : 0;
}

API void free(void *block) {
  int reason = errno;
  if (block != NULL) count_blocks(-1);
  __libc_free(block);
  errno = reason;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* Without memory jansson's reader crashes or loses a character of a string; what can be done is to leave it aside. */
#define LEAVE_ASIDE(type, name, parameters, arguments) \
  API type name parameters {                           \
    left_aside = true;                                 \
    type result = NEXT(name) arguments;                \
    left_aside = false;                                \
    return result;                                     \
  }

LEAVE_ASIDE(void *, json_loads, (const char *text, size_t flags, void *error), (text, flags, error))
LEAVE_ASIDE(void *, json_loadb, (const char *text, size_t bytes, size_t flags, void *error),
            (text, bytes, flags, error))

/* ---- Files ------------------------------------------------------------------------------------------------------- */

#define WRAP(type, failure, name, parameters, arguments)                              \
  API type name parameters {                                                          \
    return enter(FUNCTION_##name, CALLER) == GOES ? NEXT(name) arguments : (failure); \
  }

WRAP(int, -1, fsync, (int file), (file))
WRAP(int, -1, rename, (const char *from, const char *to), (from, to))
WRAP(int, -1, renameat, (int from_folder, const char *from, int to_folder, const char *to),
     (from_folder, from, to_folder, to))
WRAP(int, -1, linkat, (int from_folder, const char *from, int to_folder, const char *to, int flags),
     (from_folder, from, to_folder, to, flags))
WRAP(int, -1, access, (const char *path, int mode), (path, mode))
WRAP(int, -1, unlink, (const char *path), (path))
WRAP(int, -1, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, -1, stat, (const char *path, struct stat *status), (path, status))
WRAP(int, -1, lstat, (const char *path, struct stat *status), (path, status))
WRAP(int, -1, fstat, (int file, struct stat *status), (file, status))
WRAP(int, -1, fchmod, (int file, mode_t mode), (file, mode))
WRAP(int, -1, ftruncate, (int file, off_t size), (file, size))
WRAP(int, -1, mkstemp, (char *path), (path))
WRAP(int, -1, getentropy, (void *bytes, size_t count), (bytes, count))
WRAP(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
WRAP(FILE *, NULL, fdopen, (int file, const char *mode), (file, mode))
WRAP(char *, NULL, realpath, (const char *path, char *resolved), (path, resolved))
WRAP(int, -1, scandir,
     (const char *path, struct dirent ***entries, int (*filter)(const struct dirent *),
      int (*compare)(const struct dirent **, const struct dirent **)),
     (path, entries, filter, compare))
WRAP(int, errno, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *user),
     (thread, attributes, start, user))

/* Closed all the same, as Linux does. */
API int close(int file) {
  verdict v = enter(FUNCTION_close, CALLER);
  int reason = errno, result = NEXT(close)(file);
  if (v == GOES) return result;
  errno = reason;
  return -1;
}

static mode_t mode_after(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

API int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_after(flags, rest);
  va_end(rest);
  return enter(FUNCTION_open, CALLER) == GOES ? NEXT(open)(path, flags, mode) : -1;
}

API int openat(int folder, const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_after(flags, rest);
  va_end(rest);
  return enter(FUNCTION_openat, CALLER) == GOES ? NEXT(openat)(folder, path, flags, mode) : -1;
}

API ssize_t read(int file, void *bytes, size_t count) {
  verdict v = enter(FUNCTION_read, CALLER);
  return v == FAILS ? -1 : NEXT(read)(file, bytes, v == SHORT && count > 1 ? count / 2 : count);
}

API ssize_t write(int file, const void *bytes, size_t count) {
  verdict v = enter(FUNCTION_write, CALLER);
  return v == FAILS ? -1 : NEXT(write)(file, bytes, v == SHORT && count > 1 ? count / 2 : count);
}

/* glibc's bit for ferror. */
static void mark_error(FILE *stream) {
  stream->_flags |= 0x20;
}

API size_t fread(void *bytes, size_t size, size_t count, FILE *stream) {
  verdict v = enter(FUNCTION_fread, CALLER);
  if (v == GOES) return NEXT(fread)(bytes, size, count, stream);
  if (v == FAILS) mark_error(stream);
  return 0; /* SHORT: the file was cut meanwhile */
}

API size_t fwrite(const void *bytes, size_t size, size_t count, FILE *stream) {
  if (enter(FUNCTION_fwrite, CALLER) == GOES) return NEXT(fwrite)(bytes, size, count, stream);
  mark_error(stream);
  return 0;
}

API int fflush(FILE *stream) {
  if (enter(FUNCTION_fflush, CALLER) == GOES) return NEXT(fflush)(stream);
  if (stream != NULL) mark_error(stream);
  return EOF;
}
