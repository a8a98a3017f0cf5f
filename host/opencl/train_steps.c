/* train_steps: whole steps in one launch, for networks whose steps are short: on CPU devices by some work-items that
 * wait for each other (kernels/train_steps.cl), on GPUs by one work-group (kernels/train_steps_group.cl). */
#include <stdlib.h>

#include "backend/hyperparameters.h"
#include "base/size.h"
#include "opencl/internal.h"

/* Above this a step is long beside its launches, and one launch of it would take seconds on slow cores. */
static const double long_step_flops = 1e11;
/* A work-item's least share of a step, below which it is done before another has been told. */
static const double share_flops = 1.5e5;
/* Below this a lone work-item, where others have no core, is still faster than launches. */
static const double lone_step_flops = 3e7;
/* What a launch should take; what a work-item does in a second, and a step of it takes besides: slow cores' figures. */
static const double launch_s = 0.01, flops_per_s = 2e10, step_overhead_s = 2e-6;
/* Each launch wakes the other cores anew, a tenth of a step of a millisecond or two: for a few it may last so long. */
static const double longest_launch_s = 0.1;
enum { FEW_STEPS = 8 };

/* Above this launches, which have all of a GPU, are faster than one work-group; below it they may be, too. */
static const double group_step_flops = 1e7;
/* What one work-group does in a second at least, and a layer takes besides. */
static const double group_flops_per_s = 1e10, group_overhead_s = 5e-6;

/* Multiplications and additions of a step: forward, input gradient, weight gradient. */
static double step_flops(const step_plan *plan) {
  double flops = 0;
  for (size_t i = 0; i < plan->layers_count; i++)
    flops += (i > 0 ? 6.0 : 4.0) * (double)plan->batch * (double)plan->layers[i].in * (double)plan->layers[i].out;
  return flops;
}

/* Whether work-items can share a batch's rows, in whole tiles and panels, such that hardly one waits for another. */
static bool is_even(const opencl_backend *self, size_t batch, size_t work_items) {
  size_t grain = (size_t)BACKWARD_GRAIN(self->tuning.tile_rows, self->tuning.unit_rows);
  return 8 * work_items * size_round_up(size_divide_up(batch, work_items), grain) <= 9 * batch;
}

/* The first layer of those that go by rows of the batch: the last ones, while what cores then have to bring from each
 * other's caches, weights and gradients of the inputs, takes less time than another phase. */
static size_t first_by_rows(const opencl_backend *self, const step_plan *plan, size_t work_items) {
  enum { FLOATS_MAX = 12288 };
  size_t layer = plan->layers_count, floats = 0;
  if (work_items == 1 || !is_even(self, plan->batch, work_items)) return layer;
  for (; layer > 0; layer--) {
    const step_layer *l = &plan->layers[layer - 1];
    floats += l->in * (size_round_up(l->out, PANEL) + (layer > 1 ? plan->batch : 0));
    if (floats > FLOATS_MAX) break;
  }
  return layer;
}

/* Each has the rows of a step for itself: so many find room in a small part of the memory. */
static size_t work_items_with_room(const opencl_backend *self, const step_plan *plan) {
  enum { PART = 16 };
  const mlp_cl_device *device = &self->base.device;
  uint64_t room = device->global_memory_bytes / PART, whole = device->largest_allocation_bytes / 2;
  return size_max(1, (size_t)((room < whole ? room : whole) / opencl_of(plan->x)->bytes));
}

/* As many as have enough to do; rather some fewer, if layers can then go by rows. */
static size_t work_items_of(const opencl_backend *self, const step_plan *plan, double flops) {
  size_t cores = size_min(self->base.device.compute_units, WORKERS_MAX);
  size_t most = size_max(1, size_min(cores, (size_t)(flops / share_flops)));
  most = size_min(most, work_items_with_room(self, plan));
  for (size_t n = most; 2 * n > most; n--)
    if (first_by_rows(self, plan, n) < plan->layers_count) return n;
  return most;
}

/* How terms of layer i may be listed (kernels/sizes.h); GPUs list none. */
static size_t listed_forward(const step_plan *plan, size_t i) {
  const step_layer *l = &plan->layers[i];
  return opencl_listed_forward(zeros_forward(i, plan->activation, plan->zeros), plan->batch, l->out);
}

static size_t listed_backward(const step_plan *plan, size_t i) {
  const step_layer *l = &plan->layers[i];
  return opencl_listed_backward(zeros_backward(i, plan->layers_count, plan->activation, plan->zeros), l->in, l->out);
}

