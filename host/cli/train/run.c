/* See run.h. */
#include "train/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/interrupt.h"
#include "terminal/output.h"
#include "terminal/progress.h"
#include "terminal/report.h"
#include "terminal/watchdog.h"

typedef struct watch {
  run *run;
  const mlp_cl_trainer *trainer;
  const checkpoint_plan *plan;
  progress progress;
  void (*hear)(const mlp_cl_event *event, void *user);
  void *user;
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

/* Takes up that the run is kept in `path`, up to `step`; told when that is not where it was to be. */
static void take_kept(watch *w, uint64_t step, const char *path) {
  run *r = w->run;
  const char *planned = w->plan->when.path, *known = r->keeps && r->kept_in ? r->kept_in : planned;
  if (strcmp(path, known) != 0) {
    progress_clear(&w->progress);
    report_note("warning: %s was written by another program and stays; this run is kept in %s", planned, path);
  }
  char *copy = strdup(path);
  free(r->kept_in);
  r->kept_in = copy;
  r->kept = step;
  r->keeps = true;
}

/* The same of the checkpoint that the run goes on from. */
static void take_resumed(watch *w, uint64_t step) {
  const char *from = w->plan->resume, *into = w->plan->when.path;
  w->run->keeps = into && output_same_place(from, into);
  w->run->kept_in = strdup(w->run->keeps ? into : from);
  w->run->kept = step;
}

static void on_checkpoint(watch *w, const mlp_cl_event *event) {
  if (event->failure) {
    w->run->unkept = *event->failure;
    progress_clear(&w->progress);
    report_note("warning: the checkpoint of step %llu is not written, the run goes on: %s",
                (unsigned long long)event->step, event->failure->text);
    return;
  }
  const char *written = mlp_cl_trainer_checkpoint_path(w->trainer); /* NULL while the run is resumed */
  const char *path = written ? written : w->plan->resume;
  if (written)
    take_kept(w, event->step, path);
  else
    take_resumed(w, event->step);
  char way[320];
  watchdog_hint("; %s holds step %llu: %s", path, (unsigned long long)event->step,
                checkpoint_way_on(w->plan, path, way, sizeof way));
  if (event->step > w->run->last.step) w->run->last = *event; /* resumed within an epoch */
}

static bool on_event(const mlp_cl_event *event, void *user) {
  watch *w = user;
  watchdog_feed();
  if (event->kind == MLP_CL_EVENT_CHECKPOINT) {
    on_checkpoint(w, event);
    return true;
  }
  w->run->last = *event;
  if (event->kind == MLP_CL_EVENT_EPOCH) {
    if (!remember(w->run, event)) {
      w->out_of_memory = true;
      return false;
    }
    progress_clear(&w->progress);
  }
  if (w->hear) w->hear(event, w->user);
  progress_show(&w->progress, event);
  return interrupt_signal() == 0;
}

/* *widths is freed by the caller; NULL without memory. */
static mlp_cl_shape shape_of(const plan *p, const run_data *data, size_t **widths, mlp_cl_error *error) {
  mlp_cl_shape shape = {.bias = p->bias, .init = p->init, .activation = p->activation, .task = p->task};
  *widths = plan_widths(p, data->train, &shape.widths_count);
  if (!*widths) *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "out of memory for the list of layers"};
  shape.widths = *widths;
  return shape;
}

mlp_cl_status run_begin(run *r, mlp_cl_context *context, const plan *p, const run_data *data, mlp_cl_error *error) {
  *r = (run){.context = context, .kept = UINT64_MAX};
  if (p->init_from) return mlp_cl_network_load(r->context, p->init_from, &r->network, NULL, error);
  size_t *widths;
  mlp_cl_shape shape = shape_of(p, data, &widths, error);
  if (!widths) return error->status;
  mlp_cl_status status = mlp_cl_network_create(r->context, &shape, p->recipe.seed, &r->network, error);
  free(widths);
  return status;
}

/* Resumes, runs, and leaves a checkpoint when it is stopped. */
static mlp_cl_status run_trainer(run *r, mlp_cl_trainer *trainer, const checkpoint_plan *p, watch *w,
                                 mlp_cl_error *error) {
  mlp_cl_status status = MLP_CL_OK;
  if (p->resume) status = mlp_cl_trainer_resume(trainer, p->resume, on_event, w, error);
  if (status == MLP_CL_OK && p->when.path) status = mlp_cl_trainer_checkpoints(trainer, &p->when, error);
  if (status != MLP_CL_OK) return status;
  if (p->resume)
    report_note("%s goes on after step %llu of %llu%s", p->resume, (unsigned long long)r->kept,
                (unsigned long long)r->last.steps,
                p->when.path ? "" : "; without --checkpoint nothing more is kept before its end");
  status = mlp_cl_trainer_run(trainer, on_event, w, error);
  if (status == MLP_CL_CANCELLED && p->when.path) {
    mlp_cl_error problem;
    if (mlp_cl_trainer_save(trainer, p->when.path, &problem) == MLP_CL_OK)
      take_kept(w, r->last.step, mlp_cl_trainer_checkpoint_path(trainer));
    else
      report_note("warning: the last checkpoint is not written: %s", problem.text);
  }
  if (status != MLP_CL_OK) checkpoint_explain(p, r->last.step, r->last.steps, r->kept, r->kept_in, error);
  return status;
}

mlp_cl_status run_train(run *r, const plan *p, const run_data *data, const char *label,
                        void (*hear)(const mlp_cl_event *event, void *user), void *user, mlp_cl_error *error) {
  r->verified_every = p->verify_every;
  interrupt_defer_pipe();
  mlp_cl_trainer *trainer = NULL;
  mlp_cl_status status = mlp_cl_trainer_create(r->network, data->train, data->test, &p->recipe, &trainer, error);
  if (status == MLP_CL_OK) status = mlp_cl_trainer_losses_every(trainer, p->log_every, error);
  if (status == MLP_CL_OK) status = mlp_cl_trainer_verify_every(trainer, p->verify_every, error);
  if (status != MLP_CL_OK) {
    mlp_cl_trainer_destroy(trainer);
    return status;
  }
  const checkpoint_plan *kept = &p->checkpoints;
  watch w = {.run = r, .trainer = trainer, .plan = kept, .progress = progress_begin(label), .hear = hear, .user = user};
  if (mlp_cl_context_device(r->context)->index >= 0) watchdog_begin("training");
  status = run_trainer(r, trainer, kept, &w, error);
  watchdog_end();
  mlp_cl_trainer_destroy(trainer);
  progress_clear(&w.progress);
  if (w.out_of_memory) {
    *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "out of memory for the table of epochs; train fewer of them"};
    return MLP_CL_NO_MEMORY;
  }
  if (status != MLP_CL_OK) return status;
  return mlp_cl_network_sha256(r->network, r->sha256, error);
}

mlp_cl_status run_plan_memory(mlp_cl_context *context, const plan *p, const run_data *data, mlp_cl_memory *memory,
                              mlp_cl_error *error) {
  size_t *widths;
  mlp_cl_shape shape = shape_of(p, data, &widths, error);
  if (!widths) return error->status;
  mlp_cl_status status = mlp_cl_plan_memory(context, &shape, data->train, data->test, &p->recipe, memory, error);
  free(widths);
  return status;
}

void run_free(run *r) {
  free(r->epochs);
  free(r->kept_in);
  mlp_cl_network_destroy(r->network);
  mlp_cl_context_destroy(r->context);
  *r = (run){0};
}
