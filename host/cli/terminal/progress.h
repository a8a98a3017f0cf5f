/* The line that a person watches while a run goes on: only on a terminal, only on stderr. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>

#include "mlp_cl.h"

typedef struct progress {
  const char *label; /* what runs; NULL for nothing */
  bool live, colours, shown, begun;
  uint64_t first_step; /* where it was shown first: the rate is what came after */
  double first_s;
  double loss; /* of the last complete epoch; NaN before */
} progress;

progress progress_begin(const char *label);
/* Draws the line anew. */
void progress_show(progress *p, const mlp_cl_event *event);
/* Removes it, so that other output can take its place. */
void progress_clear(progress *p);

#endif
