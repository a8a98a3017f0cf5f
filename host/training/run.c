/* Runs a trainer to its end and reports on the way. Slices of steps are enqueued, so that the callback is heard some
 * ten times a second; the clock decides their length and no result. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/dataset.h"
#include "training/best.h"
#include "training/checkpoint.h"
#include "training/trainer.h"

#define EVENT_SECONDS 0.1
#define SHORT_SLICE_SECONDS 0.02
#define LONG_SLICE_SECONDS 0.08
#define LARGEST_SLICE 4096u

typedef struct progress {
  mlp_cl_trainer *trainer;
  mlp_cl_on_event *on_event;
  void *user;
  double began, reported;
  uint64_t first_step; /* steps that were done before this call */
  uint64_t slice;      /* steps that are enqueued before the clock is read again */
  bool stopped;        /* by the callback, within an evaluation, which is part of its epoch and comes to its end */
} progress;

/* Rows of the run's first `steps` steps. */
static uint64_t rows_of(const mlp_cl_trainer *t, uint64_t steps) {
  uint64_t epochs = steps / t->parts.epoch_steps, rest = steps % t->parts.epoch_steps;
  return epochs * t->train->rows + rest * t->parts.batch;
}

static mlp_cl_status cancelled(const progress *p, mlp_cl_error *error) {
  mlp_cl_trainer *t = p->trainer;
  TRY(t->network->backend->op->finish(t->network->backend, error));
  return fail(error, MLP_CL_CANCELLED, "training was cancelled after %llu of %llu steps", (unsigned long long)t->step,
              (unsigned long long)t->parts.steps);
}

static mlp_cl_event event_of(const progress *p, mlp_cl_event_kind kind, size_t epoch) {
  const mlp_cl_trainer *t = p->trainer;
  return (mlp_cl_event){.kind = kind,
                        .epoch = (uint32_t)epoch,
                        .epochs = t->recipe.epochs,
                        .step = t->step,
                        .steps = t->parts.steps,
                        .samples = rows_of(t, t->step) - rows_of(t, p->first_step),
                        .seconds = clock_now_s() - p->began,
                        .train_loss = NAN,
                        .train_accuracy = NAN,
                        .test_loss = NAN,
                        .test_accuracy = NAN};
}

static bool hear(progress *p, const mlp_cl_event *event) {
  p->reported = clock_now_s();
  if (p->on_event != NULL && !p->on_event(event, p->user)) p->stopped = true;
  return !p->stopped;
}

static mlp_cl_status report(progress *p, const mlp_cl_event *event, mlp_cl_error *error) {
  return hear(p, event) ? MLP_CL_OK : cancelled(p, error);
}

/* Loss and accuracy of the epoch's rows as they were trained on: the one place in an epoch that waits. */
static mlp_cl_status read_metrics(mlp_cl_trainer *t, size_t epoch, mlp_cl_evaluation *metrics, mlp_cl_error *error) {
  TRY(trainer_check_flag(t, error));
  TRY(trainer_read_metrics(t, error));
  *metrics = evaluation_of(t->plan.task, t->train, t->spread, &t->metrics, t->orders[(epoch - 1) % 2].rows);
  return MLP_CL_OK;
}

static void tell_alive(void *user) {
  progress *p = user;
  if (clock_now_s() - p->reported < EVENT_SECONDS) return;
  mlp_cl_event event = event_of(p, MLP_CL_EVENT_STEP, trainer_epoch(p->trainer));
  (void)hear(p, &event);
}

static mlp_cl_status evaluate(progress *p, size_t epoch, mlp_cl_evaluation *test, mlp_cl_error *error) {
  mlp_cl_trainer *t = p->trainer;
  mlp_cl_status status = evaluator_run(&t->test, test, NULL, tell_alive, p, error);
  if (status != MLP_CL_DIVERGED) return status;
  return fail(error, status,
              "training diverged: after epoch %zu, step %llu of the run, the loss of the held-out rows is not finite; "
              "lower the learning rate (%g), or check the data",
              epoch, (unsigned long long)t->step, (double)t->recipe.learning_rate);
}

