/* mlp_cl tune: looks for the fastest parameters of a device's kernels and has them remembered. Each candidate is tried
 * by a process of its own (attempt.c), since drivers hang and crash on kernels that are only a little unusual. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/attempt.h"
#include "command/command.h"
#include "input/device.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"
#include "terminal/report.h"

static struct poptOption search_options[] = {
    OPTION_ROWS_MEASURED,
    OPTION_VALUE("most", OPTION_MOST, "try so many candidates at most, the default's included (default: all)", "N"),
    OPTION_VALUE("limit", OPTION_LIMIT, "seconds for a candidate, compiling included (default: 60)", "SECONDS"),
    OPTION_FLAG("forget", OPTION_FORGET, "go back to the default, without a search"),
    {"try", '\0', POPT_ARG_STRING | POPT_ARGFLAG_DOC_HIDDEN, NULL, OPTION_TRY, NULL, NULL},
    {"keep", '\0', POPT_ARG_NONE | POPT_ARGFLAG_DOC_HIDDEN, NULL, OPTION_KEEP, NULL, NULL},
    POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Search", search_options), OPTION_GROUP("Device", device_options),
                                    OPTION_GROUP("Output", output_options), POPT_TABLEEND};

enum { CANDIDATES_MAX = 64, CONFIRMED_MOST = 3, ROUNDS = 3 };
/* What is not faster by more than this is left, since measurements differ by as much. */
static const double worth_it = 1.02;

typedef struct candidate {
  char tuning[MLP_CL_TUNING_BYTES];
  attempt attempt;
  double speed; /* times the default's; NaN when it failed */
  bool refuted; /* by another try of both */
} candidate;

typedef struct search {
  const options *options;
  candidate candidates[CANDIDATES_MAX];
  size_t count;
  double limit_s;
  progress progress;
} search;

/* ---- The search -------------------------------------------------------------------------------------------------- */

/* The geometric mean over the networks. */
static double speed_beside(const attempt *a, const attempt *base) {
  double logarithms = 0;
  if (a->failure[0] || base->failure[0] || a->count != base->count) return NAN;
  for (size_t i = 0; i < a->count; i++) logarithms += log(base->step_us[i] / a->step_us[i]);
  return exp(logarithms / (double)a->count);
}

static void announce(search *s, const char *what, size_t number) {
  if (!s->progress.live) return;
  fprintf(stderr, "\r\033[K%s %zu of %zu: %s", what, number + 1, s->count, s->candidates[number].tuning);
  fflush(stderr);
  s->progress.shown = true;
}

static void print_candidate(const search *s, const candidate *c) {
  if (report_is_json()) return;
  if (c->attempt.failure[0])
    printf("%7s  %-44s %s\n", "-", c->tuning, c->attempt.failure);
  else
    printf("%7.3f  %-44s%s\n", c->speed, c->tuning, c == s->candidates ? " default" : "");
  fflush(stdout);
}

/* False when the user has stopped it. */
static bool try_all(search *s) {
  for (size_t i = 0; i < s->count; i++) {
    candidate *c = &s->candidates[i];
    announce(s, "trying", i);
    attempt_run(s->options, c->tuning, false, s->limit_s, &c->attempt);
    progress_clear(&s->progress);
    if (interrupt_signal()) return false;
    /* Where the default fails, what works is compared with the first that does. */
    const attempt *base = &c->attempt;
    for (size_t j = 0; j < i && base == &c->attempt; j++)
      if (!s->candidates[j].attempt.failure[0]) base = &s->candidates[j].attempt;
    c->speed = speed_beside(&c->attempt, base);
    print_candidate(s, c);
  }
  return true;
}

/* Of those that are not refuted. */
static size_t find_fastest(const search *s) {
  size_t best = 0;
  for (size_t i = 1; i < s->count; i++) {
    const candidate *c = &s->candidates[i];
    if (isfinite(c->speed) && !c->refuted &&
        (!isfinite(s->candidates[best].speed) || c->speed > s->candidates[best].speed))
      best = i;
  }
  return best;
}

/* The machine may have been busy while one of the two was tried: both again, in turns. *speed is the least. */
static bool confirm(search *s, size_t best, double *speed) {
  *speed = s->candidates[best].speed;
  for (int round = 0; round < ROUNDS && *speed >= worth_it && !interrupt_signal(); round++) {
    attempt usual, found;
    announce(s, "confirming", best);
    attempt_run(s->options, s->candidates[0].tuning, false, s->limit_s, &usual);
    attempt_run(s->options, s->candidates[best].tuning, false, s->limit_s, &found);
    progress_clear(&s->progress);
    double again = speed_beside(&found, &usual);
    if (!isfinite(again)) return false;
    if (again < *speed) *speed = again;
  }
  return *speed >= worth_it;
}

/* One of the fastest that is faster than the default each time, or the default. */
static size_t find_better(search *s, double *speed) {
  size_t best = find_fastest(s);
  *speed = s->candidates[best].speed;
  if (s->candidates[0].attempt.failure[0]) return best;
  for (int tries = 0; best != 0 && tries < CONFIRMED_MOST; tries++) {
    if (confirm(s, best, speed)) return best;
    s->candidates[best].refuted = true;
    best = find_fastest(s);
  }
  *speed = s->candidates[0].speed;
  return 0;
}

/* ---- The result -------------------------------------------------------------------------------------------------- */

