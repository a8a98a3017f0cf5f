/* Setting a kernel's arguments one after the other, and enqueueing it. */
#include <assert.h>
#include <inttypes.h>
#include <limits.h>

#include "base/size.h"
#include "opencl/internal.h"

/* Work-items of a launch; what is more is shared. */
enum { SHARES_MAX = 1 << 24 };

mlp_cl_status launch_begin(launch *l, opencl_backend *self, const char *name, mlp_cl_error *error) {
  *l = (launch){.self = self, .name = name, .code = CL_SUCCESS};
  return opencl_kernel_get(self, name, &l->kernel, error);
}

static void set(launch *l, size_t bytes, const void *value) {
  cl_int code = clSetKernelArg(l->kernel, l->next++, bytes, value);
  if (l->code == CL_SUCCESS) l->code = code;
}

void launch_int(launch *l, size_t value) {
  assert(value <= INT_MAX);
  cl_int v = (cl_int)value;
  set(l, sizeof v, &v);
}

void launch_uint(launch *l, uint32_t value) {
  set(l, sizeof value, &value);
}

void launch_ulong(launch *l, uint64_t value) {
  set(l, sizeof value, &value);
}

void launch_float(launch *l, float value) {
  set(l, sizeof value, &value);
}

void launch_floats(launch *l, const float *values, size_t count) {
  set(l, count * sizeof *values, values);
}

void launch_buffer(launch *l, cl_mem buffer) {
  cl_mem mem = buffer != NULL ? buffer : l->self->nothing;
  set(l, sizeof mem, &mem);
}

void launch_tensor(launch *l, const tensor *t) {
  launch_buffer(l, t != NULL ? opencl_of(t)->buffer : NULL);
  launch_int(l, t != NULL ? opencl_of(t)->stride : 0);
}

void launch_buffer_of(launch *l, const tensor *t) {
  launch_buffer(l, t != NULL ? opencl_of(t)->buffer : NULL);
}

void launch_mask(launch *l, const dropout *mask) {
  static const dropout none = {.threshold = 0, .scale = 1.0f};
  const dropout *m = mask != NULL ? mask : &none;
  launch_uint(l, m->threshold);
  launch_float(l, m->scale);
  launch_uint(l, (uint32_t)m->seed);
  launch_uint(l, (uint32_t)(m->seed >> 32));
  launch_uint(l, m->step);
  launch_uint(l, m->layer);
  launch_ulong(l, m->first_row);
}

void launch_sgd(launch *l, const sgd *update) {
  static const sgd none = {0};
  const sgd *u = update != NULL ? update : &none;
  launch_float(l, u->learning_rate);
  launch_float(l, u->momentum);
  launch_float(l, u->weight_decay);
  launch_int(l, u->nesterov ? 1 : 0);
}

void launch_gather(launch *l, const gather *g) {
  static const gather none = {0};
  if (g == NULL) g = &none;
  launch_int(l, g->rows);
  launch_int(l, g->source != NULL ? g->source->cols : 0);
  launch_ulong(l, g->first);
  launch_int(l, g->order != NULL);
  launch_float(l, g->scale);
  launch_int(l, g->source != NULL ? (size_t)g->source->element : 0);
  launch_buffer_of(l, g->source);
  launch_buffer_of(l, g->order);
  launch_tensor(l, g->y);
}

void launch_labels(launch *l, const cross_entropy *c) {
  launch_buffer_of(l, c->labels);
  launch_int(l, c->order != NULL);
  launch_buffer_of(l, c->order);
  launch_ulong(l, c->first);
  launch_float(l, c->scale);
}

void launch_metrics(launch *l, const cross_entropy *c) {
  launch_buffer_of(l, c->losses);
  launch_buffer_of(l, c->predictions);
  launch_ulong(l, c->slot);
  launch_buffer_of(l, c->flag);
  launch_uint(l, c->step);
}

void launch_terms(launch *l, size_t work_items, size_t lists) {
  opencl_room *room = &l->self->terms;
  if (opencl_room_reserve(l->self, room, work_items * lists * TERMS_BYTES, NULL) != MLP_CL_OK) lists = 0;
  launch_buffer(l, lists > 0 ? room->buffer : NULL);
  launch_int(l, lists);
}

void launch_adam(launch *l, const adam *rule) {
  launch_float(l, rule->rate);
  launch_float(l, rule->root);
  launch_float(l, rule->keep2);
  launch_float(l, rule->add1);
  launch_float(l, rule->add2);
  launch_float(l, rule->epsilon);
  launch_float(l, rule->weight_decay);
  launch_float(l, rule->shrink);
  launch_int(l, rule->decoupled);
}

void launch_parameters(launch *l, const tensor *value, const tensor *velocity, const tensor *rms) {
  launch_buffer_of(l, value);
  launch_buffer_of(l, velocity);
  launch_buffer_of(l, rms);
  launch_int(l, value != NULL ? opencl_of(value)->stride : 0);
}

size_t launch_deal(launch *l, size_t pieces, size_t unit_rows) {
  launch_buffer(l, l->self->dealt);
  launch_uint(l, (uint32_t)pieces);
  launch_int(l, unit_rows);
  return size_min(pieces, l->self->base.device.compute_units);
}

mlp_cl_status launch_run(launch *l, size_t x, size_t y, size_t local_x, size_t local_y, mlp_cl_error *error) {
  size_t global[2] = {x, y}, local[2] = {local_x, local_y};
  bool profiled = opencl_profile_wants(l->self);
  double began_s = profiled ? clock_now_s() : 0;
  cl_event event;
  cl_int code = l->code;
  if (code == CL_SUCCESS)
    code = clEnqueueNDRangeKernel(l->self->queue, l->kernel, 2, NULL, global, local, 0, NULL, profiled ? &event : NULL);
  if (code != CL_SUCCESS) return fail_cl(error, code, "launching kernel %s", l->name);
  return profiled ? opencl_profile_add(l->self, l->name, global, local, began_s, event, error) : MLP_CL_OK;
}

/* With vector lines, a few work-groups of one work-item: they compile once and start fast. */
mlp_cl_status launch_shares(launch *l, size_t units, mlp_cl_error *error) {
  const opencl_tuning *tuning = &l->self->tuning;
  if (tuning->variant == VARIANT_PANEL) return launch_run(l, size_min(units, (size_t)tuning->groups), 1, 1, 1, error);
  size_t whole_lines = size_max(1, (size_t)l->self->base.device.work_group_size / PANEL);
  size_t local = size_min(64, whole_lines * PANEL);
  return launch_run(l, size_round_up(size_min(units, SHARES_MAX), local), 1, local, 1, error);
}

mlp_cl_status launch_lines(launch *l, size_t units, mlp_cl_error *error) {
  if (l->self->tuning.variant == VARIANT_PANEL) return launch_shares(l, units, error);
  return launch_shares(l, size_min(units, SHARES_MAX) * PANEL, error);
}

mlp_cl_status launch_rows(launch *l, size_t units, mlp_cl_error *error) {
  if (l->self->tuning.variant == VARIANT_PANEL) return launch_shares(l, units, error);
  return launch_run(l, size_min(units, SHARES_MAX) * PANEL, 1, PANEL, 1, error);
}

mlp_cl_status launch_check_sum(const opencl_backend *self, size_t terms, mlp_cl_error *error) {
  if (terms <= self->tuning.longest_sum) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_SHAPE, "a sum of %zu terms is too long for %s, which takes %zu: take another device",
              terms, self->base.device.name, self->tuning.longest_sum);
}
