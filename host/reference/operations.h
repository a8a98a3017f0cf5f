/* What the operations of the reference share: its tensors, the ordered sums, and one declaration per operation. Each
 * operation is documented at its place in backend/backend.h; reference.c puts them behind that interface. */
#ifndef REFERENCE_OPERATIONS_H
#define REFERENCE_OPERATIONS_H

#include <stdint.h>

#include "backend/backend.h"
#include "exact_math.h"
#include "reference/helper.h"

/* On x86-64 hot functions are compiled several times, with AVX-512, with FMA and AVX2, and without, and the dynamic
 * loader picks: fmaf is then one instruction instead of a call. The bits are the same. Static functions only: clang
 * does not link others. ThreadSanitizer crashes when the loader picks. */
#if defined(__SANITIZE_THREAD__)
#define HOT
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__clang__) && __clang_major__ >= 14
#define HOT __attribute__((target_clones("fma", "default")))
#define HOT_IS_CLONED
#elif defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && __GNUC__ >= 12
#define HOT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define HOT_IS_CLONED
#define HOT_HAS_AVX512 (__builtin_cpu_supports("x86-64-v4") != 0)
#else
#define HOT
#endif

#ifndef HOT_HAS_AVX512
#define HOT_HAS_AVX512 false
#endif
/* Else a call of fmaf takes as long as some hundred of its instructions. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define HOT_MAY_HAVE_FMA true
#define HOT_HAS_FMA true
#elif defined(HOT_IS_CLONED)
#define HOT_MAY_HAVE_FMA true
#define HOT_HAS_FMA (__builtin_cpu_supports("fma") != 0)
#else
#define HOT_MAY_HAVE_FMA false
#define HOT_HAS_FMA false
#endif

#define EXACT_NAN exact_as_real(0x7fc00000u)

/* ---- Tensors: row-major, in their own element type ------------------------------------------------------------- */

typedef struct reference_tensor {
  tensor base;
  void *values;
  bool shared;   /* the values are the caller's */
  float *panels; /* of a weight, for forward products; NULL: none yet */
  bool packed;   /* these hold the values, unless an operation has changed them */
} reference_tensor;

static inline void *values_of(const tensor *t) {
  return ((const reference_tensor *)t)->values;
}
static inline float *floats_of(const tensor *t) {
  return values_of(t);
}
static inline int32_t *integers_of(const tensor *t) {
  return values_of(t);
}

/* The smallest magnitude that a store to the tensor keeps. */
static inline float floor_of(const tensor *t) {
  return t->role == TENSOR_GRADIENT || t->role == TENSOR_STATE ? FLOOR_GRADIENT : FLOOR_VALUE;
}

/* The row that position i of a batch names. */
static inline size_t ordered_row(const tensor *order, size_t i) {
  return order != NULL ? (size_t)(uint32_t)integers_of(order)[i] : i;
}

/* The first step to report something that is not finite stays. */
static inline void lower_flag(const tensor *flag, uint32_t step) {
  if (flag == NULL) return;
  uint32_t *value = values_of(flag);
  if (step < *value) *value = step;
}

/* ---- Ordered sums (docs/numerics.md) --------------------------------------------------------------------------- */

enum { FEATURE_BLOCK = 256, BATCH_LEAF = 256 };

/* The right side of a sum over features, b (k,n), as panels of 32 columns, (k,32) each, one after the other; the last
 * is padded with zeros. To be freed; NULL without memory. */
float *panels_create(size_t k, size_t n, mlp_cl_error *error);
/* Rows of b are row_step apart, columns col_step: n and 1, or 1 and k where b is stored as its transpose. */
void panels_fill(size_t k, size_t n, const float *b, size_t row_step, size_t col_step, float *panels);
/* What becomes of the sums of a row, `cols` of them from `first` on, which are not yet canonical. */
typedef void product_end(const void *user, size_t row, size_t first, size_t cols, float *sums);
/* c (m,n) = end(a (m,k) · b), each element summed in blocks over k. */
typedef struct feature_product {
  size_t m, n, k;
  const float *a, *panels; /* of b */
  float *c;
  bool skip_zeros; /* b is finite, so that terms of zeros may be left out */
  product_end *end;
  const void *user;
} feature_product;
/* With a helper, or NULL. */
void feature_product_run(helper *help, const feature_product *p);

