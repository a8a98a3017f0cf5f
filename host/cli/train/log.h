/* --log: a run as lines of JSON, appended to a file, each given to the system before the run goes on:
 * {"event":"start",…}, {"event":"step",…} every --log-every steps, {"event":"epoch",…}, {"event":"end","status":…}. */
#ifndef LOG_H
#define LOG_H

#include <jansson.h>

#include "mlp_cl.h"
#include "terminal/options.h"

typedef struct run_log {
  const char *path; /* NULL: no log, and all that follows does nothing */
  int file;
  bool failed;    /* a line could not be written: said once, and told by log_close */
  bool cut;       /* the last line has no end */
  bool validates; /* what is measured after each epoch is a validation part, not the test part */
} run_log;

/* Opens a file to append to; `path` may be NULL. A file that is not empty must be a log; a line that was cut there is
 * ended. Returns an exit status, after a complaint unless it is STATUS_OK. */
int log_open(const char *path, run_log *log);
/* The first line: the options that were given, the device and the widths of the layers. */
void log_start(run_log *log, const options *o, const mlp_cl_device *device, mlp_cl_task task, const size_t *widths,
               size_t widths_count);
/* A STEP event without a loss has no line. */
void log_event(run_log *log, const mlp_cl_event *event);
/* The last line: how the run ended after `last`; `error` is NULL when it ended well, `sha256` where there is none. */
void log_end(run_log *log, const mlp_cl_event *last, const mlp_cl_error *error, const char *sha256);
/* False when a line is missing. */
bool log_close(run_log *log);

#endif
