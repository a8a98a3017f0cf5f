/* What a device can do: tensors, and the operations of a multilayer perceptron on them. Two implementations keep the
 * same bits (docs/numerics.md): reference/ is the readable specification, opencl/ runs it on a device. The network code
 * above is written once, against this file.
 *
 * Unless said otherwise an operation only enqueues: it returns before the work is done, work runs in the order of the
 * calls, and arguments passed by pointer are copied before the call returns. Tensors must outlive the work: destroying
 * one waits. Callers check shapes; operations assert them. `rows` may be less than the tensors' rows (a ragged batch).
 * Names: batch = rows, in = fan-in, out = fan-out; d_x is the gradient of x.
 * Errors of every operation: OPENCL, BUILD (first use of a kernel), DEVICE_MEMORY, NO_MEMORY. */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include "base/error.h"
#include "mlp_cl.h"

typedef struct backend backend;

/* ---- Tensors ---------------------------------------------------------------------------------------------------- */

typedef enum tensor_role {
  TENSOR_PLAIN,      /* row-major in its own element type: data, labels, order, losses, predictions, flags */
  TENSOR_ACTIVATION, /* float32 from here on, in the backend's own layout; magnitudes < 2^-30 are stored as 0 */
  TENSOR_WEIGHT,     /* as activations; a bias is a weight of one row */
  TENSOR_GRADIENT,   /* magnitudes < 2^-50 are stored as 0 */
  TENSOR_STATE       /* of the optimiser, shaped like its weight; as gradients */
} tensor_role;

typedef enum tensor_element {
  TENSOR_UINT8 = MLP_CL_UINT8,
  TENSOR_INT8 = MLP_CL_INT8,
  TENSOR_INT16 = MLP_CL_INT16,
  TENSOR_FLOAT32 = MLP_CL_FLOAT32,
  TENSOR_INT32 /* PLAIN only: labels, order (read as uint32), predictions, flags */
} tensor_element;

/* The part that callers may read; each backend's own tensor begins with it. */
typedef struct tensor {
  tensor_role role;
  tensor_element element;
  size_t rows, cols;
} tensor;

/* Bytes of one element. */
size_t tensor_element_bytes(tensor_element element);

/* How many zeros come together in the values (rows, cols), as far as some of the rows tell: the share of all runs of
 * four elements in a row that are zeros alone, or of all columns over four of those rows, whichever is larger. */
float zeros_together(tensor_element element, const void *values, size_t rows, size_t cols);

/* Shares of zeros from which on they are worth to be looked for; and no others, where they are in a layer's input. */
#define MANY_ZEROS 0.125f
#define MOST_ZEROS 0.5f

/* ---- Arguments of operations ------------------------------------------------------------------------------------ */

/* One dropout mask. The value at (row, col) is kept iff word col%4 of Philox4x32-10 at counter
 * (((first_row + row)·ceil(cols/4) + col/4) as two words, step, layer) under `seed` is >= threshold. */
typedef struct dropout {
  uint32_t threshold; /* round(rate · 2^32); 0 keeps all, and then no Philox is computed */
  float scale;        /* of kept values, forward and backward; 1 when unscaled */
  uint64_t seed;
  uint32_t step;
  uint32_t layer;
  uint64_t first_row; /* number in the whole batch of row 0 */
} dropout;

/* One step of stochastic gradient descent, torch.optim.SGD with dampening 0, each line one fma, result canonical:
 *   g = fma(weight_decay, w, g)                   if weight_decay != 0
 *   v = fma(momentum, v, g), then g = nesterov ? fma(momentum, v, g) : v     if momentum != 0
 *   w = fma(-learning_rate, g, w) */
typedef struct sgd {
  float learning_rate, momentum, weight_decay;
  bool nesterov;
} sgd;

/* One step of Adam (torch.optim.Adam, AdamW where `decoupled`); canonical() by the gradients' floor but for w:
 *   g = canonical(fma(weight_decay, w, g)), or decoupled: w = canonical(w · shrink)     if weight_decay != 0
 *   m = canonical(fma(1 - beta1, g - m, m))
 *   s = canonical(exact_sqrt(fma(beta2 · s, s, ((1 - beta2) · g) · g)))      the root of the mean square, which has no
 *   u = canonical(exact_divide(m, fma(s, root, epsilon)))                    floor that small gradients would meet
 *   w = canonical(fma(-rate, u, w)) */