/* Lists of terms of a work-item: of a batch forward, of a unit of weights, or of some of d_y's columns. */
static size_t lists_of(const opencl_backend *self, const step_plan *plan) {
  enum { COLUMNS = 4 * PANEL };
  size_t lists = 0;
  for (size_t i = 0; self->tuning.variant == VARIANT_PANEL && i < plan->layers_count; i++) {
    const size_t backward = listed_backward(plan, i);
    const size_t lines = backward == TERMS_OF_ROWS ? COLUMNS : (size_t)self->tuning.unit_rows;
    lists = size_max(lists, opencl_lists(self, listed_forward(plan, i), plan->batch, plan->layers[i].in));
    lists = size_max(lists, opencl_lists(self, backward, lines, plan->batch));
  }
  return lists;
}

/* LAYER_PARAMETERS of kernels/train_steps.h: of layer i, or of none. */
static void launch_layer(launch *l, const step_plan *plan, size_t i) {
  static const step_layer none = {0};
  const bool there = i < plan->layers_count;
  const step_layer *layer = there ? &plan->layers[i] : &none;
  launch_int(l, layer->in);
  launch_int(l, layer->out);
  launch_int(l, there ? listed_forward(plan, i) : TERMS_NOT_LISTED);
  launch_int(l, there ? listed_backward(plan, i) : TERMS_NOT_LISTED);
  launch_parameters(l, layer->weight, layer->weight_velocity, layer->weight_rms);
  launch_parameters(l, layer->bias, layer->bias_velocity, layer->bias_rms);
  launch_tensor(l, layer->z);
  launch_tensor(l, layer->y);
  launch_tensor(l, layer->d_y);
  launch_buffer(l, there ? opencl_of(layer->d_y)->transposed : NULL);
  launch_int(l, there ? opencl_of(layer->d_y)->transposed_stride : 0);
}

static bool is_sgd(const step_plan *plan) {
  return plan->optimiser == MLP_CL_SGD;
}

/* ADAM_PARAMETERS of one of the steps from number `first` on, and what differs between them. */
static void launch_schedule(launch *l, const adam_rates *rates, uint32_t first, size_t steps) {
  cl_float rate[ADAM_STEPS_MAX] = {0}, root[ADAM_STEPS_MAX] = {0};
  adam rule = {0};
  for (size_t i = 0; i < steps; i++) {
    rule = adam_of_step(rates, (uint64_t)first + i + 1);
    rate[i] = rule.rate;
    root[i] = rule.root;
  }
  launch_adam(l, &rule);
  launch_floats(l, rate, ADAM_STEPS_MAX);
  launch_floats(l, root, ADAM_STEPS_MAX);
}

/* ANSWER_PARAMETERS of kernels/train_steps.h. */
static void launch_answers(launch *l, const step_plan *plan) {
  if (plan->task == MLP_CL_CLASSIFICATION) {
    launch_buffer_of(l, plan->labels);
    launch_buffer_of(l, plan->predictions);
    return;
  }
  launch_buffer_of(l, plan->targets);
  launch_buffer_of(l, plan->scores);
  launch_int(l, plan->task == MLP_CL_REGRESSION);
  launch_float(l, 1.0f / (float)plan->layers[plan->layers_count - 1].out);
}

