/* Notes, failures and results; see report.h. */
#include "terminal/report.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal/interrupt.h"

static bool json_wanted, quiet_wanted, json_incomplete, json_written;
static bool result_comes; /* and takes the failures with it */
static json_t *failures;  /* of a result that comes; NULL: none */

/* An element for which there was no memory is missing in its object without a trace but this. */
static void *allocate_json(size_t bytes) {
  void *block = malloc(bytes);
  if (!block) json_incomplete = true;
  return block;
}

void report_setup(bool json, bool quiet) {
  json_set_alloc_funcs(allocate_json, free);
  json_wanted = json;
  quiet_wanted = quiet;
}

bool report_is_json(void) {
  return json_wanted;
}
bool report_is_quiet(void) {
  return quiet_wanted;
}

/* Control characters (C0, DEL, and C1 as UTF-8 writes them) in a name must not reach the terminal. */
static void disarm(char *text, bool keep_lines) {
  for (unsigned char *c = (unsigned char *)text; *c; c++) {
    if (iscntrl(*c) && !(*c == '\n' && keep_lines)) *c = '?';
    if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) c[0] = c[1] = '?';
  }
}

void report_note(const char *format, ...) {
  if (quiet_wanted && strncmp(format, "warning: ", 9) != 0) return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  disarm(text, false);
  fprintf(stderr, "mlp_cl: %s\n", text);
}

static int exit_status_of(mlp_cl_status status) {
  switch (status) {
    case MLP_CL_OK: return STATUS_OK;
    case MLP_CL_BAD_ARGUMENT: return STATUS_USAGE;
    case MLP_CL_NO_DEVICE:
    case MLP_CL_INEXACT: return STATUS_NO_DEVICE;
    case MLP_CL_MISMATCH: return STATUS_BITS_DIFFER;
    case MLP_CL_DIVERGED: return STATUS_DIVERGED;
    case MLP_CL_CANCELLED: return interrupt_exit_status();
    default: return STATUS_FAILED;
  }
}

static void say_failure(mlp_cl_status status, char *text) {
  disarm(text, status == MLP_CL_BUILD);
  fprintf(stderr, "mlp_cl: %s\n", text);
  if (!json_wanted || json_written) return; /* one object, and the first failure is the cause */
  json_incomplete = false;
  json_t *inner = json_object();
  json_object_set_new(inner, "status", json_string(mlp_cl_status_name(status)));
  json_object_set_new(inner, "message", report_string(text));
  if (result_comes) {
    if (!failures) failures = json_array();
    json_array_append_new(failures, inner);
    return;
  }
  json_t *object = report_object();
  json_object_set_new(object, "error", inner);
  if (!json_incomplete) {
    report_json(object, STATUS_FAILED);
  } else {
    json_decref(object);
    printf("{\"schema\":1,\"version\":\"%s\",\"contract\":%d,\"error\":{\"status\":\"%s\",\"message\":\"\"}}\n",
           mlp_cl_version(), mlp_cl_numerics_version(), mlp_cl_status_name(status));
  }
}

void report_result_comes(void) {
  result_comes = true;
}

int report_usage(const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  say_failure(MLP_CL_BAD_ARGUMENT, text);
  return STATUS_USAGE;
}

int report_failure(const mlp_cl_error *error) {
  mlp_cl_error copy = *error;
  /* A driver's compiler has handlers of its own: a signal in the midst of it makes the build fail. That is no news. */
  if (interrupt_signal() && copy.status == MLP_CL_BUILD) copy.status = MLP_CL_CANCELLED;
  if (copy.status == MLP_CL_CANCELLED && strncmp(copy.text, interrupt_text, strlen(interrupt_text)) != 0)
    snprintf(copy.text, sizeof copy.text, "%s", interrupt_text);
  say_failure(copy.status, copy.text);
  return exit_status_of(copy.status);
}

int report_failed(mlp_cl_status status, const char *format, ...) {
  mlp_cl_error error = {.status = status};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error.text, sizeof error.text, format, arguments);
  va_end(arguments);
  return report_failure(&error);
}

