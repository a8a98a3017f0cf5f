#include "network/step.h"

#include "backend/hyperparameters.h"
#include "base/size.h"

/* The rows of one step: positions [first, first + rows) of the order, gathered into `x`. */
typedef struct step {
  backend *on;
  const step_plan *plan;
  size_t first, rows;
  uint32_t number;
  tensor *x;
  const gather *ahead; /* of the next step's rows, or NULL */
  adam rule;           /* of Adam */
} step;

/* What layer i reads. */
static tensor *input_of(const step *s, size_t i) {
  return i == 0 ? s->x : s->plan->layers[i - 1].y;
}

/* x (rows, in): the rows of the batch that begins at position `first`, gathered and scaled. The last is ragged. */
static gather gather_of_batch(const step_plan *plan, size_t first, size_t end, tensor *x) {
  return (gather){.source = plan->source,
                  .order = plan->streamed ? NULL : plan->order,
                  .first = plan->streamed ? first - plan->streamed_first : first,
                  .rows = size_min(plan->batch, end - first),
                  .scale = plan->source_scale,
                  .y = x};
}

/* The mask of layer i; its threshold is 0 where nothing is dropped. */
static dropout mask_of(const step *s, size_t i) {
  dropout mask = s->plan->dropout;
  mask.step = s->number;
  mask.layer = (uint32_t)i;
  if (i + 1 == s->plan->layers_count) mask.threshold = 0;
  return mask;
}

static bool is_relu(const step *s, size_t layer) {
  return layer + 1 < s->plan->layers_count && s->plan->layers[layer].z == NULL;
}

static dense_forward forward_of(const step *s, size_t i) {
  const step_layer *layer = &s->plan->layers[i];
  return (dense_forward){.rows = s->rows,
                         .x = input_of(s, i),
                         .weight = layer->weight,
                         .bias = layer->bias,
                         .relu = is_relu(s, i),
                         .zeros = zeros_forward(i, s->plan->activation, s->plan->zeros),
                         .y = layer->z == NULL ? layer->y : layer->z};
}

/* A layer with z has an activation that is not fused: its dropout comes after it. */
static mlp_cl_status forward_layer(const step *s, size_t i, mlp_cl_error *error) {
  const step_layer *layer = &s->plan->layers[i];
  const dropout mask = mask_of(s, i), *dropped = mask.threshold > 0 ? &mask : NULL;
  dense_forward d = forward_of(s, i);
  if (layer->z == NULL) d.dropout = dropped;
  TRY(s->on->op->dense_forward(s->on, &d, error));
  if (layer->z == NULL) return MLP_CL_OK;
  activation a = {.rows = s->rows, .kind = s->plan->activation, .dropout = dropped, .x = layer->z, .y = layer->y};
  return s->on->op->activation_forward(s->on, &a, error);
}

/* Loss against targets: part of the mean over rows and outputs. */
static mlp_cl_status loss_of_targets(const step *s, mlp_cl_error *error) {
  const step_plan *plan = s->plan;
  const step_layer *last = &plan->layers[plan->layers_count - 1];
  target_loss t = {.rows = s->rows,
                   .task = plan->task,
                   .outputs = last->y,
                   .targets = plan->targets,
                   .order = plan->order,
                   .first = s->first,
                   .scale = loss_scale(plan->task, plan->mean, s->rows, last->out),
                   .slot = s->first,
                   .losses = plan->losses,
                   .scores = plan->scores,
                   .d_outputs = last->d_y,
                   .flag = plan->flag,
                   .step = s->number};
  return s->on->op->target_loss(s->on, &t, error);
}

