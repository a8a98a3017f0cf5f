/* SIGINT and SIGTERM: the first asks the run to stop, a second one ends the process at once. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

void interrupt_setup(void);
/* The signal that came, or 0. */
int interrupt_signal(void);
/* 128 + signal; 1 when none came. */
int interrupt_exit_status(void);

#endif