static json_t *candidates_json(const search *s) {
  json_t *list = json_array();
  for (size_t i = 0; i < s->count; i++) {
    const candidate *c = &s->candidates[i];
    json_t *steps = json_array(), *row = json_object();
    for (size_t k = 0; k < c->attempt.count; k++) json_array_append_new(steps, report_number(c->attempt.step_us[k]));
    json_object_set_new(row, "tuning", json_string(c->tuning));
    json_object_set_new(row, "step_us", steps);
    json_object_set_new(row, "speed", report_number(c->speed));
    json_object_set_new(row, "failure", c->attempt.failure[0] ? report_string(c->attempt.failure) : json_null());
    json_array_append_new(list, row);
  }
  return list;
}

static int report_result(const search *s, const mlp_cl_device *device, size_t best, double speed) {
  const bool kept = best != 0;
  const candidate *c = &s->candidates[best];
  if (report_is_json()) {
    json_t *object = report_object();
    json_object_set_new(object, "device", report_device(device));
    json_object_set_new(object, "candidates", candidates_json(s));
    json_object_set_new(object, "tuning", json_string(c->tuning));
    json_object_set_new(object, "speed", report_number(speed));
    json_object_set_new(object, "kept", json_boolean(kept));
    return report_json(object, STATUS_OK);
  }
  if (kept)
    printf(
        "\n%s\n%.2f times as fast as the default, same bits as the reference: remembered for this device and driver\n",
        c->tuning, speed);
  else
    printf("\nthe default is as fast as any, and is used from now on\n");
  return STATUS_OK;
}

static int keep(search *s, const mlp_cl_device *device, size_t best, double speed) {
  attempt kept;
  announce(s, "comparing bits of", best);
  attempt_run(s->options, s->candidates[best].tuning, true, 10 * s->limit_s, &kept);
  progress_clear(&s->progress);
  if (interrupt_signal()) return report_failed(MLP_CL_CANCELLED, "stopped on request");
  if (kept.failure[0])
    return report_failed(MLP_CL_MISMATCH, "%s is fastest and cannot be used: %s", s->candidates[best].tuning,
                         kept.failure);
  return report_result(s, device, best, speed);
}

static int run_search(search *s, const mlp_cl_context *context) {
  const mlp_cl_device *device = mlp_cl_context_device(context);
  if (!report_is_json()) printf("%7s  %s\n", "speed", "parameters");
  if (!try_all(s)) return report_failed(MLP_CL_CANCELLED, "stopped on request");
  double speed;
  size_t best = find_better(s, &speed);
  if (!isfinite(speed))
    return report_failed(MLP_CL_OPENCL, "no candidate works on %s: %s", device->name, s->candidates[0].attempt.failure);
  if (interrupt_signal()) return report_failed(MLP_CL_CANCELLED, "stopped on request");
  if (best != 0) return keep(s, device, best, speed);
  mlp_cl_error error;
  if (mlp_cl_tuning_forget(context, &error) != MLP_CL_OK) return report_failure(&error);
  return report_result(s, device, 0, speed);
}

/* ---- The command ------------------------------------------------------------------------------------------------- */

static int forget(const mlp_cl_context *context) {
  mlp_cl_error error;
  if (mlp_cl_tuning_forget(context, &error) != MLP_CL_OK) return report_failure(&error);
  report_note("%s uses the default from now on", mlp_cl_context_device(context)->name);
  return report_is_json() ? report_json(report_object(), STATUS_OK) : STATUS_OK;
}

static int search_on(const mlp_cl_context *context, const options *o, size_t most, double limit_s) {
  search *s = calloc(1, sizeof *s);
  if (!s) return report_failed(MLP_CL_NO_MEMORY, "out of memory");
  s->options = o;
  s->limit_s = limit_s;
  s->progress = progress_begin(NULL);
  while (s->count < most && mlp_cl_tuning_candidate(context, s->count, s->candidates[s->count].tuning)) s->count++;
  int status = s->count > 0
                   ? run_search(s, context)
                   : report_failed(MLP_CL_BAD_ARGUMENT, "the reference has nothing to tune: take an OpenCL device");
  free(s);
  return status;
}

static int tune(const options *o) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  measured_network own;
  uint64_t most = CANDIDATES_MAX, limit_s = 60;
  if (!measured_read(o, &own) ||
      !options_unsigned(o, OPTION_MOST, 2, CANDIDATES_MAX, "a number of candidates, 2 to 64", &most) ||
      !options_unsigned(o, OPTION_LIMIT, 1, 86400, "a number of seconds, 1 to 86400", &limit_s))
    return STATUS_USAGE;
  if (options_has(o, OPTION_TRY)) return attempt_answer(o, &own);
  if (open_device(o, &context, &error) != MLP_CL_OK) return report_failure(&error);
  interrupt_defer();
  int status = options_has(o, OPTION_FORGET) ? forget(context) : search_on(context, o, (size_t)most, (double)limit_s);
  mlp_cl_context_destroy(context);
  return status;
}

const command tune_command = {
    .name = "tune",
    .summary = "find the fastest parameters of a device's kernels and remember them",
    .examples =
        "  mlp_cl tune --device 0\n"
        "  mlp_cl tune --device gpu --layers 784,1024,1024,10 --batch 256\n"
        "  mlp_cl tune --device 0 --forget\n",
    .table = table,
    .run = tune,
};
