/* The kinds of work: each with what it needs on the device, and how it is done. */
#include <stdlib.h>

#include "base/size.h"
#include "bench/bench.h"
#include "operations/operation.h"
#include "training/trainer.h"

/* rows × cols values in [0, 1); NULL with the error set. */
static float *random_values(size_t rows, size_t cols, mlp_cl_error *error) {
  float *values = malloc(rows * cols * sizeof *values);
  if (values == NULL) {
    (void)fail_memory(error, rows * cols * sizeof *values, "random values to measure with");
    return NULL;
  }
  uint32_t state = 1;
  for (size_t i = 0; i < rows * cols; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(state >> 8) * 0x1p-24f;
  }
  return values;
}

/* ---- What the device can do at most ------------------------------------------------------------------------------ */

static peak_kind peak_of(mlp_cl_bench_kind kind) {
  if (kind == MLP_CL_BENCH_FMA) return PEAK_FMA;
  return kind == MLP_CL_BENCH_COPY ? PEAK_COPY : PEAK_LAUNCH;
}

static mlp_cl_status repeat_peak(mlp_cl_bench *b, size_t times, mlp_cl_error *error) {
  double amount;
  for (size_t i = 0; i < times; i++) {
    TRY(b->backend->op->peak(b->backend, peak_of(b->work.kind), &amount, error));
    if (b->work.kind == MLP_CL_BENCH_WAIT) TRY(b->backend->op->finish(b->backend, error));
  }
  return MLP_CL_OK;
}

mlp_cl_status bench_prepare_peak(mlp_cl_bench *b, mlp_cl_error *error) {
  double amount;
  if (b->backend->op->peak == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "the reference has no peak to measure: take an OpenCL device");
  TRY(b->backend->op->peak(b->backend, peak_of(b->work.kind), &amount, error));
  b->repeat = repeat_peak;
  if (b->work.kind == MLP_CL_BENCH_FMA) b->flops = amount;
  if (b->work.kind == MLP_CL_BENCH_COPY) b->bytes = amount;
  return MLP_CL_OK;
}

/* ---- Products ---------------------------------------------------------------------------------------------------- */

static mlp_cl_status repeat_matmul(mlp_cl_bench *b, size_t times, mlp_cl_error *error) {
  for (size_t i = 0; i < times; i++) TRY(b->backend->op->matmul(b->backend, b->work.product, b->a, b->b, b->c, error));
  return MLP_CL_OK;
}

static tensor *random_tensor(mlp_cl_bench *b, tensor_role role, size_t rows, size_t cols, mlp_cl_error *error) {
  float *values = random_values(rows, cols, error);
  if (values == NULL) return NULL;
  tensor *created = tensor_set_add(&b->tensors, role, TENSOR_FLOAT32, rows, cols, values);
  free(values);
  return created;
}

/* Operands in the roles that they have in training. */
mlp_cl_status bench_prepare_matmul(mlp_cl_bench *b, mlp_cl_error *error) {
  const mlp_cl_bench_work *w = &b->work;
  bool a_b = w->product == MLP_CL_A_B, a_bt = w->product == MLP_CL_A_BT, at_b = w->product == MLP_CL_AT_B;
  if (!a_b && !a_bt && !at_b) return fail(error, MLP_CL_BAD_ARGUMENT, "there is no product %d", (int)w->product);
  TRY(operation_check_size("matmul", w->m, w->k, error));
  TRY(operation_check_size("matmul", w->k, w->n, error));
  TRY(operation_check_size("matmul", w->m, w->n, error));
  tensor_set_begin(&b->tensors, b->backend, error);
  b->a = random_tensor(b, a_bt ? TENSOR_GRADIENT : TENSOR_ACTIVATION, at_b ? w->k : w->m, at_b ? w->m : w->k, error);
  if (b->a == NULL) return error->status;
  b->b = random_tensor(b, at_b ? TENSOR_GRADIENT : TENSOR_WEIGHT, a_bt ? w->n : w->k, a_bt ? w->k : w->n, error);
  if (b->b == NULL) return error->status;
  b->c = tensor_set_add_zeroed(&b->tensors, a_b ? TENSOR_ACTIVATION : TENSOR_GRADIENT, w->m, w->n);
  if (b->c == NULL) return error->status;
  b->repeat = repeat_matmul;
  b->flops = 2.0 * (double)w->m * (double)w->n * (double)w->k;
  return MLP_CL_OK;
}

/* ---- Training steps ---------------------------------------------------------------------------------------------- */

static mlp_cl_status repeat_train(mlp_cl_bench *b, size_t times, mlp_cl_error *error) {
  uint64_t done;
  TRY(mlp_cl_trainer_steps(b->trainer, times, &done, error));
  if (done == times) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "the run has come to its end: measure anew");
}