static mlp_cl_status end_epoch(progress *p, size_t epoch, mlp_cl_error *error) {
  mlp_cl_trainer *t = p->trainer;
  mlp_cl_evaluation train, test;
  TRY(read_metrics(t, epoch, &train, error));
  if (t->has_test) TRY(evaluate(p, epoch, &test, error));
  mlp_cl_event event = event_of(p, MLP_CL_EVENT_EPOCH, epoch);
  event.train_loss = train.loss;
  event.train_accuracy = train.accuracy;
  event.has_test = t->has_test;
  if (t->has_test) {
    event.test_loss = test.loss;
    event.test_accuracy = test.accuracy;
  }
  TRY(history_add(&t->history, &event, error));
  TRY(best_keep(t, error));
  event.best_epoch = best_epoch(t);
  return report(p, &event, error);
}

/* ---- Checkpoints ------------------------------------------------------------------------------------------------ */

static mlp_cl_status tell(progress *p, const checkpoint_outcome *outcome, mlp_cl_error *error) {
  uint64_t epoch_steps = p->trainer->parts.epoch_steps;
  mlp_cl_event event = event_of(p, MLP_CL_EVENT_CHECKPOINT, (size_t)((outcome->step + epoch_steps - 1) / epoch_steps));
  event.step = outcome->step;
  event.failure = outcome->error.status != MLP_CL_OK ? &outcome->error : NULL;
  return report(p, &event, error);
}

/* Tells of a checkpoint that has been written, if any. */
static mlp_cl_status tell_written(progress *p, bool wait, mlp_cl_error *error) {
  checkpoint_outcome outcome;
  if (!checkpoint_writer_end(p->trainer->checkpoints.writer, wait, &outcome)) return MLP_CL_OK;
  return tell(p, &outcome, error);
}

static bool falls_due(const mlp_cl_trainer *t) {
  const checkpoint_schedule *c = &t->checkpoints;
  uint64_t epoch_steps = t->parts.epoch_steps;
  if (t->step == c->last_step) return false;
  return (c->when.every_steps > 0 && t->step % c->when.every_steps == 0) ||
         (c->when.every_epochs > 0 && t->step % (c->when.every_epochs * epoch_steps) == 0) ||
         (c->when.every_s > 0 && clock_now_s() - c->last_s >= c->when.every_s);
}

/* Begins a checkpoint when one is due, and tells of the last. One that memory lacks room for does not end the run. */
static mlp_cl_status keep(progress *p, mlp_cl_error *error) {
  mlp_cl_trainer *t = p->trainer;
  checkpoint_schedule *c = &t->checkpoints;
  if (c->writer == NULL) return MLP_CL_OK;
  TRY(tell_written(p, false, error));
  c->due = c->due || falls_due(t);
  if (!c->due || checkpoint_writer_busy(c->writer)) return MLP_CL_OK;
  safetensors content;
  checkpoint_outcome outcome = {.step = t->step};
  mlp_cl_status status = checkpoint_collect(t, &content, &outcome.error);
  if (status != MLP_CL_OK && status != MLP_CL_NO_MEMORY) return fail(error, status, "%s", outcome.error.text);
  c->last_s = clock_now_s();
  c->last_step = t->step;
  c->due = false;
  if (status != MLP_CL_OK) return tell(p, &outcome, error);
  checkpoint_writer_start(c->writer, &content, t->step);
  return MLP_CL_OK;
}

/* The one at the end of the run is waited for. */
static mlp_cl_status keep_last(progress *p, mlp_cl_error *error) {
  checkpoint_schedule *c = &p->trainer->checkpoints;
  if (c->writer == NULL) return MLP_CL_OK;
  TRY(tell_written(p, true, error));
  c->due = c->last_step != p->trainer->step;
  TRY(keep(p, error));
  return tell_written(p, true, error);
}

/* Steps until the next one that a checkpoint is to be taken after. */
static uint64_t steps_to_checkpoint(const mlp_cl_trainer *t) {
  uint64_t every = t->checkpoints.when.every_steps;
  return t->checkpoints.writer == NULL || every == 0 ? UINT64_MAX : every - t->step % every;
}

/* ---- Losses within epochs --------------------------------------------------------------------------------------- */

static uint64_t steps_to_loss(const mlp_cl_trainer *t) {
  return t->losses_every == 0 ? UINT64_MAX : t->losses_every - t->step % t->losses_every;
}