typedef struct adam {
  float rate;              /* learning rate / (1 - beta1^t) */
  float root;              /* 1 / sqrt(1 - beta2^t) */
  float keep2, add1, add2; /* beta2, 1 - beta1, 1 - beta2 */
  float epsilon, weight_decay, shrink;
  bool decoupled;
} adam;

/* From which `adam` is made for each step. */
typedef struct adam_rates {
  float learning_rate, beta1, beta2, epsilon, weight_decay;
  bool decoupled;
} adam_rates;

/* What adam reads and changes: gradient GRADIENT, weight WEIGHT, moment and rms STATE, all of one shape. A weight or
 * rms that is not finite lowers *flag (uint32; NULL: none) to `step`. */
typedef struct adam_step {
  adam rule;
  const tensor *gradient;
  tensor *weight, *moment, *rms;
  tensor *flag;
  uint32_t step;
} adam_step;

/* Gradients that are longer than `limit`, all tensors together, are scaled down to it (torch's clip_grad_norm_):
 *   total = sums ascending, to 0;  factor = exact_divide(limit, exact_sqrt(total) + 1e-6f)
 *   g = canonical(g · factor)     if factor < 1
 * A total that is not finite lowers *flag to `step`. */
typedef struct clip {
  const tensor *sums; /* PLAIN float32 (1, count), each by squared_sum */
  float limit;        /* 2^-30 … 2^30 */
  tensor *gradient;
  tensor *flag;
  uint32_t step;
} clip;

/* y (rows, width) = canonical(source[order[first + i]] · scale), into an ACTIVATION. |scale| is in [2^-90, 2^90]: so it
 * makes no difference whether a device flushes subnormal elements. */
typedef struct gather {
  const tensor *source; /* PLAIN (any, width) */
  const tensor *order;  /* PLAIN int32 (1, any) of row numbers, or NULL: row first + i itself */
  size_t first, rows;
  float scale;
  tensor *y;
} gather;

/* Terms of 0 change nothing and may be left out, where the other operand is finite. Zeros of data come together, in the
 * same columns of several rows, or beside each other; those that ReLU and dropout leave are scattered. */
typedef enum { ZEROS_NONE, ZEROS_TOGETHER, ZEROS_SCATTERED } zeros_kind;

/* Those that the products of layer i of `count` may skip: forward in its input, of the weights' gradient there or in
 * the gradient of its output. `data`: zeros_together of what the first layer reads. */
zeros_kind zeros_forward(size_t i, mlp_cl_activation hidden, float data);
zeros_kind zeros_backward(size_t i, size_t count, mlp_cl_activation hidden, float data);

/* y (rows, out) = dropout(relu(x (rows, in) · weight (in, out) + bias (1, out))), with the bits of the unfused ones:
 *   y = canonical(sum over features);  y = canonical(y + bias);  y = !(y <= 0) ? y : 0;
 *   y = kept ? canonical(y · scale) : 0
 * The first canonical() is not idle: a bias below 2^-7 would feel a sum below 2^-30. The last one is, as scale >= 1:
 * kernels leave it out. */
typedef struct dense_forward {
  size_t rows;
  const tensor *x, *weight;
  const tensor *bias; /* or NULL */
  bool relu;
  const dropout *dropout; /* or NULL */
  zeros_kind zeros;       /* of x, if all weights are finite */
  tensor *y;
} dense_forward;

/* Turns cross_entropy into that of smoothed labels and weighted classes, with w = weights[label], or 1, and the label's
 * share 1 - smoothing + off, where off = smoothing / classes is every other's:
 *   inner = fma(1 - smoothing, x[label] - max, smoothing · (sum of x - max in 16 lanes · (1 / classes)))
 *   loss = canonical(w · (exact_log(sum) - inner));  d_logits[j] = canonical((p[j] - share[j]) · (w · scale)) */
typedef struct label_terms {
  float smoothing;       /* [0, 1) */
  const tensor *weights; /* PLAIN float32 (1, classes), or NULL */
} label_terms;

/* From logits x (rows, classes) and label[order[first + i]]: losses, predictions at [slot + i], and d_logits.
 *   max = the largest x[j]; the prediction is the first index of max
 *   e[j] = canonical(exact_exp(x[j] - max));  sum = e in 16 lanes (j mod 16), ascending, then lanes 8, 4, 2, 1 apart
 *   loss = exact_log(sum) - (x[label] - max)
 *   p[j] = canonical(exact_divide(e[j], sum));  d_logits[j] = canonical((p[j] - onehot[j]) · scale)
 * where every canonical() has the gradients' floor; softmax stores p with the activations' floor. A row in which a
 * logit is not finite has NaN for loss, p and d_logits, and prediction 0. A loss that is not finite (also: finite
 * logits further apart than the largest float) lowers *flag (uint32) to `step`. */