/* Multiplications and additions of `first` products in the first layer and `other` in each of the others. */
static double layers_flops(const mlp_cl_bench_work *w, double first, double other) {
  double flops = 0;
  for (size_t i = 0; i + 1 < w->shape->widths_count; i++)
    flops +=
        2 * (i > 0 ? other : first) * (double)w->batch * (double)w->shape->widths[i] * (double)w->shape->widths[i + 1];
  return flops;
}

static mlp_cl_status check_batch(const mlp_cl_bench *b, mlp_cl_error *error) {
  size_t elements;
  size_t width = mlp_cl_network_width(b->network, 0);
  if (b->work.batch == 0 || b->work.batch > INT32_MAX / 64)
    return fail(error, MLP_CL_BAD_ARGUMENT, "a batch of %zu rows: give 1 to %d", b->work.batch, INT32_MAX / 64);
  if (!size_multiply(b->work.batch, width * sizeof(float), &elements) || elements > SIZE_MAX / 64)
    return fail(error, MLP_CL_BAD_SHAPE, "%zu rows of %zu values are larger than memory can be", b->work.batch, width);
  return MLP_CL_OK;
}

/* As many batches as make an epoch that is long beside its end, in not much memory. */
static mlp_cl_status random_rows(mlp_cl_bench *b, mlp_cl_error *error) {
  enum { BATCHES_MAX = 64, BYTES_MAX = 1 << 26 };
  const mlp_cl_shape *shape = b->work.shape;
  size_t width = shape->widths[0], classes = shape->widths[shape->widths_count - 1];
  size_t fitting = BYTES_MAX / (b->work.batch * width * sizeof(float));
  size_t rows = b->work.batch * size_max(1, size_min(fitting, BATCHES_MAX));
  float *features = random_values(rows, width, error);
  if (features == NULL) return error->status;
  int32_t *labels = malloc(rows * sizeof *labels);
  mlp_cl_status status = labels == NULL ? fail_memory(error, rows * sizeof *labels, "random labels") : MLP_CL_OK;
  if (status == MLP_CL_OK) {
    for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)(i * 7919 % classes);
    status = mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, rows, width, 1.0f, labels, classes, &b->data, error);
  }
  free(labels);
  free(features);
  return status;
}

mlp_cl_status bench_prepare_train(mlp_cl_bench *b, mlp_cl_context *context, mlp_cl_error *error) {
  TRY(mlp_cl_network_create(context, b->work.shape, 1, &b->network, error));
  TRY(check_batch(b, error));
  TRY(random_rows(b, error));
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.batch = (uint32_t)b->work.batch;
  recipe.epochs = (uint32_t)((size_t)INT32_MAX / (mlp_cl_dataset_rows(b->data) / b->work.batch));
  recipe.learning_rate = 0.01f;
  recipe.momentum = 0.0f;
  recipe.dropout = 0.2f;
  recipe.optimiser = b->work.optimiser;
  if (recipe.optimiser != MLP_CL_SGD) recipe.learning_rate = 0.001f;
  TRY(mlp_cl_trainer_create(b->network, b->data, NULL, &recipe, &b->trainer, error));
  context_prove_steps(context, &b->trainer->plan, true);
  b->repeat = repeat_train;
  b->flops = layers_flops(&b->work, 2, 3);
  return MLP_CL_OK;
}

/* ---- Inference --------------------------------------------------------------------------------------------------- */

static mlp_cl_status repeat_predict(mlp_cl_bench *b, size_t times, mlp_cl_error *error) {
  for (size_t i = 0; i < times; i++)
    TRY(mlp_cl_network_predict(b->network, b->features, b->work.batch, b->probabilities, error));
  return MLP_CL_OK;
}

mlp_cl_status bench_prepare_predict(mlp_cl_bench *b, mlp_cl_context *context, mlp_cl_error *error) {
  const mlp_cl_shape *shape = b->work.shape;
  TRY(mlp_cl_network_create(context, shape, 1, &b->network, error));
  TRY(check_batch(b, error));
  size_t classes = shape->widths[shape->widths_count - 1];
  b->features = random_values(b->work.batch, shape->widths[0], error);
  if (b->features == NULL) return error->status;
  b->probabilities = calloc(b->work.batch, classes * sizeof(float));
  if (b->probabilities == NULL) return fail_memory(error, b->work.batch * classes * sizeof(float), "probabilities");
  b->repeat = repeat_predict;
  b->flops = layers_flops(&b->work, 1, 1);
  return MLP_CL_OK;
}