/* Controls of C1, separators of lines, and the marks that turn the direction of text; surrogates and U+FFFE, U+FFFF. */
static bool is_harmful(const unsigned char *u) {
  bool control = u[0] == 0xc2 && u[1] < 0xa0;
  bool turns = u[0] == 0xe2 &&
               ((u[1] == 0x80 && u[2] >= 0xa8 && u[2] <= 0xae) || (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xaf));
  bool none = (u[0] == 0xed && u[1] >= 0xa0) || (u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe);
  return control || turns || none;
}

size_t report_harmless_bytes(const char *text) {
  const unsigned char *u = (const unsigned char *)text;
  if (u[0] < 0x80) return u[0] >= 0x20 && u[0] != 0x7f;
  size_t count = u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < count; i++) {
    if (u[i] >> 6 != 2) return 0;
  }
  bool longer_than_needed = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
  bool beyond = u[0] == 0xf4 && u[1] >= 0x90;
  return longer_than_needed || beyond || is_harmful(u) ? 0 : count;
}

const char *report_escape(const char *name, char *buffer, size_t room) {
  size_t used = 0;
  while (*name) {
    size_t bytes = report_harmless_bytes(name);
    if (used + (bytes ? bytes : 4) >= room) break;
    if (bytes)
      memcpy(buffer + used, name, bytes);
    else
      snprintf(buffer + used, 5, "\\x%02x", (unsigned)(unsigned char)*name);
    used += bytes ? bytes : 4;
    name += bytes ? bytes : 1;
  }
  buffer[used] = '\0';
  return buffer;
}

_Noreturn void report_no_memory(void) {
  exit(report_failed(MLP_CL_NO_MEMORY, "out of memory for the command line"));
}

json_t *report_object(void) {
  return json_pack("{s:i, s:s, s:i}", "schema", 1, "version", mlp_cl_version(), "contract", mlp_cl_numerics_version());
}

json_t *report_number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *report_string(const char *text) {
  json_t *string = json_string(text);
  if (string) return string;
  char *latin = malloc(2 * strlen(text) + 1), *next = latin;
  if (!latin) return json_incomplete = true, NULL;
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c >= 0x80) *next++ = (char)(0xc0 | *c >> 6);
    *next++ = (char)(*c >= 0x80 ? 0x80 | (*c & 0x3f) : *c);
  }
  *next = '\0';
  string = json_string(latin);
  free(latin);
  return string;
}

json_t *report_device(const mlp_cl_device *device) {
  return json_pack("{s:i, s:o, s:o}", "index", device->index, "name", report_string(device->name), "platform",
                   report_string(device->platform));
}

void report_contract(json_t *object, const mlp_cl_context *context) {
  const char *rule = NULL;
  bool exact = mlp_cl_context_exact(context, &rule);
  json_object_set_new(object, "exact", json_boolean(exact));
  json_object_set_new(object, "broken_rule", exact ? json_null() : report_string(rule));
}

int report_json(json_t *object, int status) {
  result_comes = false;
  if (failures) json_object_set_new(object, "failures", failures);
  failures = NULL;
  char *text = object && !json_incomplete ? json_dumps(object, JSON_COMPACT) : NULL;
  /* jansson leaves out a key where memory fails while it is written. */
  bool whole = text && strlen(text) == json_dumpb(object, NULL, 0, JSON_COMPACT);
  json_decref(object);
  if (!whole) {
    free(text);
    return report_failed(MLP_CL_NO_MEMORY, "the result could not be written: out of memory");
  }
  json_written = true;
  puts(text); /* main looks whether that went well */
  free(text);
  return status;
}

bool report_colours(FILE *stream) {
  const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(fileno(stream)) && !(none && *none) && term && *term && strcmp(term, "dumb") != 0;
}

const char *report_measure(double value, char buffer[16]) {
  double size = fabs(value);
  snprintf(buffer, 16, size != 0 && (size < 1e-3 || size >= 1e5) ? "%.3e" : "%.4f", value);
  return buffer;
}

const char *report_green(void) {
  return report_colours(stdout) ? "\033[1;32m" : "";
}
const char *report_red(void) {
  return report_colours(stdout) ? "\033[1;31m" : "";
}
const char *report_plain(void) {
  return report_colours(stdout) ? "\033[0m" : "";
}