typedef struct cross_entropy {
  size_t rows;
  const tensor *logits;
  const tensor *labels; /* PLAIN int32 (1, any) */
  const tensor *order;  /* as in gather */
  size_t first;
  float scale;
  const label_terms *terms; /* or NULL */
  size_t slot;
  tensor *losses;      /* PLAIN float32 (1, any) */
  tensor *predictions; /* PLAIN int32 (1, any) */
  tensor *d_logits;    /* or NULL: evaluation */
  tensor *flag;        /* PLAIN int32 (1, 1), or NULL */
  uint32_t step;
} cross_entropy;

/* forward: y = dropout(f(x)); backward: d_x = dropout(d_y) · f'(x). All (rows, cols); y may be x, and d_x may be d_y.
 *   y = canonical(f(x));  y = kept ? canonical(y · scale) : 0
 *   d = kept ? canonical(d_y · scale) : 0;  d_x = canonical(d · canonical(f'(x)))      by the gradients' floor
 * f and f' are those of kernels/activation.h. */
typedef struct activation {
  size_t rows;
  mlp_cl_activation kind;
  const dropout *dropout; /* or NULL */
  const tensor *x;        /* ACTIVATION: what dense_forward stored without relu and dropout */
  tensor *y;              /* forward: ACTIVATION */
  const tensor *d_y;      /* backward: GRADIENT, as d_x */
  tensor *d_x;
} activation;

/* From outputs x (rows, cols) and targets t of row order[first + i]: losses and scores at [slot + i], and d_outputs.
 *   regression:  d = x - t;  part = d²;  score = |d|;  d_outputs = canonical(d · scale)
 *   multi-label: part = canonical(fma(-x, t, max(x, 0)) + softplus(-|x|));  score = (x > 0) == (t > 1/2)
 *                d_outputs = canonical((sigmoid(x) - t) · scale)
 * with t = canonical(t). Row sums of part (d² by fma) and score in 16 lanes as in softmax; loss and score =
 * canonical(sum · (1 / cols)). Every canonical() here has the gradients' floor, but that of t. A loss or a score that
 * is not finite makes both NaN, and lowers *flag (uint32) to `step`; a gradient that is not finite is NaN. */
typedef struct target_loss {
  size_t rows;
  mlp_cl_task task; /* REGRESSION or MULTI_LABEL */
  const tensor *outputs;
  const tensor *targets; /* PLAIN float32 (any, cols) */
  const tensor *order;   /* as in gather */
  size_t first;
  float scale;
  size_t slot;
  tensor *losses, *scores; /* PLAIN float32 (1, any) */
  tensor *d_outputs;       /* or NULL: evaluation */
  tensor *flag;            /* PLAIN int32 (1, 1), or NULL */
  uint32_t step;
} target_loss;

/* d_x (rows, in) = y > 0 ? (d_y (rows, out) · weightᵀ) · scale : 0, where y (rows, in) is what the layer below stored:
 * its sign carries the ReLU's derivative and the dropout mask. The sum is made canonical before it meets `scale`, and
 * again after. */
typedef struct dense_backward_input {
  size_t rows;
  const tensor *d_y, *weight;
  const tensor *y; /* NULL: plain d_x = d_y · weightᵀ */
  float scale;     /* the dropout's */
  bool goes_on;    /* d_x is soon the d_y of another: backends may keep it in a form that suits it */
  tensor *d_x;
} dense_backward_input;

/* The output layer of a classifier, there and back: what its three parts give one after the other. It leaves much of a
 * GPU idle, which may gather the rows of another step meanwhile. */
typedef struct output_layer {
  dense_forward forward; /* to logits: without relu and dropout */
  cross_entropy loss;    /* of them, with d_logits */
  bool has_below;
  dense_backward_input backward; /* has_below: of d_logits, by the same weight */
  const gather *ahead;           /* or NULL; its y is none of the tensors above */
} output_layer;

/* g (in, out) = xᵀ · d_y and g_bias (1, out) = column sums of d_y, both in the batch's tree order; then either stored
 * into d_weight and d_bias, or applied at once to weight, bias and what the optimiser keeps of them. */
