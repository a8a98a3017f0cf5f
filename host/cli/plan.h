/* What a train command line asks for, checked, with defaults that suit the data. */
#ifndef PLAN_H
#define PLAN_H

#include "checkpoint.h"

typedef struct plan {
  mlp_cl_recipe recipe;
  size_t *hidden; /* widths of the hidden layers, owned; NULL without */
  size_t hidden_count;
  bool bias;
  mlp_cl_init init;
  mlp_cl_activation activation;
  const char *init_from; /* a model file to begin with, or NULL */
  const char *out;       /* or NULL */
  bool verify;
  checkpoint_plan checkpoints;
} plan;

extern struct poptOption plan_options[];

/* False after a complaint; *p then needs no plan_free. */
bool plan_read(const options *o, plan *p);
void plan_free(plan *p);
/* inputs, hidden…, classes; allocated, NULL without memory. */
size_t *plan_widths(const plan *p, size_t inputs, size_t classes, size_t *count);

#endif
