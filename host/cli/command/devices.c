/* mlp_cl devices: what there is, and whether it keeps the numerics contract: each device is opened and tested. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "terminal/report.h"

static struct poptOption table[] = {OPTION_GROUP("Device", device_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

typedef struct tested {
  bool usable, exact;
  char text[2048]; /* the rule that failed, or why it could not be opened */
} tested;

/* Opens the device and keeps the self-test's verdict. `found` (or NULL) gets what was opened. */
static tested test_device(const char *name, const options *o, mlp_cl_device *found, mlp_cl_error *error) {
  const mlp_cl_context_options how = {.allow_inexact = true, .kernels = options_text(o, OPTION_KERNELS, NULL)};
  mlp_cl_context *context = NULL;
  tested t = {0};
  if (mlp_cl_context_create(name, &how, &context, error) != MLP_CL_OK) {
    snprintf(t.text, sizeof t.text, "%s", error->text);
    t.text[strcspn(t.text, "\n")] = '\0';
    return t;
  }
  const char *rule = NULL;
  t.usable = true;
  t.exact = mlp_cl_context_exact(context, &rule);
  if (!t.exact) snprintf(t.text, sizeof t.text, "%s", rule ? rule : "?");
  if (found) *found = *mlp_cl_context_device(context);
  mlp_cl_context_destroy(context);
  return t;
}

static const char *type_name(mlp_cl_device_type type) {
  switch (type) {
    case MLP_CL_DEVICE_REFERENCE: return "reference";
    case MLP_CL_DEVICE_CPU: return "cpu";
    case MLP_CL_DEVICE_GPU: return "gpu";
    default: return "accelerator";
  }
}

static void print_row(const mlp_cl_device *d, const tested *t) {
  const char *colour = t->exact ? report_green() : report_red();
  printf("%5d  %-11s  %s%-8s%s  %8.1f  %5u  %s (%s, %s)\n", d->index, type_name(d->type), colour,
         t->exact    ? "exact"
         : t->usable ? "inexact"
                     : "unusable",
         report_plain(), (double)d->global_memory_bytes / (1 << 30), d->compute_units, d->name, d->platform, d->driver);
  if (t->text[0])
    printf(t->usable ? "%14sbreaks the rule \"%s\" of the numerics contract: only with --allow-inexact\n" : "%14s%s\n",
           "", t->text);
  fflush(stdout);
}

static json_t *json_row(const mlp_cl_device *d, const tested *t) {
  json_t *row = json_pack("{s:i, s:o, s:o, s:s, s:o, s:I, s:I, s:b}", "index", d->index,  //
                          "platform", report_string(d->platform),                         //
                          "name", report_string(d->name),                                 //
                          "type", type_name(d->type),                                     //
                          "driver", report_string(d->driver),                             //
                          "compute_units", (json_int_t)d->compute_units,                  //
                          "global_memory_bytes", (json_int_t)d->global_memory_bytes,      //
                          "exact", t->exact);
  if (t->text[0]) json_object_set_new(row, t->usable ? "broken_rule" : "problem", report_string(t->text));
  return row;
}

static int list(const mlp_cl_device *devices, const tested *verdicts, size_t count) {
  json_t *rows = json_array();
  if (!report_is_json()) printf("index  type         self-test  GiB  units  name (platform, driver)\n");
  for (size_t i = 0; i < count; i++) {
    if (report_is_json())
      json_array_append_new(rows, json_row(&devices[i], &verdicts[i]));
    else
      print_row(&devices[i], &verdicts[i]);
  }
  if (!report_is_json()) {
    json_decref(rows);
    report_note("beside these there is --device reference, plain C on this machine's CPU");
    return STATUS_OK;
  }
  json_t *object = report_object();
  json_object_set_new(object, "devices", rows);
  return report_json(object, STATUS_OK);
}

/* With --device: that one alone. */
static int one_device(const options *o) {
  mlp_cl_device device;
  mlp_cl_error error;
  tested t = test_device(options_text(o, OPTION_DEVICE, NULL), o, &device, &error);
  return t.usable ? list(&device, &t, 1) : report_failure(&error);
}

static int all_devices(const options *o) {
  mlp_cl_error error;
  mlp_cl_device *devices = NULL;
  size_t count = 0;
  mlp_cl_status status = mlp_cl_devices(&devices, &count, &error);
  if (status != MLP_CL_OK) return report_failure(&error);
  if (count == 0) return one_device(o); /* which says why there is none */
  tested *verdicts = calloc(count, sizeof *verdicts);
  for (size_t i = 0; verdicts && i < count; i++) {
    char index[16];
    snprintf(index, sizeof index, "%d", devices[i].index);
    verdicts[i] = test_device(index, o, NULL, &error);
  }
  int result = verdicts ? list(devices, verdicts, count)
                        : report_failed(MLP_CL_NO_MEMORY, "out of memory for %zu devices", count);
  free(verdicts);
  free(devices);
  return result;
}

static int run_devices(const options *o) {
  return options_has(o, OPTION_DEVICE) ? one_device(o) : all_devices(o);
}

const command devices_command = {
    .name = "devices",
    .summary = "list the devices and test whether they keep the numerics contract",
    .examples =
        "  mlp_cl devices\n"
        "  mlp_cl devices --json\n"
        "  RUSTICL_ENABLE=llvmpipe mlp_cl devices\n",
    .table = table,
    .run = run_devices,
};