/* The mean over the rows since the last one that was told, or since the epoch began. */
static mlp_cl_status tell_loss(progress *p, size_t epoch, mlp_cl_error *error) {
  mlp_cl_trainer *t = p->trainer;
  uint64_t begin = (uint64_t)(epoch - 1) * t->parts.epoch_steps;
  uint64_t last = t->step > t->losses_every ? t->step - t->losses_every : 0;
  size_t first = last > begin ? (size_t)(last - begin) * t->parts.batch : 0;
  size_t end = (size_t)(t->step - begin) * t->parts.batch;
  TRY(trainer_check_flag(t, error));
  TRY(trainer_read_metrics(t, error));
  double sum = 0;
  for (size_t i = first; i < end; i++) sum += (double)t->metrics.losses[i];
  mlp_cl_event event = event_of(p, MLP_CL_EVENT_STEP, epoch);
  event.train_loss = sum / (double)(end - first);
  return report(p, &event, error);
}

mlp_cl_status mlp_cl_trainer_losses_every(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error) {
  if (trainer == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the trainer is NULL");
  trainer->losses_every = steps;
  return MLP_CL_OK;
}

/* ---- The way through the steps ---------------------------------------------------------------------------------- */

/* Enqueues a slice and fits the next one's length to the time that it took. */
static mlp_cl_status run_slice(progress *p, uint64_t left, mlp_cl_error *error) {
  double began = clock_now_s();
  uint64_t slice = steps_to_checkpoint(p->trainer), to_loss = steps_to_loss(p->trainer);
  if (to_loss < slice) slice = to_loss;
  if (p->slice < slice) slice = p->slice;
  TRY(trainer_advance(p->trainer, left < slice ? left : slice, error));
  double seconds = clock_now_s() - began;
  if (seconds < SHORT_SLICE_SECONDS && p->slice < LARGEST_SLICE) p->slice *= 2;
  if (seconds > LONG_SLICE_SECONDS && p->slice > 1) p->slice /= 2;
  return MLP_CL_OK;
}

static mlp_cl_status run_epoch(progress *p, mlp_cl_error *error) {
  mlp_cl_trainer *t = p->trainer;
  size_t epoch = trainer_epoch(t) + 1;
  uint64_t end = (uint64_t)epoch * t->parts.epoch_steps;
  while (t->step < end) {
    TRY(run_slice(p, end - t->step, error));
    if (t->step < end) TRY(keep(p, error));
    if (t->step < end && t->losses_every > 0 && t->step % t->losses_every == 0) {
      TRY(tell_loss(p, epoch, error));
    } else if (t->step < end && clock_now_s() - p->reported >= EVENT_SECONDS) {
      mlp_cl_event event = event_of(p, MLP_CL_EVENT_STEP, epoch);
      TRY(report(p, &event, error));
    }
  }
  TRY(end_epoch(p, epoch, error));
  return keep(p, error);
}

mlp_cl_status mlp_cl_trainer_run(mlp_cl_trainer *trainer, mlp_cl_on_event *on_event, void *user, mlp_cl_error *error) {
  if (trainer == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the trainer is NULL");
  double began = clock_now_s();
  progress p = {.trainer = trainer,
                .on_event = on_event,
                .user = user,
                .began = began,
                .reported = began,
                .first_step = trainer->step,
                .slice = 1};
  trainer->checkpoints.last_s = began;
  mlp_cl_status status = MLP_CL_OK;
  while (status == MLP_CL_OK && trainer->step < trainer->parts.steps && !best_is_long_ago(trainer))
    status = run_epoch(&p, error);
  if (status == MLP_CL_OK) TRY(keep_last(&p, error)); /* before the best parameters take the last ones' place */
  if (status == MLP_CL_OK) return best_restore(trainer, error);
  if (trainer->checkpoints.writer != NULL) (void)tell_written(&p, true, NULL);
  return status;
}

mlp_cl_status mlp_cl_train(mlp_cl_network *network, const mlp_cl_dataset *train, const mlp_cl_dataset *test,
                           const mlp_cl_recipe *recipe, mlp_cl_on_event *on_event, void *user, mlp_cl_error *error) {
  mlp_cl_trainer *trainer = NULL;
  TRY(mlp_cl_trainer_create(network, train, test, recipe, &trainer, error));
  mlp_cl_status status = mlp_cl_trainer_run(trainer, on_event, user, error);
  mlp_cl_trainer_destroy(trainer);
  return status;
}
