/* See fuzz.h. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_die(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  abort();
}

const char *fuzz_file(int number, const void *data, size_t size) {
  static struct {
    int descriptor;
    char path[32];
  } files[4];
  if (files[number].path[0] == '\0') {
    files[number].descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    MUST(files[number].descriptor >= 0);
    snprintf(files[number].path, sizeof files[number].path, "/proc/self/fd/%d", files[number].descriptor);
  }
  MUST(ftruncate(files[number].descriptor, 0) == 0);
  MUST(pwrite(files[number].descriptor, data, size, 0) == (ssize_t)size);
  return files[number].path;
}

/* C0 and DEL, and the C1 controls as UTF-8 writes them. */
static bool is_obeyed(const unsigned char *c) {
  return *c < 0x20 || *c == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

void fuzz_check_error(mlp_cl_status status, const mlp_cl_error *error) {
  if (status == MLP_CL_OK) return;
  MUST(error->status == status);
  MUST(strlen(error->text) >= 20);
  for (const char *c = error->text; *c != '\0'; c++) MUST(!is_obeyed((const unsigned char *)c));
}

void fuzz_check_text(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) MUST(text[i] == '\n' || !is_obeyed((const unsigned char *)text + i));
}
