/* See checkpoint.h. */
#include "train/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "input/model.h"
#include "terminal/interrupt.h"
#include "terminal/output.h"
#include "terminal/report.h"

static const double default_every_s = 60;
enum { WAY_ROOM = 1024 };

struct poptOption checkpoint_options[] = {
    OPTION_VALUE("checkpoint", OPTION_CHECKPOINT, "write the run to FILE from time to time, to resume it from there",
                 "FILE"),
    OPTION_VALUE("checkpoint-every", OPTION_CHECKPOINT_EVERY,
                 "how often: 90s, 10m, 500steps, or a number of epochs (default: 60s)", "N"),
    OPTION_VALUE(
        "resume", OPTION_RESUME,
        "go on from this checkpoint, and into it, with the options that it was last run with, where no others are "
        "given: another device, or more --epochs for one; with the same --checkpoint from the beginning if there is "
        "none yet",
        "FILE"),
    POPT_TABLEEND};

static void list_outputs(const options *o, char *text, size_t room) {
  static const option_id ids[] = {OPTION_OUT,     OPTION_LOG,   OPTION_LOG_EVERY, OPTION_PLOT,
                                  OPTION_PROFILE, OPTION_FORCE, OPTION_VERIFY};
  size_t used = 0;
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
    if (options_has(o, ids[i]))
      used += (size_t)snprintf(text + used, room - used, "%s --%s", used ? "" : ", and the same",
                               options_find(o->table, NULL, (int)ids[i])->longName);
}

bool checkpoint_read(const options *o, checkpoint_plan *plan) {
  static const char *const units[] = {"s", "m", "h", "steps", "step", "epochs", "epoch", "", NULL};
  uint64_t number = 0;
  size_t unit = 0;
  *plan = (checkpoint_plan){.when = {.path = options_text(o, OPTION_CHECKPOINT, NULL), .every_s = default_every_s},
                            .resume = options_text(o, OPTION_RESUME, NULL)};
  list_outputs(o, plan->outputs, sizeof plan->outputs);
  if (!options_has(o, OPTION_CHECKPOINT_EVERY)) return true;
  if (!options_measure(o, OPTION_CHECKPOINT_EVERY, 1000000000, units, "90s, 10m, 500steps or 2epochs", &number, &unit))
    return false;
  if (plan->when.path == NULL)
    return report_usage("--checkpoint-every needs --checkpoint FILE, the file to write"), false;
  plan->when.every_s = unit == 0 ? (double)number : unit == 1 ? 60.0 * (double)number : 3600.0 * (double)number;
  if (unit >= 3) plan->when.every_s = 0;
  if (unit == 3 || unit == 4) plan->when.every_steps = number;
  if (unit >= 5) plan->when.every_epochs = (uint32_t)number;
  return true;
}

static bool is_checkpoint(const char *path) {
  mlp_cl_model_info *info = NULL;
  bool is = mlp_cl_model_info_open(path, &info, NULL) == MLP_CL_OK && model_metadata(info, "mlp_cl.run");
  mlp_cl_model_info_destroy(info);
  return is;
}

static int refuse_existing(const char *path) {
  if (!is_checkpoint(path))
    return report_failed(MLP_CL_IO,
                         "%s exists and is no checkpoint; give another --checkpoint, or --force to overwrite it", path);
  return report_failed(MLP_CL_IO,
                       "%s exists; go on from it with --resume %s, give --force to overwrite it, or another "
                       "--checkpoint",
                       path, path);
}

int checkpoint_check(const options *o, checkpoint_plan *plan) {
  mlp_cl_error error;
  const char *path = plan->when.path;
  if (path == NULL) return STATUS_OK;
  int status = output_check_distinct(o, OPTION_CHECKPOINT);
  if (status != STATUS_OK) return status;
  if (mlp_cl_check_output(path, &error) != MLP_CL_OK) return report_failure(&error);
  bool exists = access(path, F_OK) == 0, same = plan->resume != NULL && output_same_place(path, plan->resume);
  if (exists && !same && !options_has(o, OPTION_FORCE)) return refuse_existing(path);
  plan->when.keep_existing = !(exists && same) && !options_has(o, OPTION_FORCE);
  if (!exists && same) {
    report_note("%s is not there yet: beginning from the start", path);
    plan->resume = NULL;
  }
  return STATUS_OK;
}

/* As a shell takes it for one word; `room` is for the usual path. */
static const char *quote(const char *path, char *buffer, size_t room) {
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%";
  if (path[strspn(path, safe)] == '\0') return path;
  size_t used = (size_t)snprintf(buffer, room, "'");
  for (; *path && used + 6 < room; path++)
    used += (size_t)snprintf(buffer + used, room - used, *path == '\'' ? "'\\''" : "%c", *path);
  snprintf(buffer + used, room - used, "'");
  return buffer;
}

const char *checkpoint_way_on(const checkpoint_plan *plan, const char *path, char *buffer, size_t room) {
  char quoted[WAY_ROOM];
  if (plan->when.note)
    snprintf(buffer, room, "go on with: mlp_cl train --resume %s%s", quote(path, quoted, sizeof quoted), plan->outputs);
  else
    snprintf(buffer, room, "go on with the same command and --resume %s", quote(path, quoted, sizeof quoted));
  return buffer;
}

void checkpoint_explain(const checkpoint_plan *plan, uint64_t step, uint64_t steps, uint64_t kept, const char *kept_in,
                        mlp_cl_error *error) {
  size_t used = strlen(error->text);
  const char *path = kept_in != NULL ? kept_in : plan->when.path != NULL ? plan->when.path : plan->resume;
  if (error->status == MLP_CL_CANCELLED)
    used = (size_t)snprintf(error->text, sizeof error->text, "%s after step %" PRIu64 " of %" PRIu64, interrupt_text,
                            step, steps);
  char *end = error->text + used;
  size_t room = sizeof error->text - used;
  if (kept == UINT64_MAX) {
    if (error->status == MLP_CL_CANCELLED) snprintf(end, room, "; nothing is kept: --checkpoint FILE would have");
  } else if (error->status == MLP_CL_DIVERGED) {
    snprintf(end, room, "; %s holds step %" PRIu64 ", before that: begin anew with --init-from %s and a lower --lr",
             path, kept, path);
  } else {
    char way[WAY_ROOM];
    snprintf(end, room, "; %s holds step %" PRIu64 ": %s%s", path, kept, checkpoint_way_on(plan, path, way, sizeof way),
             error->status == MLP_CL_CANCELLED ? "" : ", if need be on another --device");
  }
}
