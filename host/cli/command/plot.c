/* mlp_cl plot: the curves of runs that were logged, beside each other. */
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "picture/chart.h"
#include "terminal/output.h"
#include "terminal/report.h"

enum { RUNS_MAX = 64 };

static struct poptOption result_options[] = {
    OPTION_VALUE("out", OPTION_OUT, "write the picture to FILE (SVG)", "FILE"),
    OPTION_FLAG("force", OPTION_FORCE, "let --out overwrite a file that exists"), POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Result", result_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

static int print_json(const char *out, const curve *runs, size_t count) {
  json_t *object = report_object(), *list = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(
        list, json_pack("{s:o, s:I}", "name", report_string(runs[i].name), "epochs", (json_int_t)runs[i].epochs.count));
  json_object_set_new(object, "wrote", report_string(out));
  json_object_set_new(object, "runs", list);
  return report_json(object, STATUS_OK);
}

static int plot(const options *o) {
  const char *out = options_text(o, OPTION_OUT, NULL);
  curve runs[RUNS_MAX];
  size_t count = 0;
  if (!o->operand) return report_usage("which runs? name files that 'mlp_cl train --log FILE.jsonl' wrote");
  if (!out) return report_usage("where to? name the file to write: --out FILE.svg");
  if (o->operands_count > RUNS_MAX) return report_usage("%zu runs are too many; give %d", o->operands_count, RUNS_MAX);
  int status = output_check(o, OPTION_OUT);
  while (status == STATUS_OK && count < o->operands_count) {
    status = curve_read(o->operands[count], &runs[count]);
    count++;
  }
  char title[40];
  snprintf(title, sizeof title, "%zu runs", count);
  if (status == STATUS_OK) status = chart_write(out, count == 1 ? runs[0].name : title, runs, count);
  if (status == STATUS_OK && report_is_json()) status = print_json(out, runs, count);
  for (size_t i = 0; i < count; i++) curve_free(&runs[i]);
  return status;
}

const command plot_command = {
    .name = "plot",
    .summary = "draw the curves of logged runs beside each other, as SVG",
    .operand = "RUN.jsonl...",
    .examples =
        "  mlp_cl train --lr 0.02 --log slow.jsonl; mlp_cl train --lr 0.1 --log fast.jsonl\n"
        "  mlp_cl plot slow.jsonl fast.jsonl --out rates.svg\n",
    .table = table,
    .run = plot,
};
