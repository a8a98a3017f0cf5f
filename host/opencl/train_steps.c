/* train_steps: whole steps in one launch (kernels/train_steps.cl), on CPU devices and for networks whose steps are
 * short. */
#include "base/size.h"
#include "opencl/internal.h"

enum { LAYERS_MAX = 4 };

/* Above this a step is long beside its launches, and the products' own kernels divide it as well. */
static const double long_step_flops = 2e9;
/* Below this one work-item is done before a second has been told. */
static const double short_step_flops = 1.5e6;
/* About 10 ms of a slow core. */
static const double launch_flops = 2e8;

/* Multiplications and additions of a step: forward, input gradient, weight gradient. */
static double step_flops(const step_plan *plan) {
  double flops = 0;
  for (size_t i = 0; i < plan->layers_count; i++)
    flops += (i > 0 ? 6.0 : 4.0) * (double)plan->batch * (double)plan->layers[i].in * (double)plan->layers[i].out;
  return flops;
}

static void set_layer(launch *l, const step_layer *layer) {
  static const step_layer none = {0};
  const step_layer *from = layer != NULL ? layer : &none;
  launch_int(l, from->in);
  launch_int(l, from->out);
  launch_plain(l, from->weight);
  launch_plain(l, from->weight_velocity);
  launch_int(l, layer != NULL ? opencl_of(from->weight)->stride : 0);
  launch_plain(l, from->bias);
  launch_plain(l, from->bias_velocity);
  launch_int(l, from->bias != NULL ? opencl_of(from->bias)->stride : 0);
  launch_tensor(l, from->y);
  launch_tensor(l, from->d_y);
  launch_buffer(l, layer != NULL ? opencl_of(from->d_y)->transposed : NULL);
  launch_int(l, layer != NULL ? opencl_of(from->d_y)->transposed_stride : 0);
}

static mlp_cl_status launch_steps(opencl_backend *self, const step_plan *plan, const step_range *range, size_t steps,
                                  size_t work_items, mlp_cl_error *error) {
  static const cl_uint zero = 0;
  size_t ragged = (range->end - range->first) % plan->batch;
  launch l;
  TRY(launch_begin(&l, self, "train_steps.cl", "train_steps", opencl_element_type(plan->source->element), error));
  TRY_CL(clEnqueueFillBuffer(self->queue, self->tickets, &zero, sizeof zero, 0, TICKETS_BYTES, 0, NULL, NULL));
  launch_int(&l, plan->layers_count);
  launch_int(&l, plan->batch);
  launch_int(&l, plan->source->cols);
  launch_int(&l, plan->layers[0].bias != NULL);
  launch_int(&l, plan->order != NULL);
  launch_ulong(&l, range->first);
  launch_ulong(&l, range->end);
  launch_uint(&l, range->step);
  launch_int(&l, steps);
  launch_float(&l, plan->source_scale);
  launch_float(&l, plan->mean ? 1.0f / (float)plan->batch : 1.0f);
  launch_float(&l, plan->mean && ragged > 0 ? 1.0f / (float)ragged : 1.0f);
  launch_plain(&l, plan->source);
  launch_plain(&l, plan->order);
  launch_plain(&l, plan->labels);
  launch_tensor(&l, plan->x);
  launch_plain(&l, plan->losses);
  launch_plain(&l, plan->predictions);
  launch_plain(&l, plan->flag);
  launch_mask(&l, &plan->dropout);
  launch_sgd(&l, &plan->update);
  launch_buffer(&l, self->tickets);
  for (size_t i = 0; i < LAYERS_MAX; i++) set_layer(&l, i < plan->layers_count ? &plan->layers[i] : NULL);
  return launch_run(&l, work_items, 1, 1, 1, error);
}

mlp_cl_status opencl_train_steps(backend *base, const step_plan *plan, const step_range *range, bool *taken,
                                 mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  double flops = step_flops(plan);
  *taken = self->tuning.whole_steps && plan->layers_count <= LAYERS_MAX && flops < long_step_flops;
  if (!*taken) return MLP_CL_OK;
  for (size_t i = 0; i < plan->layers_count; i++)
    TRY(opencl_transposed_create(self, opencl_of(plan->layers[i].d_y), error));
  size_t work_items = flops < short_step_flops ? 1 : base->device.compute_units;
  size_t steps_of_launch = size_max(1, (size_t)(launch_flops * (double)work_items / flops));
  step_range part = *range;
  while (part.first < range->end) {
    size_t steps = size_min(steps_of_launch, size_divide_up(range->end - part.first, plan->batch));
    part.end = size_min(range->end, part.first + steps * plan->batch);
    TRY(launch_steps(self, plan, &part, steps, work_items, error));
    part.first = part.end;
    part.step += (uint32_t)steps;
    TRY(opencl_pace_step(base, error));
  }
  for (size_t i = 0; i < plan->layers_count; i++) opencl_of(plan->layers[i].d_y)->transposed_valid = false;
  return MLP_CL_OK;
}
