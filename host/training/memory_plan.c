/* What a run takes, told before it takes it: network and trainer are made on a backend that counts instead of
 * allocating, so that the plan cannot differ from what they do. */
#include <stdlib.h>

#include "base/bulk.h"
#include "base/memory.h"
#include "base/size.h"
#include "context/context.h"
#include "data/dataset.h"
#include "network/network.h"

typedef struct counting_backend {
  backend base;
  backend *real;
  mlp_cl_memory *memory;
} counting_backend;

static uint64_t add(uint64_t a, uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t *kind_of(mlp_cl_memory *memory, tensor_role role) {
  switch (role) {
    case TENSOR_PLAIN: return &memory->data_bytes;
    case TENSOR_ACTIVATION: return &memory->activation_bytes;
    case TENSOR_WEIGHT: return &memory->parameter_bytes;
    case TENSOR_GRADIENT: return &memory->gradient_bytes;
    case TENSOR_STATE: break;
  }
  return &memory->state_bytes;
}

/* A tensor without contents. */
static mlp_cl_status make_shell(tensor shape, tensor **made, mlp_cl_error *error) {
  *made = malloc(sizeof **made);
  if (*made == NULL) return fail_memory(error, sizeof **made, "a tensor");
  **made = shape;
  return MLP_CL_OK;
}

static mlp_cl_status count_tensor(backend *self, tensor_role role, tensor_element element, size_t rows, size_t cols,
                                  tensor **created, mlp_cl_error *error) {
  counting_backend *counting = (counting_backend *)self;
  mlp_cl_memory *memory = counting->memory;
  TRY(make_shell((tensor){role, element, rows, cols}, created, error));
  uint64_t bytes = counting->real->op->tensor_bytes(counting->real, *created);
  uint64_t *kind = kind_of(memory, role);
  *kind = add(*kind, bytes);
  memory->device_bytes = add(memory->device_bytes, bytes);
  if (bytes > memory->largest_bytes) memory->largest_bytes = bytes;
  return MLP_CL_OK;
}

/* Takes no memory: whether the device can is tried. */
static mlp_cl_status try_share(backend *self, tensor_element element, size_t rows, size_t cols, const void *values,
                               tensor **shared, mlp_cl_error *error) {
  backend *real = ((counting_backend *)self)->real;
  tensor *tried = NULL;
  *shared = NULL;
  TRY(real->op->tensor_share(real, element, rows, cols, values, &tried, error));
  if (tried == NULL) return MLP_CL_OK;
  real->op->tensor_destroy(real, tried);
  return make_shell((tensor){TENSOR_PLAIN, element, rows, cols}, shared, error);
}

static void forget_tensor(backend *self, tensor *destroyed) {
  (void)self;
  free(destroyed);
}

static mlp_cl_status skip_write(backend *self, tensor *target, size_t first, size_t rows, const void *source,
                                mlp_cl_error *error) {
  (void)self, (void)target, (void)first, (void)rows, (void)source, (void)error;
  return MLP_CL_OK;
}

static mlp_cl_status skip_zero(backend *self, tensor *target, mlp_cl_error *error) {
  (void)self, (void)target, (void)error;
  return MLP_CL_OK;
}

static mlp_cl_status skip_finish(backend *self, mlp_cl_error *error) {
  (void)self, (void)error;
  return MLP_CL_OK;
}

static mlp_cl_status make_all(mlp_cl_context *on, const mlp_cl_shape *shape, const mlp_cl_dataset *train,
                              const mlp_cl_dataset *test, const mlp_cl_recipe *recipe, mlp_cl_error *error) {
  mlp_cl_network *network = NULL;
  mlp_cl_trainer *trainer = NULL;
  mlp_cl_shape zero = *shape;
  zero.init = MLP_CL_INIT_ZERO; /* what is written is not looked at */
  TRY(mlp_cl_network_create(on, &zero, 0, &network, error));
  mlp_cl_status status = mlp_cl_trainer_create(network, train, test, recipe, &trainer, error);
  mlp_cl_trainer_destroy(trainer);
  mlp_cl_network_destroy(network);
  return status;
}

/* Features that lie in a file take no memory that others could not have. */
static uint64_t dataset_bytes(const mlp_cl_dataset *data) {
  if (data == NULL) return 0;
  uint64_t rows = data->rows, features = rows * data->width * dataset_element_bytes(data->element);
  uint64_t answers = data->outputs * sizeof(float) + (data->labels != NULL ? sizeof *data->labels : 0);
  return (bulk_in_file(data->features) ? 0 : features) + rows * answers;
}

mlp_cl_status mlp_cl_plan_memory(mlp_cl_context *context, const mlp_cl_shape *shape, const mlp_cl_dataset *train,
                                 const mlp_cl_dataset *test, const mlp_cl_recipe *recipe, mlp_cl_memory *memory,
                                 mlp_cl_error *error) {
  static const backend_operations counts = {.tensor_create = count_tensor,
                                            .tensor_share = try_share,
                                            .tensor_destroy = forget_tensor,
                                            .tensor_write = skip_write,
                                            .tensor_send = skip_write,
                                            .tensor_zero = skip_zero,
                                            .finish = skip_finish};
  if (context == NULL || shape == NULL || train == NULL || recipe == NULL || memory == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "context, shape, data, recipe or memory is NULL");
  *memory = (mlp_cl_memory){.device_limit_bytes = context->backend->device.global_memory_bytes,
                            .largest_limit_bytes = context->backend->device.largest_allocation_bytes,
                            .host_limit_bytes = memory_total_bytes()};
  counting_backend counting = {.base = *context->backend, .real = context->backend, .memory = memory};
  counting.base.op = &counts;
  mlp_cl_context on = *context;
  on.backend = &counting.base;
  on.proven = UINT64_MAX; /* nothing is computed */
  TRY(make_all(&on, shape, train, test, recipe, error));
  /* The data; the epoch's order, twice, and metrics; a tensor on its way in its own layout and in the device's. */
  memory->host_bytes = add(dataset_bytes(train), dataset_bytes(test));
  memory->host_bytes = add(memory->host_bytes, 16 * (uint64_t)train->rows);
  memory->host_bytes = add(memory->host_bytes, add(memory->largest_bytes, memory->largest_bytes));
  memory->fits = memory->device_bytes <= memory->device_limit_bytes &&
                 memory->largest_bytes <= memory->largest_limit_bytes && memory->host_bytes <= memory->host_limit_bytes;
  return MLP_CL_OK;
}
