/* The trials of operations that most runs do without, which are proven on their first use: a name holds the word by
 * which context_prove asks for them. */
#include <string.h>

#include "backend/hyperparameters.h"
#include "context/trial.h"

static tensor *batch_tensor(trial_run *run, tensor_role role, trial_shape s, trial_values values) {
  return trial_batch(run, role, s.rows, s.out, values);
}

static void bias(trial_run *run, trial_shape s) {
  const tensor *x = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_UNIFORM);
  const tensor *added = trial_tensor(run, TENSOR_WEIGHT, 1, s.out, TRIAL_UNIFORM);
  tensor *y = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_CANARY);
  DO(&run->set, bias, s.rows, x, added, y);
  trial_collect(run, y, s.rows);
}

static void relu(trial_run *run, trial_shape s) {
  const tensor *x = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_UNIFORM);
  tensor *y = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_CANARY);
  DO(&run->set, relu, s.rows, x, y);
  trial_collect(run, y, s.rows);
}

static void relu_backward(trial_run *run, trial_shape s) {
  const tensor *y = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_NOT_NEGATIVE);
  const tensor *d_y = batch_tensor(run, TENSOR_GRADIENT, s, TRIAL_UNIFORM);
  tensor *d_x = batch_tensor(run, TENSOR_GRADIENT, s, TRIAL_CANARY);
  DO(&run->set, relu_backward, s.rows, y, d_y, d_x);
  trial_collect(run, d_x, s.rows);
}

static void run_dropout(trial_run *run, trial_shape s, tensor_role role) {
  const tensor *x = batch_tensor(run, role, s, TRIAL_UNIFORM);
  tensor *y = batch_tensor(run, role, s, TRIAL_CANARY);
  const uint64_t first_rows[] = {0, 300, 0xfffffffe}; /* the last carries into the counter's second word */
  for (size_t i = 0; i < sizeof first_rows / sizeof *first_rows; i++) {
    dropout mask = trial_mask(first_rows[i]);
    DO(&run->set, dropout, s.rows, &mask, x, y);
    trial_collect(run, y, s.rows);
  }
}
static void dropout_forward(trial_run *run, trial_shape s) {
  run_dropout(run, s, TENSOR_ACTIVATION);
}
static void dropout_backward(trial_run *run, trial_shape s) {
  run_dropout(run, s, TENSOR_GRADIENT);
}

static void softmax(trial_run *run, trial_shape s) {
  const tensor *logits = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_LOGITS);
  tensor *probabilities = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_CANARY);
  DO(&run->set, softmax, s.rows, logits, probabilities);
  trial_collect(run, probabilities, s.rows);
}

static void run_sgd(trial_run *run, trial_shape s, const sgd *update) {
  const tensor *gradient = trial_tensor(run, TENSOR_GRADIENT, s.in, s.out, TRIAL_UNIFORM);
  tensor *weight = trial_tensor(run, TENSOR_WEIGHT, s.in, s.out, TRIAL_UNIFORM);
  bool momentum = update->momentum != 0.0f;
  tensor *velocity = momentum ? trial_tensor(run, TENSOR_STATE, s.in, s.out, TRIAL_UNIFORM) : NULL;
  tensor *flag = trial_integers(run, 1, -1);
  DO(&run->set, sgd, update, gradient, weight, velocity, flag, 3);
  trial_collect(run, flag, 1);
  trial_collect(run, weight, s.in);
  if (velocity != NULL) trial_collect(run, velocity, s.in);
}
static void sgd_plain(trial_run *run, trial_shape s) {
  run_sgd(run, s, &trial_sgd);
}
static void sgd_momentum(trial_run *run, trial_shape s) {
  run_sgd(run, s, &trial_sgd_momentum);
}
static void sgd_nesterov(trial_run *run, trial_shape s) {
  run_sgd(run, s, &trial_sgd_nesterov);
}
static void sgd_overflow(trial_run *run, trial_shape s) {
  run_sgd(run, s, &trial_sgd_overflow);
}

static void run_activation(trial_run *run, trial_shape s, mlp_cl_activation kind) {
  dropout mask = trial_mask(0);
  for (size_t dropped = 0; dropped < 2; dropped++) {
    activation a = {.rows = s.rows,
                    .kind = kind,
                    .dropout = dropped == 1 ? &mask : NULL,
                    .x = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_LOGITS),
                    .y = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_CANARY),
                    .d_y = batch_tensor(run, TENSOR_GRADIENT, s, TRIAL_UNIFORM),
                    .d_x = batch_tensor(run, TENSOR_GRADIENT, s, TRIAL_CANARY)};
    DO(&run->set, activation_forward, &a);
    DO(&run->set, activation_backward, &a);
    trial_collect(run, a.y, s.rows);
    trial_collect(run, a.d_x, s.rows);
  }
}
static void leaky_relu(trial_run *run, trial_shape s) {
  run_activation(run, s, MLP_CL_LEAKY_RELU);
}
static void hyperbolic_tangent(trial_run *run, trial_shape s) {
  run_activation(run, s, MLP_CL_TANH);
}
static void sigmoid(trial_run *run, trial_shape s) {
  run_activation(run, s, MLP_CL_SIGMOID);
}
static void gelu(trial_run *run, trial_shape s) {
  run_activation(run, s, MLP_CL_GELU);
}

