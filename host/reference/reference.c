/* Opens the reference, keeps its tensors, and puts every operation behind the backend's interface inside the
 * floating-point environment that the contract needs. */
#include "reference/reference.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "reference/floating_point.h"
#include "reference/operations.h"

typedef struct reference_backend {
  backend base;
  bool hired;     /* weights do not change but by writing to them */
  helper *helper; /* NULL: none */
} reference_backend;

/* ---- Tensors --------------------------------------------------------------------------------------------------- */

static mlp_cl_status tensor_create(backend *self, tensor_role role, tensor_element element, size_t rows, size_t cols,
                                   tensor **created, mlp_cl_error *error) {
  (void)self;
  assert(rows > 0 && cols > 0 && (role == TENSOR_PLAIN || element == TENSOR_FLOAT32));
  size_t count, bytes;
  if (!size_multiply(rows, cols, &count) || !size_multiply(count, tensor_element_bytes(element), &bytes))
    return fail(error, MLP_CL_BAD_SHAPE, "a tensor of %zu × %zu elements is larger than memory can be", rows, cols);
  if (bytes > memory_total_bytes())
    return fail_memory(error, bytes, "a tensor"); /* malloc promises what is not there */
  reference_tensor *made = malloc(sizeof *made);
  if (made == NULL) return fail_memory(error, sizeof *made, "a tensor");
  *made = (reference_tensor){.base = {.role = role, .element = element, .rows = rows, .cols = cols}};
  made->values = malloc(bytes);
  if (made->values == NULL) {
    free(made);
    return fail_memory(error, bytes, "a tensor");
  }
  *created = &made->base;
  return MLP_CL_OK;
}

static mlp_cl_status tensor_share(backend *self, tensor_element element, size_t rows, size_t cols, const void *values,
                                  tensor **shared, mlp_cl_error *error) {
  (void)self;
  reference_tensor *made = malloc(sizeof *made);
  if (made == NULL) return fail_memory(error, sizeof *made, "a tensor");
  *made = (reference_tensor){.base = {.role = TENSOR_PLAIN, .element = element, .rows = rows, .cols = cols},
                             .values = (void *)values,
                             .shared = true};
  *shared = &made->base;
  return MLP_CL_OK;
}

static uint64_t tensor_bytes(const backend *self, const tensor *t) {
  size_t count, bytes;
  (void)self;
  if (!size_multiply(t->rows, t->cols, &count) || !size_multiply(count, tensor_element_bytes(t->element), &bytes))
    return UINT64_MAX;
  return bytes;
}

static void tensor_destroy(backend *self, tensor *destroyed) {
  (void)self;
  if (destroyed == NULL) return;
  if (!((reference_tensor *)destroyed)->shared) free(values_of(destroyed));
  free(((reference_tensor *)destroyed)->panels);
  free(destroyed);
}

static mlp_cl_status tensor_write(backend *self, tensor *target, size_t first, size_t rows, const void *source,
                                  mlp_cl_error *error) {
  (void)self, (void)error;
  assert(first + rows <= target->rows);
  size_t row_bytes = target->cols * tensor_element_bytes(target->element);
  ((reference_tensor *)target)->packed = false;
  memcpy((char *)values_of(target) + first * row_bytes, source, rows * row_bytes);
  if (target->role == TENSOR_PLAIN) return MLP_CL_OK;
  float *values = floats_of(target) + first * target->cols;
  floating_point saved = floating_point_set();
  canonical_row(rows * target->cols, floor_of(target), values, values);
  floating_point_restore(saved);
  return MLP_CL_OK;
}

static mlp_cl_status tensor_read(backend *self, const tensor *source, size_t first, size_t rows, void *target,
                                 mlp_cl_error *error) {
  (void)self, (void)error;
  assert(first + rows <= source->rows);
  size_t row_bytes = source->cols * tensor_element_bytes(source->element);
  memcpy(target, (const char *)values_of(source) + first * row_bytes, rows * row_bytes);
  return MLP_CL_OK;
}

