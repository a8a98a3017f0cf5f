#include "network/step.h"

#include "base/size.h"

/* The rows of one step: positions [first, first + rows) of the order. */
typedef struct step {
  backend *on;
  const step_plan *plan;
  size_t first, rows;
  uint32_t number;
} step;

/* What layer i reads. */
static tensor *input_of(const step *s, size_t i) {
  return i == 0 ? s->plan->x : s->plan->layers[i - 1].y;
}

/* x (rows, in): the rows of this step, gathered and scaled. */
static mlp_cl_status gather_batch(const step *s, mlp_cl_error *error) {
  gather g = {.source = s->plan->source,
              .order = s->plan->order,
              .first = s->first,
              .rows = s->rows,
              .scale = s->plan->source_scale,
              .y = s->plan->x};
  return s->on->op->gather(s->on, &g, error);
}

static mlp_cl_status forward(const step *s, mlp_cl_error *error) {
  const step_plan *plan = s->plan;
  for (size_t i = 0; i < plan->layers_count; i++) {
    const step_layer *layer = &plan->layers[i];
    bool hidden = i + 1 < plan->layers_count;
    dropout mask = plan->dropout;
    mask.step = s->number;
    mask.layer = (uint32_t)i;
    dense_forward d = {.rows = s->rows,
                       .x = input_of(s, i),
                       .weight = layer->weight,
                       .bias = layer->bias,
                       .relu = hidden,
                       .dropout = hidden && mask.threshold > 0 ? &mask : NULL,
                       .y = layer->y};
    TRY(s->on->op->dense_forward(s->on, &d, error));
  }
  return MLP_CL_OK;
}

/* Losses and predictions into the slots of the rows' positions; the gradient of the logits. */
static mlp_cl_status loss(const step *s, mlp_cl_error *error) {
  const step_plan *plan = s->plan;
  const step_layer *last = &plan->layers[plan->layers_count - 1];
  cross_entropy c = {.rows = s->rows,
                     .logits = last->y,
                     .labels = plan->labels,
                     .order = plan->order,
                     .first = s->first,
                     .scale = plan->mean ? 1.0f / (float)s->rows : 1.0f,
                     .slot = s->first,
                     .losses = plan->losses,
                     .predictions = plan->predictions,
                     .d_logits = last->d_y,
                     .flag = plan->flag,
                     .step = s->number};
  return s->on->op->cross_entropy(s->on, &c, error);
}

/* From the last layer to the first: the gradient of what it read, with the weights as they were in the forward pass,
 * and only then their update. */
static mlp_cl_status backward_layer(const step *s, size_t i, mlp_cl_error *error) {
  const step_plan *plan = s->plan;
  const step_layer *layer = &plan->layers[i];
  if (i > 0) {
    const step_layer *below = &plan->layers[i - 1];
    dense_backward_input d = {.rows = s->rows,
                              .d_y = layer->d_y,
                              .weight = layer->weight,
                              .y = below->y,
                              .scale = plan->dropout.scale,
                              .d_x = below->d_y};
    TRY(s->on->op->dense_backward_input(s->on, &d, error));
  }
  dense_backward_weight d = {.rows = s->rows,
                             .x = input_of(s, i),
                             .d_y = layer->d_y,
                             .update = &plan->update,
                             .weight = layer->weight,
                             .bias = layer->bias,
                             .weight_velocity = layer->weight_velocity,
                             .bias_velocity = layer->bias_velocity,
                             .flag = plan->flag,
                             .step = s->number};
  return s->on->op->dense_backward_weight(s->on, &d, error);
}

static mlp_cl_status run_step(const step *s, mlp_cl_error *error) {
  TRY(gather_batch(s, error));
  TRY(forward(s, error));
  TRY(loss(s, error));
  for (size_t i = s->plan->layers_count; i-- > 0;) TRY(backward_layer(s, i, error));
  return s->on->op->pace(s->on, error);
}

mlp_cl_status run_steps(backend *on, const step_plan *plan, const step_range *range, mlp_cl_error *error) {
  step_range left = *range;
  while (left.first < left.end) {
    size_t taken = 0;
    if (on->op->train_steps != NULL) TRY(on->op->train_steps(on, plan, &left, &taken, error));
    if (taken == 0) {
      step s = {.on = on,
                .plan = plan,
                .first = left.first,
                .rows = size_min(plan->batch, left.end - left.first),
                .number = left.step};
      TRY(run_step(&s, error));
      taken = 1;
    }
    left.first = size_min(left.end, left.first + taken * plan->batch);
    left.step += (uint32_t)taken;
  }
  return MLP_CL_OK;
}
