/* mlp_cl validate: every operation and whole training steps, on the device and on the reference, bit by bit. */
#include <stdio.h>

#include "command.h"
#include "interrupt.h"
#include "open.h"
#include "report.h"

static struct poptOption check_options[] = {OPTION_FLAG("quick", OPTION_QUICK, "small shapes only"), POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Checks", check_options), OPTION_GROUP("Device", device_options),
                                    OPTION_GROUP("Output", output_options), POPT_TABLEEND};

typedef struct verdict {
  json_t *checks; /* NULL for text */
  uint64_t elements, mismatches;
  char first[400];
} verdict;

static bool on_check(const mlp_cl_check *check, void *user) {
  verdict *v = user;
  v->elements += check->elements;
  v->mismatches += check->mismatches;
  if (check->mismatches && !v->first[0]) snprintf(v->first, sizeof v->first, "%s: %s", check->name, check->first);
  if (v->checks) {
    json_array_append_new(v->checks, json_pack("{s:o, s:I, s:I, s:I}", "name", report_string(check->name),  //
                                               "elements", (json_int_t)check->elements,                     //
                                               "mismatches", (json_int_t)check->mismatches,                 //
                                               "max_ulp", (json_int_t)check->max_ulp));
  } else {
    printf("%-28s %12llu  %10llu  %10llu  %8.2f\n", check->name, (unsigned long long)check->elements,
           (unsigned long long)check->mismatches, (unsigned long long)check->max_ulp, check->seconds);
    fflush(stdout);
  }
  return interrupt_signal() == 0;
}

static int print_json(const verdict *v, const mlp_cl_device *device, int status) {
  json_t *object = report_object();
  json_object_set_new(object, "device", report_device(device));
  json_object_set(object, "checks", v->checks);
  json_object_set_new(object, "mismatches", json_integer((json_int_t)v->mismatches));
  json_object_set_new(object, "pass", json_boolean(v->mismatches == 0));
  return report_json(object, status);
}

static void print_verdict(const verdict *v) {
  bool pass = v->mismatches == 0;
  printf("\nverdict  %s%s%s: %llu of %llu elements differ from the reference\n", pass ? report_green() : report_red(),
         pass ? "identical" : "DIFFERENT", report_plain(), (unsigned long long)v->mismatches,
         (unsigned long long)v->elements);
}

static int validate_on(mlp_cl_context *context, bool quick) {
  verdict v = {.checks = report_is_json() ? json_array() : NULL};
  mlp_cl_error error;
  interrupt_defer();
  if (!v.checks) printf("%-28s %12s  %10s  %10s  %8s\n", "operation", "elements", "mismatches", "max ulp", "seconds");
  mlp_cl_status result = mlp_cl_validate(context, quick, on_check, &v, &error);
  int status = STATUS_OK;
  if (result != MLP_CL_OK && result != MLP_CL_MISMATCH) {
    status = report_failure(&error);
  } else {
    /* A device that differs has failed what it was asked to show: 1, not the 3 of a training run. */
    status = result == MLP_CL_OK ? STATUS_OK : STATUS_FAILED;
    if (v.checks)
      status = print_json(&v, mlp_cl_context_device(context), status);
    else
      print_verdict(&v);
    if (result != MLP_CL_OK) fprintf(stderr, "mlp_cl: first mismatch: %s\n", v.first[0] ? v.first : error.text);
  }
  json_decref(v.checks);
  return status;
}

static int validate(const options *o) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  if (open_device(o, &context, &error) != MLP_CL_OK) return report_failure(&error);
  int status = validate_on(context, options_has(o, OPTION_QUICK));
  mlp_cl_context_destroy(context);
  return status;
}

const command validate_command = {
    .name = "validate",
    .summary = "compare every operation on a device with the reference, bit by bit",
    .examples =
        "  mlp_cl validate --device 0\n"
        "  mlp_cl validate --device gpu --quick --json\n",
    .table = table,
    .run = validate,
};
