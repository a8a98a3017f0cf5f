/* A driver that hangs, in a build or a launch, never comes back to us: the process is ended with a message when it has
 * shown no sign of life for so long. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "terminal/options.h"

/* False after a complaint. */
bool watchdog_read(const options *o);
/* From now on the process ends with exit status 1 unless it is fed in time; `doing` completes "the driver hangs". */
void watchdog_begin(const char *doing);
void watchdog_feed(void);
/* What is added to the message: what is kept. */
__attribute__((format(printf, 1, 2))) void watchdog_hint(const char *format, ...);
void watchdog_end(void);

#endif
