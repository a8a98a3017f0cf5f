/* The trials of operations that every run needs, which are proven when a device is opened. Tensors of a batch have more
 * rows than are used, as in a ragged batch, and outputs hold NaN before. */
#include "context/trial.h"

/* An output of a batch. */
static tensor *batch_output(trial_run *run, tensor_role role, size_t rows, size_t cols) {
  return trial_batch(run, role, rows, cols, TRIAL_CANARY);
}

static tensor *parameter(trial_run *run, size_t rows, size_t cols) {
  return trial_tensor(run, TENSOR_WEIGHT, rows, cols, TRIAL_UNIFORM);
}

static void run_gather(trial_run *run, trial_shape s, tensor_element element) {
  size_t source_rows = s.rows + 5;
  const tensor *source = trial_plain(run, element, source_rows, s.in);
  const tensor *order = trial_integers(run, s.rows + 2, (int32_t)source_rows);
  tensor *y = batch_output(run, TENSOR_ACTIVATION, s.rows, s.in);
  gather ordered = {.source = source, .order = order, .first = 2, .rows = s.rows, .scale = 0x1.010102p-8f, .y = y};
  DO(&run->set, gather, &ordered);
  trial_collect(run, y, s.rows);
  gather straight = {.source = source, .first = 5, .rows = s.rows, .scale = 1.0f, .y = y};
  DO(&run->set, gather, &straight);
  trial_collect(run, y, s.rows);
}
static void gather_uint8(trial_run *run, trial_shape s) {
  run_gather(run, s, TENSOR_UINT8);
}
static void gather_int8(trial_run *run, trial_shape s) {
  run_gather(run, s, TENSOR_INT8);
}
static void gather_int16(trial_run *run, trial_shape s) {
  run_gather(run, s, TENSOR_INT16);
}
static void gather_float32(trial_run *run, trial_shape s) {
  run_gather(run, s, TENSOR_FLOAT32);
}

/* Where zeros may be skipped: so many more outputs, or inputs, that this is worth it. */
static trial_shape with_more_outputs(trial_shape s) {
  s.out += 64;
  return s;
}
static trial_shape with_more_inputs(trial_shape s) {
  s.in += 128;
  return s;
}

static trial_values values_of(zeros_kind zeros) {
  return zeros == ZEROS_TOGETHER ? TRIAL_ZEROS : zeros == ZEROS_SCATTERED ? TRIAL_SCATTERED : TRIAL_UNIFORM;
}

static void run_dense_forward(trial_run *run, trial_shape s, bool bias, bool relu, const dropout *mask,
                              zeros_kind zeros) {
  dense_forward d = {.rows = s.rows,
                     .x = trial_batch(run, TENSOR_ACTIVATION, s.rows, s.in, values_of(zeros)),
                     .weight = parameter(run, s.in, s.out),
                     .bias = bias ? parameter(run, 1, s.out) : NULL,
                     .relu = relu,
                     .dropout = mask,
                     .zeros = zeros,
                     .y = batch_output(run, TENSOR_ACTIVATION, s.rows, s.out)};
  DO(&run->set, dense_forward, &d);
  trial_collect(run, d.y, s.rows);
}
static void dense_forward_hidden(trial_run *run, trial_shape s) {
  dropout mask = trial_mask(0x1fffffff0u);
  run_dense_forward(run, s, true, true, &mask, ZEROS_NONE);
}
static void dense_forward_relu(trial_run *run, trial_shape s) {
  run_dense_forward(run, s, true, true, NULL, ZEROS_NONE);
}
static void dense_forward_logits(trial_run *run, trial_shape s) {
  run_dense_forward(run, s, false, false, NULL, ZEROS_NONE);
}
static void dense_forward_zeros(trial_run *run, trial_shape s) {
  run_dense_forward(run, with_more_outputs(s), false, true, NULL, ZEROS_TOGETHER);
}
static void dense_forward_scattered(trial_run *run, trial_shape s) {
  run_dense_forward(run, with_more_outputs(s), true, false, NULL, ZEROS_SCATTERED);
}

