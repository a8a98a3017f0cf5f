/* mlp_cl validate: every operation and whole training steps, on the device and on the reference, bit by bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "command/command.h"
#include "input/device.h"
#include "terminal/interrupt.h"
#include "terminal/output.h"
#include "terminal/report.h"

static struct poptOption check_options[] = {
    OPTION_FLAG("quick", OPTION_QUICK, "small shapes only"),
    OPTION_VALUE(
        "tolerance", OPTION_TOLERANCE,
        "count as mismatches only what is more than ULP units in the last place apart; goes with --allow-inexact",
        "ULP"),
    POPT_TABLEEND};

static struct poptOption report_options[] = {
    OPTION_VALUE("report", OPTION_REPORT, "write all that was found to FILE (JSON), to attach to a bug report", "FILE"),
    OPTION_FLAG("force", OPTION_FORCE, "let --report overwrite a file that exists"), POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Checks", check_options), OPTION_GROUP("Result", report_options),
                                    OPTION_GROUP("Device", device_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

/* The checks of one operation are one line of the table: those whose names begin with the same word. */
typedef struct group {
  char name[32];
  uint64_t elements, mismatches, max_ulp;
  double seconds;
  char first[400]; /* mismatch; "" without */
} group;

typedef struct verdict {
  json_t *checks;
  group group, total;
  uint64_t tolerance;
} verdict;

static void add(group *g, const mlp_cl_check *check) {
  g->elements += check->elements;
  g->mismatches += check->mismatches;
  g->seconds += check->seconds;
  if (check->max_ulp > g->max_ulp) g->max_ulp = check->max_ulp;
  if (check->mismatches && !g->first[0]) snprintf(g->first, sizeof g->first, "%s: %s", check->name, check->first);
}

static void print_group(const group *g) {
  if (!g->name[0] || report_is_json()) return;
  char ulp[24] = "NaN";
  if (g->max_ulp != UINT64_MAX) snprintf(ulp, sizeof ulp, "%llu", (unsigned long long)g->max_ulp);
  printf("%-16s %12llu  %10llu  %20s  %8.2f\n", g->name, (unsigned long long)g->elements,
         (unsigned long long)g->mismatches, ulp, g->seconds);
  fflush(stdout);
}

static json_t *json_check(const mlp_cl_check *check) {
  json_t *object =
      json_pack("{s:o, s:I, s:I, s:o, s:f}", "name", report_string(check->name),  //
                "elements", (json_int_t)check->elements,                          //
                "mismatches", (json_int_t)check->mismatches,                      //
                "max_ulp", check->max_ulp == UINT64_MAX ? json_null() : json_integer((json_int_t)check->max_ulp),
                "seconds", check->seconds);
  if (check->mismatches) json_object_set_new(object, "first_mismatch", report_string(check->first));
  return object;
}

static bool on_check(const mlp_cl_check *check, void *user) {
  verdict *v = user;
  char name[sizeof v->group.name];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(check->name, " ,"), check->name);
  if (strcmp(name, v->group.name) != 0) {
    print_group(&v->group);
    v->group = (group){0};
    memcpy(v->group.name, name, sizeof name);
  }
  add(&v->group, check);
  add(&v->total, check);
  json_array_append_new(v->checks, json_check(check));
  return interrupt_signal() == 0;
}

static json_t *result_of(const verdict *v, const mlp_cl_context *context) {
  json_t *object = report_object(), *device = report_device(mlp_cl_context_device(context));
  report_contract(device, context);
  json_object_set_new(object, "device", device);
  json_object_set(object, "checks", v->checks);
  json_object_set_new(object, "tolerance_ulp", json_integer((json_int_t)v->tolerance));
  json_object_set_new(object, "mismatches", json_integer((json_int_t)v->total.mismatches));
  json_object_set_new(object, "seconds", report_number(v->total.seconds));
  json_object_set_new(object, "pass", json_boolean(v->total.mismatches == 0));
  return object;
}

/* ---- --report ---------------------------------------------------------------------------------------------------- */

