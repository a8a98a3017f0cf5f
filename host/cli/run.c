/* See run.h. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "interrupt.h"
#include "progress.h"

typedef struct watch {
  run *run;
  progress progress;
  void (*on_epoch)(const mlp_cl_event *event);
  bool out_of_memory;
} watch;

static bool remember(run *r, const mlp_cl_event *event) {
  if (r->epochs_count == r->epochs_room) {
    size_t room = r->epochs_room ? 2 * r->epochs_room : 64;
    mlp_cl_event *grown = realloc(r->epochs, room * sizeof *grown);
    if (!grown) return false;
    r->epochs = grown;
    r->epochs_room = room;
  }
  r->epochs[r->epochs_count++] = *event;
  return true;
}

static bool on_event(const mlp_cl_event *event, void *user) {
  watch *w = user;
  w->run->last = *event;
  if (event->kind == MLP_CL_EVENT_EPOCH) {
    if (!remember(w->run, event)) {
      w->out_of_memory = true;
      return false;
    }
    progress_clear(&w->progress);
    if (w->on_epoch) w->on_epoch(event);
  }
  progress_show(&w->progress, event);
  return interrupt_signal() == 0;
}

static mlp_cl_status create_network(run *r, const plan *p, const run_data *data, mlp_cl_error *error) {
  if (p->init_from) return mlp_cl_network_load(r->context, p->init_from, &r->network, NULL, error);
  mlp_cl_shape shape = {.bias = p->bias, .init = p->init};
  size_t *widths =
      plan_widths(p, mlp_cl_dataset_width(data->train), mlp_cl_dataset_classes(data->train), &shape.widths_count);
  if (!widths) {
    *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "out of memory for the list of layers"};
    return MLP_CL_NO_MEMORY;
  }
  shape.widths = widths;
  mlp_cl_status status = mlp_cl_network_create(r->context, &shape, p->recipe.seed, &r->network, error);
  free(widths);
  return status;
}

mlp_cl_status run_train(run *r, mlp_cl_context *context, const plan *p, const run_data *data, const char *label,
                        void (*on_epoch)(const mlp_cl_event *event), mlp_cl_error *error) {
  *r = (run){.context = context};
  interrupt_defer();
  mlp_cl_status status = create_network(r, p, data, error);
  if (status != MLP_CL_OK) return status;
  watch w = {.run = r, .progress = progress_begin(label), .on_epoch = on_epoch};
  status = mlp_cl_train(r->network, data->train, data->test, &p->recipe, on_event, &w, error);
  progress_clear(&w.progress);
  if (w.out_of_memory) {
    *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "out of memory for the table of epochs; train fewer of them"};
    return MLP_CL_NO_MEMORY;
  }
  if (status != MLP_CL_OK) return status;
  return mlp_cl_network_sha256(r->network, r->sha256, error);
}

void run_free(run *r) {
  free(r->epochs);
  mlp_cl_network_destroy(r->network);
  mlp_cl_context_destroy(r->context);
  *r = (run){0};
}