/* With a mask as in the middle of a network: what it gives goes on to the layer below. */
static void run_backward_input(trial_run *run, trial_shape s, bool masked) {
  enum { BELOW = 17 };
  dense_backward_input d = {.rows = s.rows,
                            .d_y = trial_batch(run, TENSOR_GRADIENT, s.rows, s.out, TRIAL_UNIFORM),
                            .weight = parameter(run, s.in, s.out),
                            .y = masked ? trial_batch(run, TENSOR_ACTIVATION, s.rows, s.in, TRIAL_NOT_NEGATIVE) : NULL,
                            .scale = masked ? trial_mask(0).scale : 1.0f,
                            .goes_on = masked,
                            .d_x = batch_output(run, TENSOR_GRADIENT, s.rows, s.in)};
  DO(&run->set, dense_backward_input, &d);
  trial_collect(run, d.d_x, s.rows);
  if (!masked) return;
  dense_backward_input below = {.rows = s.rows,
                                .d_y = d.d_x,
                                .weight = parameter(run, BELOW, s.in),
                                .scale = 1.0f,
                                .d_x = batch_output(run, TENSOR_GRADIENT, s.rows, BELOW)};
  DO(&run->set, dense_backward_input, &below);
  trial_collect(run, below.d_x, s.rows);
}
static void backward_input_masked(trial_run *run, trial_shape s) {
  run_backward_input(run, s, true);
}
static void backward_input_plain(trial_run *run, trial_shape s) {
  run_backward_input(run, s, false);
}

static void run_backward_stored(trial_run *run, trial_shape s, zeros_kind zeros) {
  dense_backward_weight d = {.rows = s.rows,
                             .x = trial_batch(run, TENSOR_ACTIVATION, s.rows, s.in, values_of(zeros)),
                             .d_y = trial_batch(run, TENSOR_GRADIENT, s.rows, s.out,
                                                zeros == ZEROS_SCATTERED ? TRIAL_SCATTERED : TRIAL_UNIFORM),
                             .zeros = zeros,
                             .d_weight = trial_tensor(run, TENSOR_GRADIENT, s.in, s.out, TRIAL_CANARY),
                             .d_bias = trial_tensor(run, TENSOR_GRADIENT, 1, s.out, TRIAL_CANARY)};
  DO(&run->set, dense_backward_weight, &d, 1);
  trial_collect(run, d.d_weight, s.in);
  trial_collect(run, d.d_bias, 1);
}

static void backward_weight_stored(trial_run *run, trial_shape s) {
  run_backward_stored(run, s, ZEROS_NONE);
}
static void backward_weight_zeros(trial_run *run, trial_shape s) {
  run_backward_stored(run, with_more_outputs(s), ZEROS_TOGETHER);
}
static void backward_weight_scattered(trial_run *run, trial_shape s) {
  run_backward_stored(run, with_more_inputs(s), ZEROS_SCATTERED);
}

