/* Measures a piece of work: so often in a row that a sample takes some 20 ms, and as many samples as time allows. */
#include "bench/bench.h"

#include <stdlib.h>

#include "base/clock.h"

static const double sample_s = 0.02;
enum { SAMPLES_MIN = 3, SAMPLES_MAX = 4096, TIMES_MAX = 1 << 16 };

static mlp_cl_status prepare(mlp_cl_bench *b, mlp_cl_context *context, mlp_cl_error *error) {
  const mlp_cl_bench_work *w = &b->work;
  bool network = w->kind == MLP_CL_BENCH_TRAIN || w->kind == MLP_CL_BENCH_PREDICT;
  if (network && w->shape == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "shape is NULL: give the network to measure");
  switch (w->kind) {
    case MLP_CL_BENCH_FMA:
    case MLP_CL_BENCH_COPY:
    case MLP_CL_BENCH_LAUNCH:
    case MLP_CL_BENCH_WAIT: return bench_prepare_peak(b, error);
    case MLP_CL_BENCH_MATMUL: return bench_prepare_matmul(b, error);
    case MLP_CL_BENCH_TRAIN: return bench_prepare_train(b, context, error);
    case MLP_CL_BENCH_PREDICT: return bench_prepare_predict(b, context, error);
  }
  return fail(error, MLP_CL_BAD_ARGUMENT, "there is no work of kind %d to measure", (int)w->kind);
}

mlp_cl_status mlp_cl_bench_create(mlp_cl_context *context, const mlp_cl_bench_work *work, mlp_cl_bench **bench,
                                  mlp_cl_error *error) {
  mlp_cl_error own; /* where a function returns NULL, the status is found here */
  if (error == NULL) error = &own;
  if (bench == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "bench is NULL: pass where to put it");
  *bench = NULL;
  if (context == NULL || work == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "context or work is NULL");
  mlp_cl_bench *created = calloc(1, sizeof *created);
  if (created == NULL) return fail_memory(error, sizeof *created, "a measurement");
  created->backend = context->backend;
  created->work = *work;
  mlp_cl_status status = prepare(created, context, error);
  if (status != MLP_CL_OK) {
    mlp_cl_bench_destroy(created);
    return status;
  }
  created->work.shape = NULL;
  *bench = created;
  return MLP_CL_OK;
}

void mlp_cl_bench_destroy(mlp_cl_bench *bench) {
  if (bench == NULL) return;
  mlp_cl_trainer_destroy(bench->trainer);
  mlp_cl_dataset_destroy(bench->data);
  mlp_cl_network_destroy(bench->network);
  if (bench->tensors.backend != NULL) (void)tensor_set_end(&bench->tensors);
  free(bench->features);
  free(bench->probabilities);
  free(bench);
}

/* Seconds that the work takes `times` over, to its end. */
static mlp_cl_status measure(mlp_cl_bench *b, size_t times, double *seconds, mlp_cl_error *error) {
  double began = clock_now_s();
  TRY(b->repeat(b, times, error));
  TRY(b->backend->op->finish(b->backend, error));
  *seconds = clock_now_s() - began;
  return MLP_CL_OK;
}

/* Doubles the repetitions until they are a sample: that also warms everything up. */
static mlp_cl_status choose_times(mlp_cl_bench *b, size_t *times, mlp_cl_error *error) {
  double took;
  TRY(measure(b, 1, &took, error)); /* builds kernels and commits memory */
  *times = 1;
  TRY(measure(b, *times, &took, error));
  while (took < 0.7 * sample_s && *times < TIMES_MAX) {
    *times *= 2;
    TRY(measure(b, *times, &took, error));
  }
  return MLP_CL_OK;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

mlp_cl_status mlp_cl_bench_run(mlp_cl_bench *bench, double seconds, mlp_cl_bench_result *result, mlp_cl_error *error) {
  if (bench == NULL || result == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "bench or result is NULL");
  double samples[SAMPLES_MAX];
  size_t times, count = 0;
  double began = clock_now_s();
  TRY(choose_times(bench, &times, error));
  while (count < SAMPLES_MIN || (count < SAMPLES_MAX && clock_now_s() - began < seconds)) {
    TRY(measure(bench, times, &samples[count], error));
    samples[count++] /= (double)times;
  }
  qsort(samples, count, sizeof *samples, by_value);
  *result = (mlp_cl_bench_result){.median_s = samples[count / 2],
                                  .best_s = samples[0],
                                  .samples = count,
                                  .flops = bench->flops,
                                  .bytes = bench->bytes};
  return MLP_CL_OK;
}
