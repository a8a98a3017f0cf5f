/* See log.h. */
#include "train/log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "terminal/report.h"

/* What the first line of every log begins with. */
static const char beginning[] = "{\"event\":\"";

/* True when the file is empty or a log; *cut tells that its last line has no end. */
static bool is_log(int file, off_t bytes, bool *cut) {
  char start[sizeof beginning] = "", last = '\n';
  if (bytes == 0) return true;
  if (pread(file, start, sizeof beginning - 1, 0) < 0 || pread(file, &last, 1, bytes - 1) < 0) return false;
  *cut = last != '\n';
  return strcmp(start, beginning) == 0;
}

static int refuse(run_log *log, mlp_cl_status status, const char *why) {
  int reported = report_failed(status, "--log %s: %s", log->path, why);
  if (log->file >= 0) close(log->file);
  log->path = NULL;
  return reported;
}

/* Ends a line that was cut. */
static bool end_line(run_log *log) {
  if (log->cut && write(log->file, "\n", 1) != 1) return false;
  log->cut = false;
  return true;
}

int log_open(const char *path, run_log *log) {
  *log = (run_log){.path = path, .file = -1};
  if (!path) return STATUS_OK;
  log->file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  struct stat info;
  if (log->file < 0 || fstat(log->file, &info) != 0) return refuse(log, MLP_CL_IO, strerror(errno));
  if (!S_ISREG(info.st_mode)) return refuse(log, MLP_CL_BAD_ARGUMENT, "is not a regular file");
  if (!is_log(log->file, info.st_size, &log->cut))
    return refuse(log, MLP_CL_BAD_FILE, "holds something else; a log is only appended to a log");
  if (!end_line(log)) return refuse(log, MLP_CL_IO, strerror(errno));
  return STATUS_OK;
}

/* One write for each line, so that lines of two runs do not mix. Takes `object`. */
static void write_line(run_log *log, json_t *object) {
  char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL, *line = NULL;
  int length = text ? asprintf(&line, "%s\n", text) : -1;
  errno = length < 0 ? ENOMEM : ENOSPC; /* which a write that is cut short does not say */
  ssize_t got = length >= 0 && end_line(log) ? write(log->file, line, (size_t)length) : -1;
  bool written = got >= 0 && got == length;
  log->cut = log->cut || (got > 0 && got < length);
  if (!written && !log->failed)
    report_note("warning: --log %s: %s; lines will be missing, the run goes on", log->path, strerror(errno));
  log->failed = log->failed || !written;
  if (length >= 0) free(line);
  free(text);
  json_decref(object);
}

void log_start(run_log *log, const options *o, const mlp_cl_device *device, mlp_cl_task task, const size_t *widths,
               size_t widths_count) {
  if (!log->path) return;
  json_t *given = json_object(), *layers = json_array();
  for (int id = 0; id < OPTION_COUNT; id++) {
    const struct poptOption *row = o->text[id] ? options_find(o->table, NULL, id) : NULL;
    if (!row) continue;
    bool flag = row->argInfo == POPT_ARG_NONE;
    json_object_set_new(given, row->longName, flag ? json_true() : report_string(o->text[id]));
  }
  for (size_t i = 0; i < widths_count; i++) json_array_append_new(layers, json_integer((json_int_t)widths[i]));
  char began[32] = "";
  time_t now = time(NULL);
  struct tm parts;
  if (gmtime_r(&now, &parts)) strftime(began, sizeof began, "%Y-%m-%dT%H:%M:%SZ", &parts);
  write_line(log, json_pack("{s:s, s:s, s:i, s:s, s:o, s:s, s:o, s:o}", "event", "start", "version", mlp_cl_version(),
                            "contract", mlp_cl_numerics_version(), "time", began, "device", report_device(device),
                            "task", mlp_cl_task_name(task), "layers", layers, "options", given));
}

/* How far the run is, in epochs. */
static double position(const mlp_cl_event *event) {
  return event->steps ? (double)event->step / (double)event->steps * event->epochs : 0;
}

void log_event(run_log *log, const mlp_cl_event *event) {
  bool epoch = event->kind == MLP_CL_EVENT_EPOCH;
  if (!log->path || (!epoch && (event->kind != MLP_CL_EVENT_STEP || isnan(event->train_loss)))) return;
  json_t *object =
      json_pack("{s:s, s:I, s:I, s:f, s:o, s:o}", "event", epoch ? "epoch" : "step", "epoch", (json_int_t)event->epoch,
                "step", (json_int_t)event->step, "position", position(event), "train_loss",
                report_number(event->train_loss), "train_accuracy", report_number(event->train_accuracy));
  if (event->has_test) {
    json_object_set_new(object, log->validates ? "validation_loss" : "test_loss", report_number(event->test_loss));
    json_object_set_new(object, log->validates ? "validation_accuracy" : "test_accuracy",
                        report_number(event->test_accuracy));
  }
  json_object_set_new(object, "seconds", report_number(event->seconds));
  write_line(log, object);
}

void log_end(run_log *log, const mlp_cl_event *last, const mlp_cl_error *error, const char *sha256) {
  if (!log->path) return;
  json_t *object = json_pack("{s:s, s:s, s:I, s:f, s:f}", "event", "end", "status",
                             mlp_cl_status_name(error ? error->status : MLP_CL_OK), "step", (json_int_t)last->step,
                             "position", position(last), "seconds", last->seconds);
  if (error) json_object_set_new(object, "message", report_string(error->text));
  if (sha256) json_object_set_new(object, "weights_sha256", json_string(sha256));
  write_line(log, object);
}

bool log_close(run_log *log) {
  if (!log->path) return true;
  bool good = close(log->file) == 0 && !log->failed;
  log->path = NULL;
  return good;
}
