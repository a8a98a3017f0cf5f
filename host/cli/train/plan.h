/* What a train command line asks for, checked, with defaults that suit the data. */
#ifndef PLAN_H
#define PLAN_H

#include "train/checkpoint.h"

typedef struct plan {
  mlp_cl_recipe recipe;
  size_t *hidden; /* widths of the hidden layers, owned; NULL without */
  size_t hidden_count;
  bool bias;
  mlp_cl_init init;
  mlp_cl_activation activation;
  uint64_t log_every; /* steps; 0: epochs alone */
  mlp_cl_task task;
  bool balanced;         /* classes weigh by how rare they are */
  const char *init_from; /* a model file to begin with, or NULL */
  const char *out;       /* or NULL */
  uint64_t data_bytes;   /* of device memory, as in mlp_cl_context_options */
  bool verify;
  checkpoint_plan checkpoints;
  uint64_t verify_every; /* 0: never */
} plan;

extern struct poptOption plan_options[];

/* False after a complaint; *p then needs no plan_free. */
bool plan_read(const options *o, plan *p);
/* Finds the weights of the classes, where they are asked for. False without memory. */
bool plan_balance(plan *p, const mlp_cl_dataset *data);
void plan_free(plan *p);
/* inputs, hidden…, outputs; allocated, NULL without memory. */
size_t *plan_widths(const plan *p, const mlp_cl_dataset *data, size_t *count);

#endif