static void run_target_loss(trial_run *run, trial_shape s, mlp_cl_task task) {
  size_t source_rows = s.rows + 5, slot = 4;
  target_loss t = {.rows = s.rows,
                   .task = task,
                   .outputs = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_LOGITS),
                   .targets = trial_tensor(run, TENSOR_PLAIN, source_rows, s.out,
                                           task == MLP_CL_REGRESSION ? TRIAL_UNIFORM : TRIAL_NOT_NEGATIVE),
                   .order = trial_integers(run, s.rows + 2, (int32_t)source_rows),
                   .first = 2,
                   .scale = loss_scale(task, true, s.rows, s.out),
                   .slot = slot,
                   .losses = trial_tensor(run, TENSOR_PLAIN, 1, slot + s.rows, TRIAL_CANARY),
                   .scores = trial_tensor(run, TENSOR_PLAIN, 1, slot + s.rows, TRIAL_CANARY),
                   .d_outputs = batch_tensor(run, TENSOR_GRADIENT, s, TRIAL_CANARY),
                   .flag = trial_integers(run, 1, -1),
                   .step = 3};
  DO(&run->set, target_loss, &t);
  t.order = NULL;
  t.slot = 0;
  tensor *d_outputs = t.d_outputs;
  t.d_outputs = NULL;
  DO(&run->set, target_loss, &t);
  trial_collect(run, t.losses, 1);
  trial_collect(run, t.scores, 1);
  trial_collect(run, d_outputs, s.rows);
  trial_collect(run, t.flag, 1);
}
static void regression(trial_run *run, trial_shape s) {
  run_target_loss(run, s, MLP_CL_REGRESSION);
}
static void multi_label(trial_run *run, trial_shape s) {
  run_target_loss(run, s, MLP_CL_MULTI_LABEL);
}

static void label_terms_of(trial_run *run, trial_shape s) {
  size_t source_rows = s.rows + 5, slot = 4;
  const label_terms both = {.smoothing = 0.1f,
                            .weights = trial_tensor(run, TENSOR_PLAIN, 1, s.out, TRIAL_NOT_NEGATIVE)};
  const label_terms smoothed = {.smoothing = 0.25f};
  for (int i = 0; i < 2; i++) {
    cross_entropy c = {.rows = s.rows,
                       .logits = batch_tensor(run, TENSOR_ACTIVATION, s, TRIAL_LOGITS),
                       .labels = trial_integers(run, source_rows, (int32_t)s.out),
                       .order = i == 0 ? trial_integers(run, s.rows + 2, (int32_t)source_rows) : NULL,
                       .first = 2,
                       .scale = 1.0f / (float)s.rows,
                       .terms = i == 0 ? &both : &smoothed,
                       .slot = slot,
                       .losses = trial_tensor(run, TENSOR_PLAIN, 1, slot + s.rows, TRIAL_CANARY),
                       .predictions = trial_integers(run, slot + s.rows, -77),
                       .d_logits = batch_tensor(run, TENSOR_GRADIENT, s, TRIAL_CANARY),
                       .flag = trial_integers(run, 1, -1),
                       .step = 3};
    DO(&run->set, cross_entropy, &c);
    trial_collect(run, c.losses, 1);
    trial_collect(run, c.predictions, 1);
    trial_collect(run, c.d_logits, s.rows);
    trial_collect(run, c.flag, 1);
  }
}

/* At this rate the last bit of a quotient reaches the weights. */
#define TRIAL_RATE 0.5f

static void run_adam(trial_run *run, trial_shape s, bool decoupled) {
  const adam_rates rates = {.learning_rate = TRIAL_RATE,
                            .beta1 = 0.9f,
                            .beta2 = 0.999f,
                            .epsilon = 1e-8f,
                            .weight_decay = 0.01f,
                            .decoupled = decoupled};
  adam_step a = {.weight = trial_tensor(run, TENSOR_WEIGHT, s.in, s.out, TRIAL_UNIFORM),
                 .moment = trial_tensor(run, TENSOR_STATE, s.in, s.out, TRIAL_UNIFORM),
                 .rms = trial_tensor(run, TENSOR_STATE, s.in, s.out, TRIAL_NOT_NEGATIVE),
                 .flag = trial_integers(run, 1, -1)};
  for (uint32_t step = 1; step < 4; step++) {
    a.rule = adam_of_step(&rates, step);
    a.gradient = trial_tensor(run, TENSOR_GRADIENT, s.in, s.out, TRIAL_UNIFORM);
    DO(&run->set, adam, &a);
  }
  trial_collect(run, a.weight, s.in);
  trial_collect(run, a.moment, s.in);
  trial_collect(run, a.rms, s.in);
  trial_collect(run, a.flag, 1);
}
static void adam_coupled(trial_run *run, trial_shape s) {
  run_adam(run, s, false);
}
static void adam_decoupled(trial_run *run, trial_shape s) {
  run_adam(run, s, true);
}

