/* See watchdog.h. The message is made beforehand, since a handler may do little more than write. */
#include "terminal/watchdog.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "terminal/report.h"

static unsigned limit_s = 600;
static volatile sig_atomic_t first_half; /* of the time until the end */
static char doing_text[128], hint_text[512], error_text[800], json_text[1200];

static void write_text(int file, const char *text) {
  ssize_t written = write(file, text, strlen(text));
  (void)written; /* the process ends anyway */
}

/* A process that was stopped, by Ctrl-Z for example, finds one alarm when it goes on, however long that was: so the
 * second one tells. */
static void on_alarm(int number) {
  (void)number;
  if (first_half) {
    first_half = 0;
    alarm(limit_s / 2);
    return;
  }
  write_text(STDERR_FILENO, error_text);
  write_text(STDOUT_FILENO, json_text);
  _exit(STATUS_FAILED);
}

static void start(void) {
  alarm(limit_s - limit_s / 2);
  first_half = limit_s > 1;
}

/* While the alarm is off. */
static void make_texts(void) {
  snprintf(error_text, sizeof error_text,
           "mlp_cl: the driver hangs: %s for %u s without a sign of life%s; take another --device, or wait longer with "
           "--watchdog\n",
           doing_text, limit_s, hint_text);
  if (!report_is_json()) return;
  json_t *object = report_object();
  json_object_set_new(
      object, "error",
      json_pack("{s:s, s:o}", "status", "OPENCL", "message",
                json_stringn(error_text + strlen("mlp_cl: "), strlen(error_text) - strlen("mlp_cl: ") - strlen("\n"))));
  size_t length = json_dumpb(object, json_text, sizeof json_text - 2, JSON_COMPACT);
  json_decref(object);
  if (length > sizeof json_text - 2) length = 0;
  memcpy(json_text + length, "\n", 2);
}

bool watchdog_read(const options *o) {
  uint64_t seconds = limit_s;
  if (!options_unsigned(o, OPTION_WATCHDOG, 0, 1000000000, "seconds, such as 600, or 0", &seconds)) return false;
  limit_s = (unsigned)seconds;
  return true;
}

void watchdog_begin(const char *doing) {
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  alarm(0);
  snprintf(doing_text, sizeof doing_text, "%s", doing);
  make_texts();
  sigaction(SIGALRM, &action, NULL);
  start();
}

void watchdog_feed(void) {
  if (doing_text[0] != '\0') start();
}

void watchdog_hint(const char *format, ...) {
  va_list arguments;
  alarm(0);
  va_start(arguments, format);
  vsnprintf(hint_text, sizeof hint_text, format, arguments);
  va_end(arguments);
  make_texts();
  watchdog_feed();
}

void watchdog_end(void) {
  alarm(0);
  doing_text[0] = '\0';
}