typedef struct dense_backward_weight {
  size_t rows;
  const tensor *x, *d_y;
  zeros_kind zeros;          /* together: of x; scattered: of d_y. What is not finite shows all the same */
  const sgd *update;         /* or, if NULL: */
  const adam *adam;          /* or, if NULL, too, they are stored: */
  tensor *d_weight, *d_bias; /* GRADIENT; d_bias may be NULL */
  tensor *weight, *bias;     /* bias may be NULL */
  tensor *weight_velocity, *bias_velocity; /* STATE; NULL without momentum; Adam's moments */
  tensor *weight_rms, *bias_rms;           /* STATE, for Adam */
  tensor *flag;                            /* as in cross_entropy, for what is updated and not finite */
  uint32_t step;
} dense_backward_weight;

/* ---- Whole steps ------------------------------------------------------------------------------------------------ */

typedef struct step_layer {
  size_t in, out;
  tensor *weight, *bias;                   /* bias NULL without */
  tensor *weight_velocity, *bias_velocity; /* Adam's moments, too */
  tensor *weight_rms, *bias_rms;           /* Adam */
  tensor *d_weight, *d_bias;               /* room for gradients that are stored */
  tensor *z;   /* (batch, out): before the activation; NULL where it is ReLU, and for the last */
  tensor *y;   /* (batch, out): output; the logits for the last */
  tensor *d_y; /* (batch, out) */
} step_layer;

/* Everything that a training step touches. */
typedef struct step_plan {
  size_t layers_count;
  step_layer *layers;
  size_t batch;
  mlp_cl_activation activation;
  mlp_cl_task task;
  const tensor *source, *order;
  const tensor *labels; /* classification */
  label_terms terms;    /* of the loss, if `has_terms` */
  bool has_terms;
  const tensor *targets; /* else: (any, outputs) */
  float zeros;           /* of source: zeros_together */
  bool streamed;         /* source holds the rows of the positions from streamed_first on, in the order of the steps, */
  size_t streamed_first; /* instead of all rows */
  float source_scale;
  tensor *x;       /* (batch, in): the gathered batch */
  tensor *x_ahead; /* as x, for the batch after it; NULL: each is gathered in its own step. With classes only */
  tensor *losses, *flag;
  tensor *predictions; /* classification */
  tensor *scores;      /* else */
  mlp_cl_optimiser optimiser;
  sgd update;
  adam_rates adam; /* for Adam and AdamW */
  float clip_norm; /* 0: gradients are not clipped */
  tensor *squares; /* clipping: PLAIN float32 (1, 2 · layers), zeros where there is no bias */
  dropout dropout; /* of hidden layers; step and layer are set on the way */
  bool mean;       /* scale of the loss: 1/rows, or 1 */
} step_plan;

/* Whole steps of one kind are one kernel. */
typedef enum step_kind { STEPS_SGD, STEPS_ADAM, STEPS_TARGETS_SGD, STEPS_TARGETS_ADAM, STEP_KINDS } step_kind;

static inline step_kind step_kind_of(const step_plan *plan) {
  bool by_sgd = plan->optimiser == MLP_CL_SGD;
  if (plan->task == MLP_CL_CLASSIFICATION) return by_sgd ? STEPS_SGD : STEPS_ADAM;
  return by_sgd ? STEPS_TARGETS_SGD : STEPS_TARGETS_ADAM;
}

/* Steps over rows [first, end) of the order in batches of plan->batch, the last one ragged; `step` is the number of the
 * first step in the run, metrics go to the slots of the rows' positions. */
typedef struct step_range {
  size_t first, end;
  uint32_t step;
} step_range;

/* What a device can do at most, measured by kernels that do nothing else. */
typedef enum peak_kind {
  PEAK_FMA,   /* float32 fused multiply-adds in registers; the amount is in operations, two for each */
  PEAK_COPY,  /* from device memory to device memory; in bytes, those read and those written */
  PEAK_LAUNCH /* a kernel that does nothing; 1 */
} peak_kind;

/* ---- The interface ---------------------------------------------------------------------------------------------- */

/* For dense_backward_weight. */
#define LAYERS_TOGETHER 4

/* For products_by. */
#define KERNELS_BY_SIZE SIZE_MAX

