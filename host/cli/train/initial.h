/* --init-from: a run that begins with the parameters of a model file. */
#ifndef INITIAL_H
#define INITIAL_H

#include "train/run.h"

/* Before the device is opened: takes the layers from the file that --init-from names, if any, into the plan, and checks
 * that they fit the data and the options. Returns an exit status, after a complaint unless it is STATUS_OK. */
int initial_read(const options *o, plan *p, const run_data *data);

#endif