/* Losses and predictions into the slots of the rows' positions; the gradient of the logits. */
static cross_entropy loss_of_labels(const step *s) {
  const step_plan *plan = s->plan;
  const step_layer *last = &plan->layers[plan->layers_count - 1];
  return (cross_entropy){.rows = s->rows,
                         .logits = last->y,
                         .labels = plan->labels,
                         .order = plan->order,
                         .first = s->first,
                         .scale = loss_scale(plan->task, plan->mean, s->rows, last->out),
                         .terms = plan->has_terms ? &plan->terms : NULL,
                         .slot = s->first,
                         .losses = plan->losses,
                         .predictions = plan->predictions,
                         .d_logits = last->d_y,
                         .flag = plan->flag,
                         .step = s->number};
}

static dense_backward_input backward_of(const step *s, size_t i) {
  const step_layer *layer = &s->plan->layers[i], *below = &s->plan->layers[i - 1];
  return (dense_backward_input){.rows = s->rows,
                                .d_y = layer->d_y,
                                .weight = layer->weight,
                                .y = below->z == NULL ? below->y : NULL,
                                .scale = s->plan->dropout.scale,
                                .goes_on = i > 1 && below->z == NULL,
                                .d_x = below->d_y};
}

/* What remains of the gradient of a layer's input where the activation below is not fused. */
static mlp_cl_status backward_activation(const step *s, size_t i, mlp_cl_error *error) {
  const step_layer *below = &s->plan->layers[i - 1];
  if (below->z == NULL) return MLP_CL_OK;
  const dropout mask = mask_of(s, i - 1);
  activation a = {.rows = s->rows,
                  .kind = s->plan->activation,
                  .dropout = mask.threshold > 0 ? &mask : NULL,
                  .x = below->z,
                  .d_y = below->d_y,
                  .d_x = below->d_y};
  return s->on->op->activation_backward(s->on, &a, error);
}

static mlp_cl_status backward_input(const step *s, size_t i, mlp_cl_error *error) {
  const dense_backward_input d = backward_of(s, i);
  TRY(s->on->op->dense_backward_input(s->on, &d, error));
  return backward_activation(s, i, error);
}

/* The last layer there and, to the gradient of its input, back. */
static mlp_cl_status last_layer(const step *s, mlp_cl_error *error) {
  size_t i = s->plan->layers_count - 1;
  if (s->plan->task != MLP_CL_CLASSIFICATION) {
    TRY(forward_layer(s, i, error));
    TRY(loss_of_targets(s, error));
    return i > 0 ? backward_input(s, i, error) : MLP_CL_OK;
  }
  output_layer o = {.forward = forward_of(s, i), .loss = loss_of_labels(s), .has_below = i > 0, .ahead = s->ahead};
  if (i > 0) o.backward = backward_of(s, i);
  TRY(s->on->op->output_layer(s->on, &o, error));
  return i > 0 ? backward_activation(s, i, error) : MLP_CL_OK;
}

/* One tensor's update from its stored gradient. */
static mlp_cl_status apply_gradient(const step *s, const tensor *gradient, tensor *weight, tensor *velocity,
                                    tensor *rms, mlp_cl_error *error) {
  const step_plan *plan = s->plan;
  if (plan->optimiser == MLP_CL_SGD)
    return s->on->op->sgd(s->on, &plan->update, gradient, weight, velocity, plan->flag, s->number, error);
  adam_step a = {.rule = s->rule,
                 .gradient = gradient,
                 .weight = weight,
                 .moment = velocity,
                 .rms = rms,
                 .flag = plan->flag,
                 .step = s->number};
  return s->on->op->adam(s->on, &a, error);
}

static mlp_cl_status apply_gradients(const step *s, size_t i, mlp_cl_error *error) {
  const step_layer *l = &s->plan->layers[i];
  TRY(apply_gradient(s, l->d_weight, l->weight, l->weight_velocity, l->weight_rms, error));
  return l->bias == NULL ? MLP_CL_OK : apply_gradient(s, l->d_bias, l->bias, l->bias_velocity, l->bias_rms, error);
}