typedef struct backend_operations {
  void (*close)(backend *self);

  /* Contents are undefined, except that what lies outside a matrix in the backend's layout never reaches a result. */
  mlp_cl_status (*tensor_create)(backend *self, tensor_role role, tensor_element element, size_t rows, size_t cols,
                                 tensor **created, mlp_cl_error *error);
  /* A PLAIN tensor whose values are the caller's own, row-major, which must stay as they are until it is destroyed.
   * *shared is NULL, without an error, where the device cannot read them in place. */
  mlp_cl_status (*tensor_share)(backend *self, tensor_element element, size_t rows, size_t cols, const void *values,
                                tensor **shared, mlp_cl_error *error);
  /* Bytes of device memory that such a tensor takes; UINT64_MAX for more than there can be. */
  uint64_t (*tensor_bytes)(const backend *self, const tensor *t);
  void (*tensor_destroy)(backend *self, tensor *destroyed); /* NULL is allowed; waits */
  /* Rows [first, first + rows) from or to row-major host memory. write makes values canonical and returns when `source`
   * may be reused; read waits. */
  mlp_cl_status (*tensor_write)(backend *self, tensor *target, size_t first, size_t rows, const void *source,
                                mlp_cl_error *error);
  /* As write, of a PLAIN tensor, but only enqueues, beside the work in flight where that helps: what is enqueued from
   * now on finds the rows there, but what uses the tensor until then must have been enqueued before the last call for
   * whatever tensor of this backend. Waits for that call's transfer: `source` must stay as it is until the next call,
   * or finish. */
  mlp_cl_status (*tensor_send)(backend *self, tensor *target, size_t first, size_t rows, const void *source,
                               mlp_cl_error *error);
  mlp_cl_status (*tensor_read)(backend *self, const tensor *source, size_t first, size_t rows, void *target,
                               mlp_cl_error *error);
  /* Both of one shape; not PLAIN. Values below the target's floor are none of the source's. */
  mlp_cl_status (*tensor_copy)(backend *self, const tensor *source, tensor *target, mlp_cl_error *error);
  mlp_cl_status (*tensor_zero)(backend *self, tensor *target, mlp_cl_error *error);

  /* Fused, as training uses them. */
  mlp_cl_status (*gather)(backend *self, const gather *g, mlp_cl_error *error);
  mlp_cl_status (*dense_forward)(backend *self, const dense_forward *d, mlp_cl_error *error);
  mlp_cl_status (*cross_entropy)(backend *self, const cross_entropy *c, mlp_cl_error *error);
  mlp_cl_status (*dense_backward_input)(backend *self, const dense_backward_input *d, mlp_cl_error *error);
  /* Of `count` layers of one step: they have rows, update, adam, flag and step in common, or are all stored, and none
   * writes what another reads or writes. More than LAYERS_TOGETHER are not faster. */
  mlp_cl_status (*dense_backward_weight)(backend *self, const dense_backward_weight *d, size_t count,
                                         mlp_cl_error *error);
  mlp_cl_status (*output_layer)(backend *self, const output_layer *o, mlp_cl_error *error);
  mlp_cl_status (*activation_forward)(backend *self, const activation *a, mlp_cl_error *error);
  mlp_cl_status (*activation_backward)(backend *self, const activation *a, mlp_cl_error *error);
  mlp_cl_status (*target_loss)(backend *self, const target_loss *t, mlp_cl_error *error);
  mlp_cl_status (*softmax)(backend *self, size_t rows, const tensor *logits, tensor *probabilities,
                           mlp_cl_error *error);

  /* Unfused: the same results in more passes, for validation and for those who learn from them. */
  mlp_cl_status (*matmul)(backend *self, mlp_cl_product product, const tensor *a, const tensor *b, tensor *c,
                          mlp_cl_error *error);
  mlp_cl_status (*bias)(backend *self, size_t rows, const tensor *x, const tensor *bias, tensor *y,
                        mlp_cl_error *error);
  mlp_cl_status (*relu)(backend *self, size_t rows, const tensor *x, tensor *y, mlp_cl_error *error);
  mlp_cl_status (*relu_backward)(backend *self, size_t rows, const tensor *y, const tensor *d_y, tensor *d_x,
                                 mlp_cl_error *error);
  /* Forward on activations, backward on gradients: the role of y decides its floor. */
  mlp_cl_status (*dropout)(backend *self, size_t rows, const dropout *mask, const tensor *x, tensor *y,
                           mlp_cl_error *error);
  /* An updated weight that is not finite lowers *flag (NULL: none) to `step`. */
  mlp_cl_status (*sgd)(backend *self, const sgd *update, const tensor *gradient, tensor *weight, tensor *velocity,
                       tensor *flag, uint32_t step, mlp_cl_error *error);

  mlp_cl_status (*adam)(backend *self, const adam_step *a, mlp_cl_error *error);
  /* sums[slot] = Σ g² over a gradient: each column in blocks of 256 rows, as over features, by acc = fma(g, g, acc);
   * the columns in 16 lanes, as over classes. */
  mlp_cl_status (*squared_sum)(backend *self, const tensor *gradient, tensor *sums, size_t slot, mlp_cl_error *error);
  mlp_cl_status (*clip)(backend *self, const clip *c, mlp_cl_error *error);

  /* Optional (NULL): whole steps in fewer launches, with the same bits. Takes *taken steps from the range's start,
   * maybe none: the caller does the next one by the operations above, and asks again. */
  mlp_cl_status (*train_steps)(backend *self, const step_plan *plan, const step_range *range, size_t *taken,
                               mlp_cl_error *error);

  /* Optional (NULL): does some work of the kind; *amount tells how much. */
  mlp_cl_status (*peak)(backend *self, peak_kind kind, double *amount, mlp_cl_error *error);

  /* Optional (NULL): writes the launches recorded while self->profiling. Errors: BAD_ARGUMENT, IO. */
  mlp_cl_status (*profile_write)(backend *self, const char *path, mlp_cl_error *error);

  /* Optional (NULL): the kernels' parameters. Candidate 0 is the default; false behind the last. keep remembers
   * self->tuning for the device and its driver; false when there is no place for it. */
  bool (*tuning_candidate)(backend *self, size_t i, char text[MLP_CL_TUNING_BYTES]);
  bool (*tuning_keep)(backend *self);
  void (*tuning_forget)(backend *self);

  /* Optional (NULL): where products have kernels for large and for small results, takes the kernels number i for all,
   * so that each can be proven; false behind the last. KERNELS_BY_SIZE: each for its own again. */
  bool (*products_by)(backend *self, size_t i);

  /* Goes with train_steps: whether it might take steps of this plan. */
  bool (*takes_steps)(const backend *self, const step_plan *plan);

  /* Called after each step: keeps the work in flight below about 100 ms by waiting for older work, never for the
   * newest. */
  mlp_cl_status (*pace)(backend *self, mlp_cl_error *error);
  /* Waits for all work and reports errors that came late. */
  mlp_cl_status (*finish)(backend *self, mlp_cl_error *error);
} backend_operations;

