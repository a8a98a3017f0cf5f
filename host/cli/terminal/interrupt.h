/* SIGINT, SIGTERM, SIGHUP (the terminal is gone) and SIGXCPU (no time is left); others do what they did before a driver
 * came. While a device is opened and kernels
 * are built there is nothing to lose: the process ends at once. From interrupt_defer on, the first signal asks the run
 * to stop, and one that comes a second later, or more, ends the process. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

/* "stopped on request" */
extern const char interrupt_text[];

/* `json`: say it as a JSON object on stdout, too. */
void interrupt_setup(bool json);
void interrupt_defer(void);
/* As interrupt_defer, and so does SIGPIPE (nobody reads the output any more): for runs that leave more than output. */
void interrupt_defer_pipe(void);
/* The signal that came, or 0. Takes the signals anew, which a driver's compiler may have taken meanwhile. */
int interrupt_signal(void);
/* 128 + signal; 1 when none came. */
int interrupt_exit_status(void);

#endif
