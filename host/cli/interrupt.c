/* See interrupt.h. */
#include "interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void on_signal(int number) {
  if (caught) _exit(128 + number);
  caught = number;
}

static void catch_signal(int number) {
  struct sigaction before, action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  /* A parent that had it ignored (nohup, a script's background job) meant that. */
  if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
  sigaction(number, &action, NULL);
}

void interrupt_setup(void) {
  catch_signal(SIGINT);
  catch_signal(SIGTERM);
}

int interrupt_signal(void) {
  return caught;
}

int interrupt_exit_status(void) {
  return caught ? 128 + caught : 1;
}
