/* See interrupt.h. */
#include "terminal/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mlp_cl.h"

const char interrupt_text[] = "stopped on request";

static volatile sig_atomic_t caught, deferred;
static struct timespec caught_at;
static char json_text[256]; /* made beforehand: a handler may do little more than write */

static void write_text(int file, const char *text) {
  ssize_t written = write(file, text, strlen(text));
  (void)written; /* the process ends anyway */
}

/* timeout(1) and batch systems tell a process and its group: that is one request, said twice. */
static bool is_echo(const struct timespec *now) {
  if (!caught) return false;
  return 1000 * (now->tv_sec - caught_at.tv_sec) + (now->tv_nsec - caught_at.tv_nsec) / 1000000 < 1000;
}

static void on_signal(int number) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (is_echo(&now)) return;
  if (!deferred) {
    write_text(STDERR_FILENO, "mlp_cl: stopped on request\n");
    write_text(STDOUT_FILENO, json_text);
  }
  if (caught && (number == SIGPIPE || number == SIGXCPU)) return; /* come again; the run is stopping, and tells of it */
  if (!deferred || caught) _exit(128 + number);
  caught_at = now;
  caught = number;
}

static sigset_t ours; /* the signals that are caught */
static const int others[] = {SIGQUIT, SIGUSR1, SIGUSR2};
static struct sigaction others_before[sizeof others / sizeof *others];

static void set_handler(int number) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

static void catch_signal(int number) {
  struct sigaction before;
  /* A parent that had it ignored (nohup, a script's background job) meant that. */
  if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
  sigaddset(&ours, number);
  set_handler(number);
}

void interrupt_setup(bool json) {
  if (json) {
    snprintf(json_text, sizeof json_text,
             "{\"schema\":1,\"version\":\"%s\",\"contract\":%d,"
             "\"error\":{\"status\":\"CANCELLED\",\"message\":\"stopped on request\"}}\n",
             mlp_cl_version(), mlp_cl_numerics_version());
  }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) sigaction(others[i], NULL, &others_before[i]);
  sigemptyset(&ours);
  catch_signal(SIGINT);
  catch_signal(SIGTERM);
  catch_signal(SIGHUP);
  catch_signal(SIGXCPU);
  signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of writing, which is told */
}

void interrupt_defer(void) {
  deferred = 1;
}

void interrupt_defer_pipe(void) {
  interrupt_defer();
  catch_signal(SIGPIPE);
}

/* LLVM, by which PoCL compiles, takes signals for itself when it writes its first file, and loses a SIGXCPU, a SIGQUIT
 * and others. */
int interrupt_signal(void) {
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) sigaction(others[i], &others_before[i], NULL);
  for (int number = 1; number < NSIG; number++)
    if (sigismember(&ours, number) == 1) set_handler(number);
  return caught;
}

int interrupt_exit_status(void) {
  return caught ? 128 + caught : 1;
}
