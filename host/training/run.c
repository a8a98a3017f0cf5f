/* Runs a trainer to its end and reports on the way. Slices of steps are enqueued, so that the callback is heard some
 * ten times a second; the clock decides their length and no result. */
#include <math.h>
#include <time.h>

#include "data/dataset.h"
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
} progress;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

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
                        .seconds = now() - p->began,
                        .train_loss = NAN,
                        .train_accuracy = NAN,
                        .test_loss = NAN,
                        .test_accuracy = NAN};
}

static mlp_cl_status report(progress *p, const mlp_cl_event *event, mlp_cl_error *error) {
  p->reported = now();
  if (p->on_event == NULL || p->on_event(event, p->user)) return MLP_CL_OK;
  return cancelled(p, error);
}

/* Loss and accuracy of the epoch's rows as they were trained on: the one place in an epoch that waits. */
static mlp_cl_status read_metrics(mlp_cl_trainer *t, size_t epoch, mlp_cl_evaluation *metrics, mlp_cl_error *error) {
  backend *on = t->network->backend;
  TRY(trainer_check_flag(t, error));
  TRY(on->op->tensor_read(on, t->plan.losses, 0, 1, t->losses, error));
  TRY(on->op->tensor_read(on, t->plan.predictions, 0, 1, t->predictions, error));
  *metrics =
      evaluation_of(t->losses, t->predictions, t->train->labels, t->orders[(epoch - 1) % 2].rows, t->train->rows);
  return MLP_CL_OK;
}

static mlp_cl_status end_epoch(progress *p, size_t epoch, mlp_cl_error *error) {
  mlp_cl_trainer *t = p->trainer;
  mlp_cl_evaluation train, test;
  TRY(read_metrics(t, epoch, &train, error));
  if (t->has_test) TRY(evaluator_run(&t->test, &test, NULL, error));
  mlp_cl_event event = event_of(p, MLP_CL_EVENT_EPOCH, epoch);
  event.train_loss = train.loss;
  event.train_accuracy = train.accuracy;
  event.has_test = t->has_test;
  if (t->has_test) {
    event.test_loss = test.loss;
    event.test_accuracy = test.accuracy;
  }
  return report(p, &event, error);
}

/* Enqueues a slice and fits the next one's length to the time that it took. */
static mlp_cl_status run_slice(progress *p, uint64_t left, mlp_cl_error *error) {
  double began = now();
  TRY(trainer_advance(p->trainer, left < p->slice ? left : p->slice, error));
  double seconds = now() - began;
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
    if (t->step < end && now() - p->reported >= EVENT_SECONDS) {
      mlp_cl_event event = event_of(p, MLP_CL_EVENT_STEP, epoch);
      TRY(report(p, &event, error));
    }
  }
  return end_epoch(p, epoch, error);
}

mlp_cl_status mlp_cl_trainer_run(mlp_cl_trainer *trainer, mlp_cl_on_event *on_event, void *user, mlp_cl_error *error) {
  double began = now();
  progress p = {.trainer = trainer,
                .on_event = on_event,
                .user = user,
                .began = began,
                .reported = began,
                .first_step = trainer->step,
                .slice = 16};
  while (trainer->step < trainer->parts.steps) TRY(run_epoch(&p, error));
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_train(mlp_cl_network *network, const mlp_cl_dataset *train, const mlp_cl_dataset *test,
                           const mlp_cl_recipe *recipe, mlp_cl_on_event *on_event, void *user, mlp_cl_error *error) {
  mlp_cl_trainer *trainer = NULL;
  TRY(mlp_cl_trainer_create(network, train, test, recipe, &trainer, error));
  mlp_cl_status status = mlp_cl_trainer_run(trainer, on_event, user, error);
  mlp_cl_trainer_destroy(trainer);
  return status;
}