static mlp_cl_status tensor_copy(backend *self, const tensor *source, tensor *target, mlp_cl_error *error) {
  (void)self, (void)error;
  assert(source->rows == target->rows && source->cols == target->cols);
  ((reference_tensor *)target)->packed = false;
  memcpy(values_of(target), values_of(source), source->rows * source->cols * sizeof(float));
  return MLP_CL_OK;
}

static mlp_cl_status tensor_zero(backend *self, tensor *target, mlp_cl_error *error) {
  (void)self, (void)error;
  ((reference_tensor *)target)->packed = false;
  memset(values_of(target), 0, target->rows * target->cols * tensor_element_bytes(target->element));
  return MLP_CL_OK;
}

/* ---- Operations ------------------------------------------------------------------------------------------------ */

/* Runs an operation inside its floating-point environment. The operation lies in another file, so that the compiler
 * moves none of its arithmetic out of the bracket. */
#define BRACKET(call)                            \
  do {                                           \
    (void)self;                                  \
    floating_point saved = floating_point_set(); \
    mlp_cl_status status = (call);               \
    floating_point_restore(saved);               \
    return status;                               \
  } while (0)

static helper *helper_of(backend *self) {
  return ((reference_backend *)self)->helper;
}

static mlp_cl_status run_gather(backend *self, const gather *g, mlp_cl_error *error) {
  BRACKET(reference_gather(g, error));
}

static mlp_cl_status run_dense_forward(backend *self, const dense_forward *d, mlp_cl_error *error) {
  BRACKET(reference_dense_forward(helper_of(self), ((reference_backend *)self)->hired, d, error));
}

static mlp_cl_status run_cross_entropy(backend *self, const cross_entropy *c, mlp_cl_error *error) {
  BRACKET(reference_cross_entropy(c, error));
}

static mlp_cl_status run_dense_backward_input(backend *self, const dense_backward_input *d, mlp_cl_error *error) {
  BRACKET(reference_dense_backward_input(d, error));
}

static mlp_cl_status run_dense_backward_weight(backend *self, const dense_backward_weight *d, size_t count,
                                               mlp_cl_error *error) {
  BRACKET(reference_dense_backward_weight(d, count, error));
}

static mlp_cl_status run_activation_forward(backend *self, const activation *a, mlp_cl_error *error) {
  BRACKET(reference_activation_forward(a, error));
}

static mlp_cl_status run_activation_backward(backend *self, const activation *a, mlp_cl_error *error) {
  BRACKET(reference_activation_backward(a, error));
}

static mlp_cl_status run_target_loss(backend *self, const target_loss *t, mlp_cl_error *error) {
  BRACKET(reference_target_loss(t, error));
}

static mlp_cl_status run_softmax(backend *self, size_t rows, const tensor *logits, tensor *probabilities,
                                 mlp_cl_error *error) {
  BRACKET(reference_softmax(helper_of(self), rows, logits, probabilities, error));
}

static mlp_cl_status run_matmul(backend *self, mlp_cl_product product, const tensor *a, const tensor *b, tensor *c,
                                mlp_cl_error *error) {
  BRACKET(reference_matmul(product, a, b, c, error));
}

static mlp_cl_status run_bias(backend *self, size_t rows, const tensor *x, const tensor *bias, tensor *y,
                              mlp_cl_error *error) {
  BRACKET(reference_bias(rows, x, bias, y, error));
}

static mlp_cl_status run_relu(backend *self, size_t rows, const tensor *x, tensor *y, mlp_cl_error *error) {
  BRACKET(reference_relu(rows, x, y, error));
}

static mlp_cl_status run_relu_backward(backend *self, size_t rows, const tensor *y, const tensor *d_y, tensor *d_x,
                                       mlp_cl_error *error) {
  BRACKET(reference_relu_backward(rows, y, d_y, d_x, error));
}