/* What a bug report needs beside the result. */
static json_t *full_result(const verdict *v, const mlp_cl_context *context, const options *o) {
  const mlp_cl_device *d = mlp_cl_context_device(context);
  json_t *object = result_of(v, context), *device = json_object_get(object, "device");
  json_object_set_new(object, "quick", json_boolean(options_has(o, OPTION_QUICK)));
  json_object_set_new(object, "kernels", report_string(options_text(o, OPTION_KERNELS, "as suits the device")));
  json_object_set_new(object, "first_mismatch", v->total.first[0] ? report_string(v->total.first) : json_null());
  json_object_set_new(device, "driver", report_string(d->driver));
  json_object_set_new(device, "compute_units", json_integer((json_int_t)d->compute_units));
  json_object_set_new(device, "global_memory_bytes", json_integer((json_int_t)d->global_memory_bytes));
  json_object_set_new(device, "local_memory_bytes", json_integer((json_int_t)d->local_memory_bytes));
  json_object_set_new(device, "work_group_size", json_integer((json_int_t)d->work_group_size));
  struct utsname host;
  if (uname(&host) == 0)
    json_object_set_new(
        object, "host",
        json_pack("{s:s, s:s, s:s}", "system", host.sysname, "release", host.release, "machine", host.machine));
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

static void print_verdict(const verdict *v, const mlp_cl_context *context) {
  const group *t = &v->total;
  bool pass = t->mismatches == 0;
  const char *rule = NULL;
  if (!mlp_cl_context_exact(context, &rule)) printf("\nself-test  breaks the rule \"%s\"", rule);
  printf("\nverdict  %s%s%s: %llu of %llu elements ", pass ? report_green() : report_red(),
         !pass          ? "DIFFERENT"
         : v->tolerance ? "tolerable"
                        : "identical",
         report_plain(), (unsigned long long)t->mismatches, (unsigned long long)t->elements);
  if (v->tolerance)
    printf("are more than %llu ulp from the reference's", (unsigned long long)v->tolerance);
  else
    printf("differ from the reference's");
  printf(" (%.1f seconds)\n", t->seconds);
}

static int report_verdict(const verdict *v, const mlp_cl_context *context, const options *o, mlp_cl_status result) {
  int status = result == MLP_CL_OK ? STATUS_OK : STATUS_BITS_DIFFER;
  const char *path = options_text(o, OPTION_REPORT, NULL);
  report_result_comes();
  warn_of_refused_steps(context);
  if (path && write_report(path, full_result(v, context, o)) != STATUS_OK && status == STATUS_OK)
    status = STATUS_FAILED;
  if (report_is_json()) return report_json(result_of(v, context), status);
  print_verdict(v, context);
  return status;
}

static int validate_on(mlp_cl_context *context, const options *o, uint64_t tolerance) {
  verdict v = {.checks = json_array(), .tolerance = tolerance};
  const mlp_cl_validate_options how = {.quick = options_has(o, OPTION_QUICK), .tolerance_ulp = tolerance};
  mlp_cl_error error;
  interrupt_defer();
  if (!report_is_json())
    printf("%-16s %12s  %10s  %20s  %8s\n", "operation", "elements", "mismatches", "worst case in ulp", "seconds");
  mlp_cl_status result = mlp_cl_validate(context, &how, on_check, &v, &error);
  print_group(&v.group);
  int status = STATUS_OK;
  if (result != MLP_CL_OK && result != MLP_CL_MISMATCH) {
    status = report_failure(&error);
  } else {
    status = report_verdict(&v, context, o, result);
    if (result != MLP_CL_OK)
      fprintf(stderr, "mlp_cl: first mismatch: %s\n", v.total.first[0] ? v.total.first : error.text);
  }
  json_decref(v.checks);
  return status;
}

static int validate(const options *o) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  uint64_t tolerance = 0;
  if (!options_unsigned(o, OPTION_TOLERANCE, 0, INT32_MAX, "units in the last place, such as 4", &tolerance))
    return STATUS_USAGE;
  int status = output_check(o, OPTION_REPORT);
  if (status != STATUS_OK) return status;
  if (open_device(o, &context, &error) != MLP_CL_OK) return report_failure(&error);
  status = validate_on(context, o, tolerance);
  mlp_cl_context_destroy(context);
  return status;
}

const command validate_command = {
    .name = "validate",
    .summary = "compare every operation on a device with the reference, bit by bit",
    .examples =
        "  mlp_cl validate --device 0\n"
        "  mlp_cl validate --device gpu --quick --json\n"
        "  mlp_cl validate --device gpu --report gpu.json\n"
        "  mlp_cl validate --device gpu --allow-inexact --tolerance 4\n",
    .table = table,
    .run = validate,
};
