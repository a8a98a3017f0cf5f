/* What is kept of a run while it goes on, beside its model: the lines of --log and the picture of --plot. */
#ifndef RECORD_H
#define RECORD_H

#include "picture/curve.h"
#include "train/log.h"
#include "train/run.h"

typedef struct record {
  run_log log;
  curve curve;
  const char *picture; /* or NULL */
  char title[200];
  const char *score; /* what is told beside the loss */
  const char *part;  /* what is measured on: "test" or "valid" */
  mlp_cl_event last;
  size_t epochs; /* heard of */
  bool out_of_memory;
} record;

extern struct poptOption record_options[];

/* Before the work: what --log and --plot name, if anything; a run that is resumed may have drawn its picture before.
 * Returns an exit status, after a complaint unless it is STATUS_OK, and then there is nothing to end. */
int record_begin(const options *o, bool resumed, record *r);
/* As soon as it is known where and what the run will be. */
void record_start(record *r, const options *o, const mlp_cl_device *device, const plan *p, const run_data *data);
/* In the place of all that follows, when there will be no run. */
void record_abandon(record *r);
void record_event(record *r, const mlp_cl_event *event);
/* Ends both, also of a run that failed: `error` NULL, or why. Returns `status`, or STATUS_FAILED when it was good and
 * one of them is not whole. */
int record_end(record *r, const mlp_cl_error *error, const char *sha256, int status);

#endif