static mlp_cl_status launch_steps(opencl_backend *self, const step_plan *plan, const step_range *range, size_t steps,
                                  size_t work_items, mlp_cl_error *error) {
  static const char *const kernels[STEP_KINDS] = {[STEPS_SGD] = "train_steps",
                                                  [STEPS_ADAM] = "train_steps_adam",
                                                  [STEPS_TARGETS_SGD] = "train_steps_targets",
                                                  [STEPS_TARGETS_ADAM] = "train_steps_targets_adam"};
  static const cl_uint zero = 0;
  size_t ragged = (range->end - range->first) % plan->batch, outputs = plan->layers[plan->layers_count - 1].out;
  launch l;
  if (work_items > 1 &&
      opencl_room_reserve(self, &self->scratch, work_items * opencl_of(plan->x)->bytes, NULL) != MLP_CL_OK)
    work_items = 1; /* which uses the plan's own */
  if (work_items > 1)
    TRY_CL(clEnqueueFillBuffer(self->queue, self->progress, &zero, sizeof zero, 0, PROGRESS_WORDS * sizeof zero, 0,
                               NULL, NULL),
           "clearing the progress of steps");
  TRY(launch_begin(&l, self, kernels[step_kind_of(plan)], error));
  launch_int(&l, plan->layers_count);
  launch_int(&l, first_by_rows(self, plan, work_items));
  launch_int(&l, plan->batch);
  launch_int(&l, plan->source->cols);
  launch_int(&l, (size_t)plan->activation);
  launch_int(&l, plan->layers[0].bias != NULL);
  launch_int(&l, plan->order != NULL);
  launch_ulong(&l, range->first);
  launch_ulong(&l, range->end);
  launch_uint(&l, range->step);
  launch_int(&l, steps);
  launch_float(&l, plan->source_scale);
  launch_float(&l, loss_scale(plan->task, plan->mean, plan->batch, outputs));
  launch_float(&l, loss_scale(plan->task, plan->mean, ragged > 0 ? ragged : plan->batch, outputs));
  launch_int(&l, (size_t)plan->source->element);
  launch_buffer_of(&l, plan->source);
  launch_buffer_of(&l, plan->order);
  launch_answers(&l, plan);
  launch_buffer(&l, work_items > 1 ? self->scratch.buffer : opencl_of(plan->x)->buffer);
  launch_int(&l, opencl_of(plan->x)->stride);
  launch_terms(&l, work_items, lists_of(self, plan));
  launch_buffer_of(&l, plan->losses);
  launch_buffer_of(&l, plan->flag);
  launch_mask(&l, &plan->dropout);
  if (is_sgd(plan))
    launch_sgd(&l, &plan->update);
  else
    launch_schedule(&l, &plan->adam, range->step, steps);
  launch_buffer(&l, self->progress);
  for (size_t i = 0; i < LAYERS_MAX; i++) launch_layer(&l, plan, i);
  size_t local = self->tuning.variant == VARIANT_TILE ? (size_t)self->tuning.step_items : 1;
  return launch_run(&l, work_items * local, 1, local, 1, error);
}

/* Whether layer i's d_y has a transpose: another is made from it, or it is made from another's. */
static bool has_transpose(const step_plan *plan, size_t i) {
  return (i > 0 && FROM_TRANSPOSE(plan->batch, plan->layers[i].out)) ||
         (i + 1 < plan->layers_count && FROM_TRANSPOSE(plan->batch, plan->layers[i + 1].out));
}

/* Takes up to `most` steps from the range's start. */
static mlp_cl_status take(opencl_backend *self, const step_plan *plan, const step_range *range, size_t most,
                          size_t work_items, size_t *taken, mlp_cl_error *error) {
  size_t steps = size_min(most, size_divide_up(range->end - range->first, plan->batch));
  if (!is_sgd(plan)) steps = size_min(steps, ADAM_STEPS_MAX);
  step_range part = *range;
  part.end = size_min(range->end, range->first + steps * plan->batch);
  for (size_t i = 0; self->tuning.variant == VARIANT_PANEL && i < plan->layers_count; i++)
    if (has_transpose(plan, i)) TRY(opencl_transposed_create(self, opencl_of(plan->layers[i].d_y), error));
  TRY(launch_steps(self, plan, &part, steps, work_items, error));
  for (size_t i = 0; i < plan->layers_count; i++) opencl_of(plan->layers[i].d_y)->transposed_valid = false;
  *taken = steps;
  return opencl_pace_step(&self->base, error);
}

/* A trial goes in pairs of rounds, one for either way, of so many launches each. After one pair to warm up each has a
 * vote, since a round may meet with other work, or with a thread that was woken on a processor where another ran: first
 * until one way leads, then one pair from time to time. */
enum { ROUND_LAUNCHES = 6, WARM_UP_ROUNDS = 2, FIRST_ROUNDS_MAX = 12, LEAD = 2, LEAD_MAX = 3 };
static const double decision_s = 3.0;

static bool is_trial(const opencl_steps_trial *t) {
  bool half = t->round % 2 == 1, first = abs(t->lead) < LEAD && t->round < FIRST_ROUNDS_MAX;
  return half || first || clock_now_s() - t->began_s > decision_s;
}

static mlp_cl_status finish_at(opencl_backend *self, double *now_s, mlp_cl_error *error) {
  cl_int code = opencl_wait(self, self->queue);
  *now_s = clock_now_s();
  return code == CL_SUCCESS ? MLP_CL_OK : fail_cl(error, code, "waiting for %s", self->base.device.name);
}

static void end_round(opencl_steps_trial *t, double now_s) {
  t->step_s[t->round % 2] = t->seconds / (double)t->steps;
  t->steps = 0;
  t->seconds = 0;
  t->began_s = now_s;
  t->round++;
  if (t->round % 2 == 1 || t->round <= WARM_UP_ROUNDS) return;
  t->lead += t->step_s[0] < t->step_s[1] ? 1 : -1;
  if (abs(t->lead) > LEAD_MAX) t->lead = t->lead > 0 ? LEAD_MAX : -LEAD_MAX;
}