static mlp_cl_status run_dropout(backend *self, size_t rows, const dropout *mask, const tensor *x, tensor *y,
                                 mlp_cl_error *error) {
  BRACKET(reference_dropout(rows, mask, x, y, error));
}

static mlp_cl_status run_adam(backend *self, const adam_step *a, mlp_cl_error *error) {
  BRACKET(reference_adam(a, error));
}

static mlp_cl_status run_sgd(backend *self, const sgd *update, const tensor *gradient, tensor *weight, tensor *velocity,
                             tensor *flag, uint32_t step, mlp_cl_error *error) {
  BRACKET(reference_sgd(update, gradient, weight, velocity, flag, step, error));
}

static mlp_cl_status run_squared_sum(backend *self, const tensor *gradient, tensor *sums, size_t slot,
                                     mlp_cl_error *error) {
  BRACKET(reference_squared_sum(gradient, sums, slot, error));
}

static mlp_cl_status run_clip(backend *self, const clip *c, mlp_cl_error *error) {
  BRACKET(reference_clip(c, error));
}

/* Every operation is complete when its call returns. */
static mlp_cl_status nothing_to_wait_for(backend *self, mlp_cl_error *error) {
  (void)self, (void)error;
  return MLP_CL_OK;
}

/* ---- Open and close -------------------------------------------------------------------------------------------- */

static void reference_close(backend *self) {
  helper_destroy(helper_of(self));
  free(self);
}

static const backend_operations operations = {
    .close = reference_close,
    .tensor_create = tensor_create,
    .tensor_share = tensor_share,
    .tensor_destroy = tensor_destroy,
    .tensor_write = tensor_write,
    .tensor_bytes = tensor_bytes,
    .tensor_send = tensor_write,
    .tensor_read = tensor_read,
    .tensor_copy = tensor_copy,
    .tensor_zero = tensor_zero,
    .gather = run_gather,
    .dense_forward = run_dense_forward,
    .cross_entropy = run_cross_entropy,
    .dense_backward_input = run_dense_backward_input,
    .dense_backward_weight = run_dense_backward_weight,
    .output_layer = output_layer_by_parts,
    .activation_forward = run_activation_forward,
    .activation_backward = run_activation_backward,
    .target_loss = run_target_loss,
    .softmax = run_softmax,
    .matmul = run_matmul,
    .bias = run_bias,
    .relu = run_relu,
    .relu_backward = run_relu_backward,
    .dropout = run_dropout,
    .sgd = run_sgd,
    .adam = run_adam,
    .squared_sum = run_squared_sum,
    .clip = run_clip,
    .pace = nothing_to_wait_for,
    .finish = nothing_to_wait_for,
};

mlp_cl_status reference_open(backend **opened, mlp_cl_error *error) {
  *opened = NULL;
  reference_backend *self = calloc(1, sizeof *self);
  if (self == NULL) return fail_memory(error, sizeof *self, "the reference");
  self->base = (backend){.op = &operations,
                         .fuses_adam = true,
                         .platform_version = "",
                         .device = {.index = -1,
                                    .type = MLP_CL_DEVICE_REFERENCE,
                                    .platform = "mlp_cl",
                                    .name = "reference",
                                    .driver = MLP_CL_VERSION,
                                    .compute_units = 1,
                                    .global_memory_bytes = memory_total_bytes(),
                                    .largest_allocation_bytes = memory_total_bytes(),
                                    .work_group_size = 1}};
  *opened = &self->base;
  return MLP_CL_OK;
}

void reference_hire(backend *reference) {
  reference_backend *self = (reference_backend *)reference;
  self->hired = true;
  if (self->helper == NULL) self->helper = helper_create();
}

double reference_flops(void) {
  return HOT_HAS_AVX512 ? 200e9 : HOT_HAS_FMA ? 80e9 : 1e9;
}