/* Row i of c (m,n) = aᵀ · b for a (k,m), b (k,n), each element summed in the tree over leaves of k; not yet canonical.
 * a NULL: the column sums of b, in the same order. stack: n · batch_stack_rows(k) floats of scratch; the sum is left in
 * its first row. */
void batch_sum(size_t i, size_t m, size_t n, size_t k, const float *a, const float *b, float *stack);
size_t batch_stack_rows(size_t k);

/* ---- Rows ------------------------------------------------------------------------------------------------------ */

void canonical_row(size_t count, float floor, const float *x, float *y);
/* The sum of 16 lanes: those 8, 4, 2 and 1 apart are added. Overwrites them. */
enum { LANES = 16 };
float lanes_sum(float lanes[LANES]);
/* y = kept ? canonical(x · scale) : 0; `row` counts within the call, `cols` is the tensor's width. */
void dropout_row(const dropout *mask, size_t row, size_t cols, float floor, const float *x, float *y);

typedef struct softmax_sum {
  float max, sum;
} softmax_sum;

/* e = canonical(exp(x - max)) with the gradients' floor, and their sum in 16 lanes; all NaN where one value is not
 * finite. x and e must not overlap. */
softmax_sum softmax_row(size_t count, const float *x, float *e);
/* p = canonical(p / sum), where p holds e on entry. */
void probability_row(size_t count, float sum, float floor, float *p);

/* One step on `count` parameters; v is NULL without momentum. False when a new parameter is not finite. */
bool sgd_row(const sgd *update, size_t count, const float *g, float *w, float *v);
/* The same with moments m and roots of mean squares s, which have to be finite, too. */
bool adam_row(const adam *rule, size_t count, const float *g, float *w, float *m, float *s);

/* ---- Operations ------------------------------------------------------------------------------------------------ */

mlp_cl_status reference_gather(const gather *g, mlp_cl_error *error);
mlp_cl_status reference_dense_forward(helper *help, bool same_weights, const dense_forward *d, mlp_cl_error *error);
mlp_cl_status reference_cross_entropy(const cross_entropy *c, mlp_cl_error *error);
mlp_cl_status reference_dense_backward_input(const dense_backward_input *d, mlp_cl_error *error);
mlp_cl_status reference_dense_backward_weight(const dense_backward_weight *d, size_t count, mlp_cl_error *error);
mlp_cl_status reference_activation_forward(const activation *a, mlp_cl_error *error);
mlp_cl_status reference_activation_backward(const activation *a, mlp_cl_error *error);
mlp_cl_status reference_target_loss(const target_loss *t, mlp_cl_error *error);
mlp_cl_status reference_softmax(helper *help, size_t rows, const tensor *logits, tensor *probabilities,
                                mlp_cl_error *error);
mlp_cl_status reference_matmul(mlp_cl_product product, const tensor *a, const tensor *b, tensor *c,
                               mlp_cl_error *error);
mlp_cl_status reference_bias(size_t rows, const tensor *x, const tensor *bias, tensor *y, mlp_cl_error *error);
mlp_cl_status reference_relu(size_t rows, const tensor *x, tensor *y, mlp_cl_error *error);
mlp_cl_status reference_relu_backward(size_t rows, const tensor *y, const tensor *d_y, tensor *d_x,
                                      mlp_cl_error *error);
mlp_cl_status reference_dropout(size_t rows, const dropout *mask, const tensor *x, tensor *y, mlp_cl_error *error);
mlp_cl_status reference_adam(const adam_step *a, mlp_cl_error *error);
mlp_cl_status reference_sgd(const sgd *update, const tensor *gradient, tensor *weight, tensor *velocity, tensor *flag,
                            uint32_t step, mlp_cl_error *error);
mlp_cl_status reference_squared_sum(const tensor *gradient, tensor *sums, size_t slot, mlp_cl_error *error);
mlp_cl_status reference_clip(const clip *c, mlp_cl_error *error);

#endif
