/* Loss and accuracy of a network on a data set with labels or targets. */
#ifndef NETWORK_EVALUATE_H
#define NETWORK_EVALUATE_H

#include "network/forward.h"

/* The loss of each row, and what the task counts beside it, on the host. */
typedef struct row_metrics {
  float *losses;
  int32_t *predictions; /* classification, else NULL */
  float *scores;        /* else */
} row_metrics;

mlp_cl_status row_metrics_create(mlp_cl_task task, size_t rows, row_metrics *metrics, mlp_cl_error *error);
void row_metrics_zero(const row_metrics *metrics, size_t rows);
void row_metrics_destroy(row_metrics *metrics);

/* The answers of a data set's rows on the device, and room for the rows' metrics. */
typedef struct row_tensors {
  tensor *losses;
  tensor *labels, *predictions; /* classification */
  tensor *targets, *scores;     /* else */
} row_tensors;

row_tensors row_tensors_add(tensor_set *set, mlp_cl_task task, const mlp_cl_dataset *dataset);
/* The room for metrics of so many rows alone. */
row_tensors row_tensors_begin(tensor_set *set, mlp_cl_task task, size_t rows);
/* Both wait. */
mlp_cl_status row_metrics_read(backend *on, const row_tensors *from, const row_metrics *metrics, mlp_cl_error *error);
mlp_cl_status row_metrics_write(backend *on, const row_metrics *metrics, const row_tensors *to, mlp_cl_error *error);

/* An evaluation that can be repeated, as after each epoch. */
typedef struct evaluator {
  mlp_cl_network *network;
  const mlp_cl_dataset *dataset;
  tensor_set tensors;
  forward_rows rows;
  row_tensors answers;
  double spread;    /* of the targets */
  row_metrics host; /* (rows) */
} evaluator;

/* `resident`: the device has all features; otherwise a chunk at a time passes through, unless it reads them in place.
 * Errors: BAD_SHAPE, BAD_ARGUMENT (no labels), NO_MEMORY, DEVICE_MEMORY, OPENCL. */
mlp_cl_status evaluator_begin(evaluator *e, mlp_cl_network *network, const mlp_cl_dataset *dataset, bool resident,
                              mlp_cl_error *error);
/* Waits. `confusion` may be NULL, and so may `alive`, which is called many times on the way. Errors: DIVERGED, OPENCL.
 */
mlp_cl_status evaluator_run(evaluator *e, mlp_cl_evaluation *result, uint64_t *confusion, void (*alive)(void *user),
                            void *user, mlp_cl_error *error);
/* May be called on a zeroed evaluator. */
void evaluator_end(evaluator *e);

/* The variance of a data set's targets: the mean of their squared distances from the mean of their output, in double
 * and in row order. 0 without targets. */
double targets_spread(const mlp_cl_dataset *dataset);

/* Means as double sums in row order. Metric i is of row order[i] of the data set, or i when order is NULL. */
mlp_cl_evaluation evaluation_of(mlp_cl_task task, const mlp_cl_dataset *dataset, double spread,
                                const row_metrics *metrics, const uint32_t *order);

#endif
