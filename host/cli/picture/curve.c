/* See curve.h. */
#include "picture/curve.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "terminal/report.h"

enum { LINE_BYTES_MAX = 1 << 26 }; /* a whole run as one object */

curve curve_begin(void) {
  return (curve){.diverged = NAN};
}

void curve_free(curve *c) {
  free(c->name);
  free(c->epochs.at);
  free(c->steps.at);
  *c = curve_begin();
}

static bool append(curve_points *points, const curve_point *point) {
  while (points->count > 0 && points->at[points->count - 1].epoch >= point->epoch) points->count--;
  if (points->count == points->room) {
    size_t room = points->room ? 2 * points->room : 64;
    curve_point *grown = realloc(points->at, room * sizeof *grown);
    if (!grown) return false;
    points->at = grown;
    points->room = room;
  }
  points->at[points->count++] = *point;
  return true;
}

bool curve_add(curve *c, const mlp_cl_event *event) {
  curve_point point = {event->epoch, event->train_loss, event->train_accuracy, NAN, NAN};
  if (event->kind == MLP_CL_EVENT_EPOCH) {
    if (event->has_test) point.test_loss = event->test_loss;
    if (event->has_test) point.test_accuracy = event->test_accuracy;
    return append(&c->epochs, &point);
  }
  if (event->kind != MLP_CL_EVENT_STEP || !isfinite(event->train_loss) || event->steps == 0) return true;
  point.epoch = (double)event->step / (double)event->steps * event->epochs;
  return append(&c->steps, &point);
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static double number_of(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  return json_is_number(value) && isfinite(json_number_value(value)) ? json_number_value(value) : NAN;
}

/* What is held out goes by one name of two. */
static double held_out_of(const json_t *object, const char *test, const char *validation) {
  return number_of(object, json_object_get(object, validation) ? validation : test);
}

/* False without memory. */
static bool take_point(curve_points *points, const json_t *object, double epoch) {
  if (!(epoch >= 0 && epoch <= 1e9)) return true;
  const curve_point point = {epoch, number_of(object, "train_loss"), number_of(object, "train_accuracy"),
                             held_out_of(object, "test_loss", "validation_loss"),
                             held_out_of(object, "test_accuracy", "validation_accuracy")};
  return append(points, &point);
}

static bool is_word(const json_t *object, const char *key, const char *word) {
  const char *value = json_string_value(json_object_get(object, key));
  return value && strcmp(value, word) == 0;
}

static bool take_object(curve *c, const json_t *object) {
  const json_t *epochs = json_object_get(object, "epochs");
  if (is_word(object, "task", "regression")) c->regression = true;
  for (size_t i = 0; i < json_array_size(epochs); i++) { /* the result of train --json */
    const json_t *epoch = json_array_get(epochs, i);
    if (!take_point(&c->epochs, epoch, number_of(epoch, "epoch"))) return false;
  }
  if (is_word(object, "event", "epoch")) return take_point(&c->epochs, object, number_of(object, "epoch"));
  if (is_word(object, "event", "step")) return take_point(&c->steps, object, number_of(object, "position"));
  if (is_word(object, "event", "end"))
    c->diverged = is_word(object, "status", "DIVERGED") ? number_of(object, "position") : NAN;
  return true;
}

/* A line that was cut when a run was killed is left out. */
static int read_lines(FILE *stream, const char *path, curve *c) {
  char *line = NULL;
  size_t room = 0, number = 0, objects = 0, bad = 0;
  ssize_t length;
  int status = STATUS_OK;
  while (status == STATUS_OK && (length = getline(&line, &room, stream)) >= 0) {
    number++;
    json_t *object = length > LINE_BYTES_MAX ? NULL : json_loadb(line, (size_t)length, 0, NULL);
    if (!json_is_object(object))
      bad = strspn(line, " \t\r\n") < (size_t)length ? number : bad;
    else if (++objects && !take_object(c, object))
      status = report_failed(MLP_CL_NO_MEMORY, "out of memory for %s", path);
    json_decref(object);
    if (bad && objects == 0)
      status =
          report_failed(MLP_CL_BAD_FILE, "%s: line 1 is no JSON object; 'mlp_cl train --log' writes such files", path);
  }
  free(line);
  if (status == STATUS_OK && ferror(stream))
    status = report_failed(MLP_CL_IO, "%s: cannot read: %s", path, strerror(errno));
  if (status == STATUS_OK && bad) report_note("%s: line %zu is not whole and was left out", path, bad);
  return status;
}

static bool is_empty(const curve *c) {
  return c->epochs.count == 0 && c->steps.count == 0 && isnan(c->diverged);
}

int curve_read(const char *path, curve *c) {
  struct stat info;
  *c = curve_begin();
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
    return report_failed(MLP_CL_BAD_FILE, "%s is a folder; name a file of 'mlp_cl train --log'", path);
  FILE *stream = fopen(path, "r");
  if (!stream) return report_failed(MLP_CL_IO, "%s: cannot open: %s", path, strerror(errno));
  int status = read_lines(stream, path, c);
  fclose(stream);
  if (status == STATUS_OK && is_empty(c))
    status = report_failed(MLP_CL_BAD_FILE, "%s: tells of no epoch; 'mlp_cl train --log' writes such files", path);
  if (status != STATUS_OK) return status;
  const char *slash = strrchr(path, '/');
  c->name = strdup(slash ? slash + 1 : path);
  return c->name ? STATUS_OK : report_failed(MLP_CL_NO_MEMORY, "out of memory for the name of the log");
}
