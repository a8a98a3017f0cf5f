/* One candidate of a search, tried by a process of its own that may hang, crash or fail without harm. */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "command/measured.h"

enum { ATTEMPT_NETWORKS_MAX = 4 };

typedef struct attempt {
  size_t count;                         /* networks measured */
  double step_us[ATTEMPT_NETWORKS_MAX]; /* of each, the best time of a training step */
  char failure[256];                    /* "" or why there are no times */
} attempt;

/* Starts the process with the device, the kernels and the network that `o` names, waits for its answer, and ends it
 * after `limit_s` seconds or when the user stops. With `keep` it compares bits instead and remembers the parameters. */
void attempt_run(const options *o, const char *tuning, bool keep, double limit_s, attempt *result);
/* What that process does: one JSON object to stdout. Returns the exit status. */
int attempt_answer(const options *o, const measured_network *own);

#endif
