/* See record.h. */
#include "train/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture/chart.h"
#include "terminal/output.h"
#include "terminal/report.h"

struct poptOption record_options[] = {
    OPTION_VALUE("log", OPTION_LOG, "append a line of JSON to FILE for every epoch", "FILE"),
    OPTION_VALUE("log-every", OPTION_LOG_EVERY, "log, and plot, the loss of every N steps, too", "N"),
    OPTION_VALUE("plot", OPTION_PLOT, "draw loss and accuracy by epoch to FILE (SVG)", "FILE"), POPT_TABLEEND};

/* A run goes on from a checkpoint and may replace it, but not by these. */
static int check_resumed(const options *o) {
  static const option_id ids[] = {OPTION_LOG, OPTION_PLOT};
  const char *resumed = options_text(o, OPTION_RESUME, NULL);
  for (size_t i = 0; resumed && i < sizeof ids / sizeof *ids; i++) {
    const char *path = options_text(o, ids[i], NULL);
    if (path && output_same_place(path, resumed))
      return report_usage("%s is named twice; give --log and --plot files of their own", path);
  }
  return STATUS_OK;
}

int record_begin(const options *o, bool resumed, record *r) {
  *r = (record){.curve = curve_begin(), .picture = options_text(o, OPTION_PLOT, NULL)};
  int status = check_resumed(o);
  if (status == STATUS_OK) status = output_check_distinct(o, OPTION_LOG);
  if (status == STATUS_OK && options_has(o, OPTION_LOG_EVERY) && !options_has(o, OPTION_LOG) &&
      !options_has(o, OPTION_PLOT))
    return report_usage("--log-every needs --log or --plot: where should it go?");
  if (status == STATUS_OK) status = resumed ? output_check_distinct(o, OPTION_PLOT) : output_check(o, OPTION_PLOT);
  return status == STATUS_OK ? log_open(options_text(o, OPTION_LOG, NULL), &r->log) : status;
}

/* "digits: 64 - 32 - 10" */
static void set_title(record *r, const char *data, const size_t *widths, size_t count) {
  size_t room = sizeof r->title, used = (size_t)snprintf(r->title, room, "%.60s:", data);
  for (size_t i = 0; i < count && used < room; i++)
    used += (size_t)snprintf(r->title + used, room - used, i ? " - %zu" : " %zu", widths[i]);
}

void record_start(record *r, const options *o, const mlp_cl_device *device, const plan *p, const run_data *data) {
  size_t count = 0;
  size_t *widths = plan_widths(p, data->train, &count);
  if (!widths) count = 0;
  const char *source = options_text(o, OPTION_DATA, "digits"), *slash = strrchr(source, '/');
  set_title(r, slash && slash[1] ? slash + 1 : source, widths, count);
  r->curve.regression = p->task == MLP_CL_REGRESSION;
  r->score = r->curve.regression ? "R2" : "accuracy";
  r->part = data->judge ? "valid" : "test";
  r->log.validates = data->judge != NULL;
  log_start(&r->log, o, device, p->task, widths, count);
  free(widths);
}

void record_abandon(record *r) {
  (void)log_close(&r->log);
  curve_free(&r->curve);
}

void record_event(record *r, const mlp_cl_event *event) {
  r->last = *event;
  r->epochs += event->kind == MLP_CL_EVENT_EPOCH;
  log_event(&r->log, event);
  if (r->picture && !curve_add(&r->curve, event)) r->out_of_memory = true;
}

static int draw(record *r) {
  if (r->out_of_memory) return report_failed(MLP_CL_NO_MEMORY, "out of memory for the picture %s", r->picture);
  if (r->curve.epochs.count > 0 || !isnan(r->curve.diverged)) return chart_write(r->picture, r->title, &r->curve, 1);
  report_note("no epoch is complete: nothing to draw in %s", r->picture);
  return STATUS_OK;
}

int record_end(record *r, const mlp_cl_error *error, const char *sha256, int status) {
  bool diverged = error && error->status == MLP_CL_DIVERGED;
  if (diverged) r->curve.diverged = r->last.steps ? (double)r->last.step / (double)r->last.steps * r->last.epochs : 0;
  log_end(&r->log, &r->last, error, sha256);
  int ended = log_close(&r->log) ? STATUS_OK : report_failed(MLP_CL_IO, "lines are missing in the log");
  if (r->picture) {
    int drawn = draw(r);
    if (ended == STATUS_OK) ended = drawn;
  }
  curve_free(&r->curve);
  return status == STATUS_OK ? ended : status;
}