/* The norm is over all gradients, so none is applied before the last is there. */
static mlp_cl_status clip_gradients(const step *s, mlp_cl_error *error) {
  const step_plan *plan = s->plan;
  clip c = {.sums = plan->squares, .limit = plan->clip_norm, .flag = plan->flag, .step = s->number};
  for (size_t i = 0; i < 2 * plan->layers_count; i++) {
    const step_layer *layer = &plan->layers[i / 2];
    const tensor *gradient = i % 2 == 0 ? layer->d_weight : layer->d_bias;
    if (gradient != NULL) TRY(s->on->op->squared_sum(s->on, gradient, plan->squares, i, error));
  }
  for (size_t i = 0; i < 2 * plan->layers_count; i++) {
    const step_layer *layer = &plan->layers[i / 2];
    c.gradient = i % 2 == 0 ? layer->d_weight : layer->d_bias;
    if (c.gradient != NULL) TRY(s->on->op->clip(s->on, &c, error));
  }
  return MLP_CL_OK;
}

/* What layer i's gradients are made of. */
static dense_backward_weight backward_weight_of(const step *s, size_t i) {
  const step_plan *plan = s->plan;
  return (dense_backward_weight){.rows = s->rows,
                                 .x = input_of(s, i),
                                 .d_y = plan->layers[i].d_y,
                                 .zeros = zeros_backward(i, plan->layers_count, plan->activation, plan->zeros)};
}

/* Of layer i: stored. */
static dense_backward_weight gradients_of(const step *s, size_t i) {
  const step_layer *layer = &s->plan->layers[i];
  dense_backward_weight d = backward_weight_of(s, i);
  d.d_weight = layer->d_weight;
  d.d_bias = layer->d_bias;
  return d;
}

/* Of layer i: applied at once. */
static dense_backward_weight updates_of(const step *s, size_t i) {
  const step_layer *layer = &s->plan->layers[i];
  const bool is_sgd = s->plan->optimiser == MLP_CL_SGD;
  dense_backward_weight d = backward_weight_of(s, i);
  d.update = is_sgd ? &s->plan->update : NULL;
  d.adam = is_sgd ? NULL : &s->rule;
  d.weight = layer->weight;
  d.bias = layer->bias;
  d.weight_velocity = layer->weight_velocity;
  d.bias_velocity = layer->bias_velocity;
  d.weight_rms = layer->weight_rms;
  d.bias_rms = layer->bias_rms;
  d.flag = s->plan->flag;
  d.step = s->number;
  return d;
}

/* All weights, once no gradient has to be made of them any more. */
static mlp_cl_status backward_weights(const step *s, mlp_cl_error *error) {
  const step_plan *plan = s->plan;
  bool fused = !step_plan_stores_gradients(s->on, plan);
  for (size_t first = 0; first < plan->layers_count; first += LAYERS_TOGETHER) {
    dense_backward_weight d[LAYERS_TOGETHER];
    size_t count = size_min(LAYERS_TOGETHER, plan->layers_count - first);
    for (size_t i = 0; i < count; i++) d[i] = fused ? updates_of(s, first + i) : gradients_of(s, first + i);
    TRY(s->on->op->dense_backward_weight(s->on, d, count, error));
  }
  if (fused) return MLP_CL_OK;
  if (plan->clip_norm > 0.0f) TRY(clip_gradients(s, error));
  for (size_t i = 0; i < plan->layers_count; i++) TRY(apply_gradients(s, i, error));
  return MLP_CL_OK;
}

/* From the gradient of the outputs of layer `end` - 1 to all updates, and to d_x, that of the rows, unless NULL. */
static mlp_cl_status go_back(const step *s, size_t end, tensor *d_x, mlp_cl_error *error) {
  const step_layer *first = &s->plan->layers[0];
  const dense_backward_input d = {
      .rows = s->rows, .d_y = first->d_y, .weight = first->weight, .scale = 1.0f, .d_x = d_x};
  for (size_t i = end; i-- > 1;) TRY(backward_input(s, i, error));
  if (d_x != NULL) TRY(s->on->op->dense_backward_input(s->on, &d, error));
  TRY(backward_weights(s, error));
  return s->on->op->pace(s->on, error);
}

