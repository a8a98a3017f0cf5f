/* --checkpoint and --resume: what they ask for, and how a run that stopped can go on. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "mlp_cl.h"
#include "terminal/options.h"

extern struct poptOption checkpoint_options[];

typedef struct checkpoint_plan {
  mlp_cl_checkpoints when; /* path NULL: none are written */
  const char *resume;      /* or NULL */
  char outputs[96];        /* what no checkpoint says again: ", and the same --out --log", or "" */
} checkpoint_plan;

/* False after a complaint. */
bool checkpoint_read(const options *o, checkpoint_plan *plan);
/* Before the run: whether the file can be written and nothing is lost by it. Returns an exit status. */
int checkpoint_check(const options *o, checkpoint_plan *plan);
/* What to do with the checkpoint in `path`: "go on with: mlp_cl train --resume FILE". Returns `buffer`. */
const char *checkpoint_way_on(const checkpoint_plan *plan, const char *path, char *buffer, size_t room);
/* A run that ended with *error after `step` of `steps`; the checkpoint on disk holds `kept` steps, or there is none
 * (UINT64_MAX), in `kept_in`, or as planned (NULL). Adds to the text how to go on. */
void checkpoint_explain(const checkpoint_plan *plan, uint64_t step, uint64_t steps, uint64_t kept, const char *kept_in,
                        mlp_cl_error *error);

#endif
