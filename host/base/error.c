/* The sentences of the status codes, and fail(). */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *mlp_cl_status_name(mlp_cl_status status) {
  switch (status) {
#define CASE(name, text) \
  case MLP_CL_##name: return #name;
    MLP_CL_STATUS_LIST(CASE)
#undef CASE
  }
  return "UNKNOWN";
}

const char *mlp_cl_status_text(mlp_cl_status status) {
  switch (status) {
#define CASE(name, text) \
  case MLP_CL_##name: return text;
    MLP_CL_STATUS_LIST(CASE)
#undef CASE
  }
  return "unknown status";
}

/* What a terminal obeys: C0 and DEL, and the C1 controls as UTF-8 writes them. */
static void hide_control_characters(char *text, bool keep_lines) {
  for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
    if ((*c < 0x20 && !(*c == '\n' && keep_lines)) || *c == 0x7f) *c = '?';
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) c[0] = c[1] = '?';
  }
}

mlp_cl_status fail(mlp_cl_error *error, mlp_cl_status status, const char *format, ...) {
  if (error == NULL) return status;
  error->status = status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  hide_control_characters(error->text, status == MLP_CL_BUILD);
  return status;
}

mlp_cl_status fail_memory(mlp_cl_error *error, size_t bytes, const char *what) {
  return fail(error, MLP_CL_NO_MEMORY, "no memory for %s (%zu bytes)", what, bytes);
}
