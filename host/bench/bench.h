/* A piece of work that is measured: what it needs, and how to do it some times over. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "context/context.h"
#include "context/tensor_set.h"

struct mlp_cl_bench {
  backend *backend;
  mlp_cl_bench_work work;
  /* Enqueues the work `times` over, or does it. */
  mlp_cl_status (*repeat)(mlp_cl_bench *bench, size_t times, mlp_cl_error *error);
  double flops, bytes; /* of one */
  tensor_set tensors;  /* MATMUL: */
  tensor *a, *b, *c;
  mlp_cl_network *network; /* TRAIN, PREDICT */
  mlp_cl_dataset *data;    /* TRAIN */
  mlp_cl_trainer *trainer;
  float *features, *probabilities; /* PREDICT: (batch, width), (batch, classes) */
};

/* Prepare bench->work, set what repeats it, and what it amounts to. */
mlp_cl_status bench_prepare_peak(mlp_cl_bench *bench, mlp_cl_error *error);
mlp_cl_status bench_prepare_matmul(mlp_cl_bench *bench, mlp_cl_error *error);
mlp_cl_status bench_prepare_train(mlp_cl_bench *bench, mlp_cl_context *context, mlp_cl_error *error);
mlp_cl_status bench_prepare_predict(mlp_cl_bench *bench, mlp_cl_context *context, mlp_cl_error *error);

#endif