/* In the epilogue of the weight gradient. */
static void adam_in_backward_weight(trial_run *run, trial_shape s) {
  const adam_rates rates = {.learning_rate = TRIAL_RATE, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
  const adam rule = adam_of_step(&rates, 2);
  dense_backward_weight d = {.rows = s.rows,
                             .x = trial_batch(run, TENSOR_ACTIVATION, s.rows, s.in, TRIAL_UNIFORM),
                             .d_y = batch_tensor(run, TENSOR_GRADIENT, s, TRIAL_UNIFORM),
                             .adam = &rule,
                             .weight = trial_tensor(run, TENSOR_WEIGHT, s.in, s.out, TRIAL_UNIFORM),
                             .weight_velocity = trial_tensor(run, TENSOR_STATE, s.in, s.out, TRIAL_UNIFORM),
                             .weight_rms = trial_tensor(run, TENSOR_STATE, s.in, s.out, TRIAL_NOT_NEGATIVE),
                             .flag = trial_integers(run, 1, -1),
                             .step = 3};
  DO(&run->set, dense_backward_weight, &d, 1);
  d.bias = trial_tensor(run, TENSOR_WEIGHT, 1, s.out, TRIAL_UNIFORM);
  d.bias_velocity = trial_tensor(run, TENSOR_STATE, 1, s.out, TRIAL_UNIFORM);
  d.bias_rms = trial_tensor(run, TENSOR_STATE, 1, s.out, TRIAL_NOT_NEGATIVE);
  DO(&run->set, dense_backward_weight, &d, 1);
  trial_collect(run, d.weight, s.in);
  trial_collect(run, d.weight_velocity, s.in);
  trial_collect(run, d.weight_rms, s.in);
  trial_collect(run, d.bias, 1);
  trial_collect(run, d.bias_velocity, 1);
  trial_collect(run, d.bias_rms, 1);
  trial_collect(run, d.flag, 1);
}

/* Gradients above and below the limit, and so many of them that compilers would like to add them in another order. */
static void clip_gradients(trial_run *run, trial_shape s) {
  enum { SUMS = 20 };
  tensor *sums = trial_tensor(run, TENSOR_PLAIN, 1, SUMS, TRIAL_NOT_NEGATIVE);
  tensor *gradient[] = {trial_tensor(run, TENSOR_GRADIENT, s.in, s.out, TRIAL_UNIFORM),
                        trial_tensor(run, TENSOR_GRADIENT, 1, s.out, TRIAL_UNIFORM)};
  clip c = {.sums = sums, .flag = trial_integers(run, 1, -1), .step = 3};
  for (size_t i = 0; i < SUMS; i++) {
    c.limit = i < 2 ? 0x1p30f : 3.0f / (float)i; /* 1 over a norm would be a reciprocal */
    c.gradient = gradient[i % 2];
    DO(&run->set, squared_sum, gradient[i % 2], sums, i);
    DO(&run->set, clip, &c);
  }
  trial_collect(run, sums, 1);
  trial_collect(run, gradient[0], s.in);
  trial_collect(run, gradient[1], 1);
  trial_collect(run, c.flag, 1);
}

const trial seldom_trials[] = {
    {"bias", bias},
    {"relu", relu},
    {"relu backward", relu_backward},
    {"dropout", dropout_forward},
    {"dropout backward", dropout_backward},
    {"softmax", softmax},
    {"sgd", sgd_plain},
    {"sgd momentum", sgd_momentum},
    {"sgd nesterov", sgd_nesterov},
    {"sgd overflow", sgd_overflow},
    {"activation leaky-relu", leaky_relu},
    {"activation tanh", hyperbolic_tangent},
    {"activation sigmoid", sigmoid},
    {"activation gelu", gelu},
    {"target-loss of regression", regression},
    {"target-loss of multi-label", multi_label},
    {"label-terms", label_terms_of},
    {"adam", adam_coupled},
    {"adam decoupled", adam_decoupled},
    {"dense backward weight, adam", adam_in_backward_weight},
    {"clip", clip_gradients},
};
const size_t seldom_trials_count = sizeof seldom_trials / sizeof *seldom_trials;

/* As a whole word: "relu" is not in "leaky-relu". */
static bool has_word(const char *name, const char *word) {
  size_t length = strlen(word);
  for (const char *at = strstr(name, word); at != NULL; at = strstr(at + length, word))
    if ((at == name || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
  return false;
}

uint64_t seldom_trials_of(const char *word) {
  uint64_t chosen = 0;
  for (size_t i = 0; i < seldom_trials_count; i++) chosen |= (uint64_t)has_word(seldom_trials[i].name, word) << i;
  return chosen;
}