static void run_backward_update(trial_run *run, trial_shape s, const sgd *update, bool bias, trial_values values) {
  bool velocity = update->momentum != 0.0f;
  dense_backward_weight d = {
      .rows = s.rows,
      .x = trial_batch(run, TENSOR_ACTIVATION, s.rows, s.in, values),
      .d_y = trial_batch(run, TENSOR_GRADIENT, s.rows, s.out, values),
      .zeros = values == TRIAL_SCATTERED ? ZEROS_SCATTERED : ZEROS_NONE,
      .update = update,
      .weight = trial_tensor(run, TENSOR_WEIGHT, s.in, s.out, values),
      .bias = bias ? trial_tensor(run, TENSOR_WEIGHT, 1, s.out, values) : NULL,
      .weight_velocity = velocity ? trial_tensor(run, TENSOR_STATE, s.in, s.out, TRIAL_UNIFORM) : NULL,
      .bias_velocity = velocity && bias ? trial_tensor(run, TENSOR_STATE, 1, s.out, TRIAL_UNIFORM) : NULL,
      .flag = trial_integers(run, 1, -1),
      .step = 3};
  DO(&run->set, dense_backward_weight, &d, 1);
  trial_collect(run, d.weight, s.in);
  if (d.bias != NULL) trial_collect(run, d.bias, 1);
  if (d.weight_velocity != NULL) trial_collect(run, d.weight_velocity, s.in);
  if (d.bias_velocity != NULL) trial_collect(run, d.bias_velocity, 1);
  trial_collect(run, d.flag, 1);
}
static void backward_weight_update(trial_run *run, trial_shape s) {
  run_backward_update(run, s, &trial_sgd, false, TRIAL_UNIFORM);
}
static void backward_weight_momentum(trial_run *run, trial_shape s) {
  run_backward_update(run, s, &trial_sgd_momentum, true, TRIAL_UNIFORM);
}
static void backward_weight_nesterov(trial_run *run, trial_shape s) {
  run_backward_update(run, s, &trial_sgd_nesterov, true, TRIAL_UNIFORM);
}
static void backward_weight_scattered_update(trial_run *run, trial_shape s) {
  run_backward_update(run, with_more_inputs(s), &trial_sgd, true, TRIAL_SCATTERED);
}
static void backward_weight_scattered_momentum(trial_run *run, trial_shape s) {
  run_backward_update(run, with_more_inputs(s), &trial_sgd_momentum, false, TRIAL_SCATTERED);
}
static void backward_weight_overflow(trial_run *run, trial_shape s) {
  run_backward_update(run, s, &trial_sgd_overflow, true, TRIAL_UNIFORM);
}

/* Several layers at once, of other sizes, the second without a bias. */
static void backward_weight_layers(trial_run *run, trial_shape s) {
  enum { LAYERS = LAYERS_TOGETHER + 1 };
  const size_t in[LAYERS] = {s.in, s.out, 40, 2, 17}, out[LAYERS] = {s.out, 40, 2, 17, 1};
  dense_backward_weight d[LAYERS];
  tensor *flag = trial_integers(run, 1, -1);
  for (size_t i = 0; i < LAYERS; i++)
    d[i] = (dense_backward_weight){
        .rows = s.rows,
        .x = trial_batch(run, TENSOR_ACTIVATION, s.rows, in[i], TRIAL_UNIFORM),
        .d_y = trial_batch(run, TENSOR_GRADIENT, s.rows, out[i], TRIAL_UNIFORM),
        .update = &trial_sgd_momentum,
        .weight = parameter(run, in[i], out[i]),
        .bias = i != 1 ? parameter(run, 1, out[i]) : NULL,
        .weight_velocity = trial_tensor(run, TENSOR_STATE, in[i], out[i], TRIAL_UNIFORM),
        .bias_velocity = i != 1 ? trial_tensor(run, TENSOR_STATE, 1, out[i], TRIAL_UNIFORM) : NULL,
        .flag = flag,
        .step = 3};
  DO(&run->set, dense_backward_weight, d, LAYERS);
  for (size_t i = 0; i < LAYERS; i++) {
    trial_collect(run, d[i].weight, in[i]);
    trial_collect(run, d[i].weight_velocity, in[i]);
    if (d[i].bias != NULL) trial_collect(run, d[i].bias, 1);
    if (d[i].bias_velocity != NULL) trial_collect(run, d[i].bias_velocity, 1);
  }
  trial_collect(run, flag, 1);
}

/* Gradients below their floor move no weight, not even one that would feel them. */
static void backward_weight_small(trial_run *run, trial_shape s) {
  static const sgd fast = {.learning_rate = 4.0f};
  run_backward_update(run, s, &fast, true, TRIAL_SMALL);
}