/* A part of a round of `count` steps, or all of it, by so many work-items. */
static mlp_cl_status try_work_items(opencl_backend *self, const step_plan *plan, const step_range *range, size_t count,
                                    size_t work_items, size_t *taken, mlp_cl_error *error) {
  opencl_steps_trial *t = &self->steps_trial;
  double began_s, now_s;
  step_range left = *range;
  TRY(finish_at(self, &began_s, error));
  while (t->steps < count && left.first < left.end) {
    size_t part;
    TRY(take(self, plan, &left, size_divide_up(count, ROUND_LAUNCHES), work_items, &part, error));
    left.first += part * plan->batch;
    left.step += (uint32_t)part;
    t->steps += part;
    *taken += part;
  }
  TRY(finish_at(self, &now_s, error));
  t->seconds += now_s - began_s;
  if (t->steps >= count) end_round(t, now_s);
  return MLP_CL_OK;
}

/* Leaves a step to launches. The round is over when another is asked for after the last; it ends with the range, since
 * what comes between two, such as an evaluation, is no part of them. */
static mlp_cl_status try_launches(opencl_backend *self, const step_plan *plan, const step_range *range, size_t count,
                                  size_t *taken, mlp_cl_error *error) {
  opencl_steps_trial *t = &self->steps_trial;
  double now_s;
  if (t->steps == 0) {
    size_t there = size_divide_up(range->end - range->first, plan->batch);
    t->launched = there > 1 ? size_min(count, there - 1) : count;
    TRY(finish_at(self, &t->began_s, error));
  }
  if (t->steps++ < t->launched) return MLP_CL_OK;
  TRY(finish_at(self, &now_s, error));
  t->steps = t->launched;
  t->seconds = now_s - t->began_s;
  end_round(t, now_s);
  return opencl_train_steps(&self->base, plan, range, taken, error);
}

/* What the kernels were written for; all else goes by launches. */
static bool is_known(const opencl_backend *self, const step_plan *plan) {
  return self->tuning.whole_steps && plan->layers_count <= LAYERS_MAX && !plan->has_terms && plan->clip_norm == 0.0f &&
         !plan->streamed;
}

/* Ways of taking steps: by `several` work-groups, or, where another way is to be tried, by `other` of them; 0: by
 * launches. `steps` of a launch of whole ones. */
typedef struct ways {
  size_t several, other, steps;
} ways;

static ways ways_of(const opencl_backend *self, const step_plan *plan) {
  double flops = step_flops(plan), step_s;
  ways w = {0, 0, 0};
  if (self->tuning.variant == VARIANT_TILE) {
    if (flops > group_step_flops || plan->batch > LEAF_ROWS) return w;
    w.several = 1;
    step_s = flops / group_flops_per_s + group_overhead_s * (double)plan->layers_count;
  } else {
    if (flops > long_step_flops) return w;
    w.several = work_items_of(self, plan, flops);
    w.other = w.several == 1 || flops < lone_step_flops ? 1 : 0;
    step_s = flops / (flops_per_s * (double)w.several) + step_overhead_s * (double)plan->layers_count;
  }
  size_t usual = (size_t)(launch_s / step_s), most = (size_t)(longest_launch_s / step_s);
  w.steps = size_max(1, size_max(usual, size_min(FEW_STEPS, most)));
  return w;
}

bool opencl_takes_steps(const backend *base, const step_plan *plan) {
  const opencl_backend *self = (const opencl_backend *)base;
  return is_known(self, plan) && ways_of(self, plan).several > 0;
}

mlp_cl_status opencl_train_steps(backend *base, const step_plan *plan, const step_range *range, size_t *taken,
                                 mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  opencl_steps_trial *t = &self->steps_trial;
  *taken = 0;
  if (!is_known(self, plan)) return MLP_CL_OK;
  const ways w = ways_of(self, plan);
  size_t steps = w.steps, work_items = w.several;
  if (work_items == 0) return MLP_CL_OK;
  if (work_items == w.other) return take(self, plan, range, steps, work_items, taken, error);
  if (t->plan != plan || range->step < t->step) *t = (opencl_steps_trial){.plan = plan};
  t->step = range->step;
  bool trial = is_trial(t), other = trial ? t->round % 2 == 1 : t->lead < 0;
  if (other) work_items = w.other;
  if (trial && work_items > 0)
    return try_work_items(self, plan, range, ROUND_LAUNCHES * steps, work_items, taken, error);
  if (trial) return try_launches(self, plan, range, ROUND_LAUNCHES * steps, taken, error);
  return work_items > 0 ? take(self, plan, range, steps, work_items, taken, error) : MLP_CL_OK;
}
