/* train --dry-run: what a run would take. */
#ifndef MEMORY_H
#define MEMORY_H

#include "train/run.h"

/* Prints the plan for the device that --device names; returns an exit status: STATUS_FAILED when it does not fit. */
int memory_report(const options *o, const plan *p, const run_data *data);

#endif