struct backend {
  const backend_operations *op;
  mlp_cl_device device;
  const char *platform_version;     /* which tells the compiler of some; "" for the reference */
  uint64_t resident_bytes;          /* features of more than these are streamed */
  char tuning[MLP_CL_TUNING_BYTES]; /* the kernels' parameters in use; "" where there are none */
  char build_options[1024];         /* what kernels are compiled with; "" where none are */
  bool tuning_recalled;             /* they were remembered from an earlier search */
  bool fuses_adam;                  /* dense_backward_weight applies Adam without a gradient in memory */
  size_t classes_ahead;             /* output_layer gathers beside so many classes at most for nothing; 0: never */
  bool steps_proven[STEP_KINDS];    /* train_steps may be called for these: it keeps the bits */
  bool steps_refused[STEP_KINDS];   /* the device cannot, or not with the right bits */
  char steps_refusal[256];          /* why; "" without a reason */
  bool profiling;                   /* launches are recorded from now on, when the backend was opened for it */
};

/* Whether the plan's updates are not part of the weight gradients, so that these are stored. */
static inline bool step_plan_stores_gradients(const backend *on, const step_plan *plan) {
  return plan->clip_norm > 0.0f || (plan->optimiser != MLP_CL_SGD && !on->fuses_adam);
}

/* products_by, also of a backend that has one set of kernels for all sizes. */
static inline bool take_products(backend *on, size_t i) {
  return on->op->products_by != NULL ? on->op->products_by(on, i) : i == 0;
}

/* From now on no whole steps of this kind are taken; `reason`, or its first line, is kept if it is the first, NULL is
 * none. */
void refuse_steps(backend *on, step_kind kind, const char *reason);

/* output_layer by the single operations. */
mlp_cl_status output_layer_by_parts(backend *self, const output_layer *o, mlp_cl_error *error);

#endif
