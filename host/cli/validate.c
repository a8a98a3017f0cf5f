/* mlp_cl validate: every operation and whole training steps, on the device and on the reference, bit by bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "interrupt.h"
#include "open.h"
#include "output.h"
#include "report.h"

static struct poptOption check_options[] = {OPTION_FLAG("quick", OPTION_QUICK, "small shapes only"), POPT_TABLEEND};

static struct poptOption report_options[] = {
    OPTION_VALUE("report", OPTION_REPORT, "write all that was found to FILE (JSON), to attach to a bug report", "FILE"),
    OPTION_FLAG("force", OPTION_FORCE, "let --report overwrite a file that exists"), POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Checks", check_options), OPTION_GROUP("Result", report_options),
                                    OPTION_GROUP("Device", device_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

typedef struct verdict {
  json_t *checks;
  uint64_t elements, mismatches;
  char first[400];
} verdict;

static bool on_check(const mlp_cl_check *check, void *user) {
  verdict *v = user;
  v->elements += check->elements;
  v->mismatches += check->mismatches;
  if (check->mismatches && !v->first[0]) snprintf(v->first, sizeof v->first, "%s: %s", check->name, check->first);
  json_array_append_new(v->checks, json_pack("{s:o, s:I, s:I, s:I}", "name", report_string(check->name),  //
                                             "elements", (json_int_t)check->elements,                     //
                                             "mismatches", (json_int_t)check->mismatches,                 //
                                             "max_ulp", (json_int_t)check->max_ulp));
  if (!report_is_json()) {
    printf("%-28s %12llu  %10llu  %10llu  %8.2f\n", check->name, (unsigned long long)check->elements,
           (unsigned long long)check->mismatches, (unsigned long long)check->max_ulp, check->seconds);
    fflush(stdout);
  }
  return interrupt_signal() == 0;
}

static json_t *result_of(const verdict *v, const mlp_cl_device *device) {
  json_t *object = report_object();
  json_object_set_new(object, "device", report_device(device));
  json_object_set(object, "checks", v->checks);
  json_object_set_new(object, "mismatches", json_integer((json_int_t)v->mismatches));
  json_object_set_new(object, "pass", json_boolean(v->mismatches == 0));
  return object;
}

/* ---- --report ---------------------------------------------------------------------------------------------------- */

/* What a bug report needs beside the result. */
static json_t *full_result(const verdict *v, const mlp_cl_context *context, bool quick) {
  const mlp_cl_device *d = mlp_cl_context_device(context);
  const char *rule = NULL;
  json_t *object = result_of(v, d), *device = json_object_get(object, "device");
  json_object_set_new(object, "quick", json_boolean(quick));
  json_object_set_new(object, "first_mismatch", v->first[0] ? report_string(v->first) : json_null());
  json_object_set_new(device, "driver", report_string(d->driver));
  json_object_set_new(device, "compute_units", json_integer((json_int_t)d->compute_units));
  json_object_set_new(device, "global_memory_bytes", json_integer((json_int_t)d->global_memory_bytes));
  json_object_set_new(device, "local_memory_bytes", json_integer((json_int_t)d->local_memory_bytes));
  json_object_set_new(device, "work_group_size", json_integer((json_int_t)d->work_group_size));
  json_object_set_new(device, "exact", json_boolean(mlp_cl_context_exact(context, &rule)));
  json_object_set_new(device, "broken_rule", rule ? report_string(rule) : json_null());
  return object;
}

static int write_report(const char *path, json_t *object) {
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  bool complete = stream && object && json_dumpf(object, stream, JSON_INDENT(2)) == 0 && putc('\n', stream) != EOF;
  if (stream) complete = fclose(stream) == 0 && complete;
  json_decref(object);
  int status =
      complete ? output_write(path, text, length) : report_failed(MLP_CL_NO_MEMORY, "out of memory for the report");
  free(text);
  return status;
}

/* ---- The run ----------------------------------------------------------------------------------------------------- */

static void print_verdict(const verdict *v) {
  bool pass = v->mismatches == 0;
  printf("\nverdict  %s%s%s: %llu of %llu elements differ from the reference\n", pass ? report_green() : report_red(),
         pass ? "identical" : "DIFFERENT", report_plain(), (unsigned long long)v->mismatches,
         (unsigned long long)v->elements);
}

static int report_verdict(const verdict *v, const mlp_cl_context *context, const options *o, mlp_cl_status result) {
  /* A device that differs has failed what it was asked to show: 1, not the 3 of a training run. */
  int status = result == MLP_CL_OK ? STATUS_OK : STATUS_FAILED;
  const char *path = options_text(o, OPTION_REPORT, NULL);
  if (path) {
    int written = write_report(path, full_result(v, context, options_has(o, OPTION_QUICK)));
    if (written != STATUS_OK) return written;
  }
  if (report_is_json()) return report_json(result_of(v, mlp_cl_context_device(context)), status);
  print_verdict(v);
  return status;
}

static int validate_on(mlp_cl_context *context, const options *o) {
  verdict v = {.checks = json_array()};
  mlp_cl_error error;
  interrupt_defer();
  if (!report_is_json())
    printf("%-28s %12s  %10s  %10s  %8s\n", "operation", "elements", "mismatches", "max ulp", "seconds");
  mlp_cl_status result = mlp_cl_validate(context, options_has(o, OPTION_QUICK), on_check, &v, &error);
  int status = STATUS_OK;
  if (result != MLP_CL_OK && result != MLP_CL_MISMATCH) {
    status = report_failure(&error);
  } else {
    status = report_verdict(&v, context, o, result);
    if (result != MLP_CL_OK) fprintf(stderr, "mlp_cl: first mismatch: %s\n", v.first[0] ? v.first : error.text);
  }
  json_decref(v.checks);
  return status;
}

static int validate(const options *o) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  int status = output_check(o, OPTION_REPORT);
  if (status != STATUS_OK) return status;
  if (open_device(o, &context, &error) != MLP_CL_OK) return report_failure(&error);
  status = validate_on(context, o);
  mlp_cl_context_destroy(context);
  return status;
}

const command validate_command = {
    .name = "validate",
    .summary = "compare every operation on a device with the reference, bit by bit",
    .examples =
        "  mlp_cl validate --device 0\n"
        "  mlp_cl validate --device gpu --quick --json\n"
        "  mlp_cl validate --device gpu --report gpu.json\n",
    .table = table,
    .run = validate,
};
