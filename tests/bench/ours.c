/* mlp_cl as a worker of compare.py: ours [DEVICE [KERNELS [REQUEST WORD…]]]; "-" for a device or kernels of the
 * library's choice. With a request on the command line it is answered alone: ours 0 - train 784,512,10 128 3. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mlp_cl.h"
#include "worker.h"

static mlp_cl_status create(mlp_cl_context *context, const request *r, mlp_cl_bench **bench, mlp_cl_error *error) {
  static const mlp_cl_product products[] = {MLP_CL_A_B, MLP_CL_A_BT, MLP_CL_AT_B};
  const mlp_cl_shape shape = {.widths_count = r->widths_count, .widths = r->widths, .bias = true};
  mlp_cl_bench_work work = {.kind = MLP_CL_BENCH_FMA, .m = r->m, .n = r->n, .k = r->k, .batch = r->batch};
  work.shape = &shape;
  if (strcmp(r->work, "matmul") == 0) {
    work.kind = MLP_CL_BENCH_MATMUL;
    work.product = products[r->product];
  } else if (strcmp(r->work, "train") == 0 || strcmp(r->work, "adam") == 0) {
    work.kind = MLP_CL_BENCH_TRAIN;
    work.optimiser = strcmp(r->work, "adam") == 0 ? MLP_CL_ADAM : MLP_CL_SGD;
  } else if (strcmp(r->work, "predict") == 0) {
    work.kind = MLP_CL_BENCH_PREDICT;
  }
  return mlp_cl_bench_create(context, &work, bench, error);
}

/* Keeps the bench of the last request. */
static bool answer(mlp_cl_context *context, const request *r, mlp_cl_bench **bench, char last[sizeof r->text]) {
  mlp_cl_error error;
  mlp_cl_bench_result result;
  mlp_cl_status status = MLP_CL_OK;
  if (!*bench || strcmp(r->text, last) != 0) {
    mlp_cl_bench_destroy(*bench);
    status = create(context, r, bench, &error);
    memcpy(last, r->text, sizeof r->text);
  }
  if (status == MLP_CL_OK) status = mlp_cl_bench_run(*bench, r->seconds, &result, &error);
  if (status == MLP_CL_OK)
    worker_answer(result.median_s * 1e6, result.flops);
  else
    worker_refuse(error.text);
  return status == MLP_CL_OK;
}

static const char *given(int argc, char **argv, int i) {
  return i < argc && strcmp(argv[i], "-") != 0 ? argv[i] : NULL;
}

int main(int argc, char **argv) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_bench *bench = NULL;
  request r;
  char last[sizeof r.text] = "";
  const mlp_cl_context_options how = {.kernels = given(argc, argv, 2)};
  bool good = true;
  if (mlp_cl_context_create(given(argc, argv, 1), &how, &context, &error) != MLP_CL_OK) {
    worker_refuse(error.text);
    return EXIT_FAILURE;
  }
  if (argc > 3) {
    good = worker_read(&r, argv + 3, argc - 3);
    if (good)
      good = answer(context, &r, &bench, last);
    else
      worker_refuse("this is no request; see worker.h");
  } else {
    char name[512];
    const mlp_cl_device *device = mlp_cl_context_device(context);
    snprintf(name, sizeof name, "mlp_cl %s on device %d: %s (%s, %s)", mlp_cl_version(), device->index, device->name,
             device->platform, device->driver);
    worker_ready(name);
    while (worker_next(&r)) (void)answer(context, &r, &bench, last);
  }
  mlp_cl_bench_destroy(bench);
  mlp_cl_context_destroy(context);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