static void run_cross_entropy(trial_run *run, trial_shape s, bool gradient) {
  size_t source_rows = s.rows + 5, slot = 4;
  cross_entropy c = {.rows = s.rows,
                     .logits = trial_batch(run, TENSOR_ACTIVATION, s.rows, s.out, TRIAL_LOGITS),
                     .labels = trial_integers(run, source_rows, (int32_t)s.out),
                     .order = gradient ? trial_integers(run, s.rows + 2, (int32_t)source_rows) : NULL,
                     .first = 2,
                     .scale = 1.0f / (float)s.rows,
                     .slot = slot,
                     .losses = trial_tensor(run, TENSOR_PLAIN, 1, slot + s.rows, TRIAL_CANARY),
                     .predictions = trial_integers(run, slot + s.rows, -77),
                     .d_logits = gradient ? batch_output(run, TENSOR_GRADIENT, s.rows, s.out) : NULL,
                     .flag = trial_integers(run, 1, -1),
                     .step = 3};
  DO(&run->set, cross_entropy, &c);
  trial_collect(run, c.losses, 1);
  trial_collect(run, c.predictions, 1);
  if (c.d_logits != NULL) trial_collect(run, c.d_logits, s.rows);
  trial_collect(run, c.flag, 1);
}
static void cross_entropy_gradient(trial_run *run, trial_shape s) {
  run_cross_entropy(run, s, true);
}
static void cross_entropy_only(trial_run *run, trial_shape s) {
  run_cross_entropy(run, s, false);
}

/* The input is that of a hidden layer with dropout, or of the network, which wants no gradient. */
static void run_output_layer(trial_run *run, trial_shape s, bool below) {
  size_t source_rows = s.rows + 5, slot = 4;
  const tensor *x = trial_batch(run, TENSOR_ACTIVATION, s.rows, s.in, below ? TRIAL_NOT_NEGATIVE : TRIAL_UNIFORM);
  const tensor *weight = parameter(run, s.in, s.out);
  tensor *logits = batch_output(run, TENSOR_ACTIVATION, s.rows, s.out);
  tensor *d_logits = batch_output(run, TENSOR_GRADIENT, s.rows, s.out);
  output_layer o = {.forward = {.rows = s.rows,
                                .x = x,
                                .weight = weight,
                                .bias = below ? parameter(run, 1, s.out) : NULL,
                                .y = logits},
                    .loss = {.rows = s.rows,
                             .logits = logits,
                             .labels = trial_integers(run, source_rows, (int32_t)s.out),
                             .order = below ? trial_integers(run, s.rows + 2, (int32_t)source_rows) : NULL,
                             .first = 2,
                             .scale = 1.0f / (float)s.rows,
                             .slot = slot,
                             .losses = trial_tensor(run, TENSOR_PLAIN, 1, slot + s.rows, TRIAL_CANARY),
                             .predictions = trial_integers(run, slot + s.rows, -77),
                             .d_logits = d_logits,
                             .flag = trial_integers(run, 1, -1),
                             .step = 3},
                    .has_below = below};
  const gather ahead = {.source = trial_plain(run, TENSOR_UINT8, source_rows, s.in),
                        .order = s.rows % 2 == 0 ? trial_integers(run, s.rows + 2, (int32_t)source_rows) : NULL,
                        .first = 2,
                        .rows = (s.rows + 1) / 2,
                        .scale = 0x1.010102p-8f,
                        .y = batch_output(run, TENSOR_ACTIVATION, s.rows, s.in)};
  if (below) o.ahead = &ahead;
  if (below)
    o.backward = (dense_backward_input){.rows = s.rows,
                                        .d_y = d_logits,
                                        .weight = weight,
                                        .y = s.in % 2 == 0 ? x : NULL,
                                        .scale = trial_mask(0).scale,
                                        .d_x = batch_output(run, TENSOR_GRADIENT, s.rows, s.in)};
  DO(&run->set, output_layer, &o);
  trial_collect(run, logits, s.rows);
  trial_collect(run, o.loss.losses, 1);
  trial_collect(run, o.loss.predictions, 1);
  trial_collect(run, d_logits, s.rows);
  trial_collect(run, o.loss.flag, 1);
  if (!below) return;
  trial_collect(run, o.backward.d_x, s.rows);
  trial_collect(run, ahead.y, ahead.rows);
}
static void output_layer_alone(trial_run *run, trial_shape s) {
  run_output_layer(run, s, false);
}
static void output_layer_and_back(trial_run *run, trial_shape s) {
  run_output_layer(run, s, true);
}