/* A step whose rows are, or will be, in the plan's x. */
static step make_step(backend *on, const step_plan *plan, size_t rows, uint32_t number) {
  step s = {.on = on, .plan = plan, .rows = rows, .number = number, .x = plan->x};
  if (plan->optimiser != MLP_CL_SGD) s.rule = adam_of_step(&plan->adam, (uint64_t)number + 1);
  return s;
}

mlp_cl_status step_forward(backend *on, const step_plan *plan, size_t rows, uint32_t number, mlp_cl_error *error) {
  const step s = make_step(on, plan, rows, number);
  const gather g = gather_of_batch(plan, 0, rows, plan->x);
  TRY(on->op->gather(on, &g, error));
  for (size_t i = 0; i < plan->layers_count; i++) TRY(forward_layer(&s, i, error));
  return MLP_CL_OK;
}

mlp_cl_status step_backward(backend *on, const step_plan *plan, size_t rows, uint32_t number, tensor *d_x,
                            mlp_cl_error *error) {
  const step s = make_step(on, plan, rows, number);
  return go_back(&s, plan->layers_count, d_x, error);
}

static mlp_cl_status run_step(const step *s, mlp_cl_error *error) {
  size_t last = s->plan->layers_count - 1;
  for (size_t i = 0; i < last; i++) TRY(forward_layer(s, i, error));
  TRY(last_layer(s, error));
  return go_back(s, last, NULL, error);
}

/* What was proven in an earlier process may be refused by the compiler now: then all steps are launches. */
static mlp_cl_status take_whole_steps(backend *on, const step_plan *plan, const step_range *range, size_t *taken,
                                      mlp_cl_error *error) {
  step_kind kind = step_kind_of(plan);
  if (!on->steps_proven[kind] || on->op->train_steps == NULL) return MLP_CL_OK;
  mlp_cl_error problem;
  mlp_cl_status status = on->op->train_steps(on, plan, range, taken, &problem);
  if (status == MLP_CL_BUILD) refuse_steps(on, kind, problem.text);
  return status == MLP_CL_OK || status == MLP_CL_BUILD ? MLP_CL_OK : fail(error, status, "%s", problem.text);
}

/* Where the rows of a step are, or will be gathered, and those of the one after it (or NULL). */
typedef struct turns {
  tensor *x, *x_ahead;
  bool gathered;
} turns;

/* The first step of the range, by single operations. */
static mlp_cl_status take_step(backend *on, const step_plan *plan, const step_range *left, turns *t,
                               mlp_cl_error *error) {
  gather now = gather_of_batch(plan, left->first, left->end, t->x), ahead;
  size_t next = left->first + now.rows;
  step s = make_step(on, plan, now.rows, left->step);
  s.first = left->first;
  s.x = t->x;
  if (!t->gathered) TRY(on->op->gather(on, &now, error));
  t->gathered = t->x_ahead != NULL && next < left->end;
  if (t->gathered) {
    ahead = gather_of_batch(plan, next, left->end, t->x_ahead);
    s.ahead = &ahead;
    t->x_ahead = t->x;
    t->x = ahead.y;
  }
  return run_step(&s, error);
}

mlp_cl_status run_steps(backend *on, const step_plan *plan, const step_range *range, mlp_cl_error *error) {
  turns t = {.x = plan->x, .x_ahead = plan->x_ahead};
  step_range left = *range;
  while (left.first < left.end) {
    size_t taken = 0;
    TRY(take_whole_steps(on, plan, &left, &taken, error));
    if (taken > 0) {
      t.gathered = false; /* they gather for themselves */
    } else {
      TRY(take_step(on, plan, &left, &t, error));
      taken = 1;
    }
    left.first = size_min(left.end, left.first + taken * plan->batch);
    left.step += (uint32_t)taken;
  }
  return MLP_CL_OK;
}