static void matmul_a_b(trial_run *run, trial_shape s) {
  const tensor *a = trial_tensor(run, TENSOR_ACTIVATION, s.rows, s.in, TRIAL_UNIFORM);
  const tensor *b = parameter(run, s.in, s.out);
  tensor *c = trial_tensor(run, TENSOR_ACTIVATION, s.rows, s.out, TRIAL_CANARY);
  DO(&run->set, matmul, MLP_CL_A_B, a, b, c);
  trial_collect(run, c, s.rows);
}
static void matmul_a_bt(trial_run *run, trial_shape s) {
  const tensor *a = trial_tensor(run, TENSOR_GRADIENT, s.rows, s.out, TRIAL_UNIFORM);
  const tensor *b = parameter(run, s.in, s.out);
  tensor *c = trial_tensor(run, TENSOR_GRADIENT, s.rows, s.in, TRIAL_CANARY);
  DO(&run->set, matmul, MLP_CL_A_BT, a, b, c);
  trial_collect(run, c, s.rows);
}
static void matmul_at_b(trial_run *run, trial_shape s) {
  const tensor *a = trial_tensor(run, TENSOR_ACTIVATION, s.rows, s.in, TRIAL_UNIFORM);
  const tensor *b = trial_tensor(run, TENSOR_GRADIENT, s.rows, s.out, TRIAL_UNIFORM);
  tensor *c = trial_tensor(run, TENSOR_GRADIENT, s.in, s.out, TRIAL_CANARY);
  DO(&run->set, matmul, MLP_CL_AT_B, a, b, c);
  trial_collect(run, c, s.in);
}

const trial trials[] = {
    {"gather uint8", gather_uint8},
    {"gather int8", gather_int8},
    {"gather int16", gather_int16},
    {"gather float32", gather_float32},
    {"matmul A·B", matmul_a_b},
    {"matmul A·Bᵀ", matmul_a_bt},
    {"matmul Aᵀ·B", matmul_at_b},
    {"cross-entropy", cross_entropy_only},
    {"cross-entropy gradient", cross_entropy_gradient},
    {"dense logits", dense_forward_logits},
    {"dense relu", dense_forward_relu},
    {"dense relu dropout", dense_forward_hidden},
    {"dense of zeros", dense_forward_zeros},
    {"dense of scattered zeros", dense_forward_scattered},
    {"dense backward input", backward_input_plain},
    {"dense backward input, masked", backward_input_masked},
    {"dense backward weight", backward_weight_stored},
    {"dense backward weight, zeros", backward_weight_zeros},
    {"dense backward weight, scattered zeros", backward_weight_scattered},
    {"dense backward weight, scattered zeros, update", backward_weight_scattered_update},
    {"dense backward weight, scattered zeros, momentum", backward_weight_scattered_momentum},
    {"dense backward weight, update", backward_weight_update},
    {"dense backward weight, momentum", backward_weight_momentum},
    {"dense backward weight, nesterov", backward_weight_nesterov},
    {"dense backward weight, overflow", backward_weight_overflow},
    {"dense backward weight, small", backward_weight_small},
    {"dense backward weight, layers", backward_weight_layers},
    {"output layer", output_layer_alone},
    {"output layer and back", output_layer_and_back},
};
const size_t trials_count = sizeof trials / sizeof *trials;
