/* See memory.h. */
#include "train/memory.h"

#include <stdio.h>

#include "input/device.h"
#include "terminal/report.h"

static void print_kind(const char *kind, uint64_t bytes, const char *remark) {
  printf("%-14s%16llu  %s\n", kind, (unsigned long long)bytes, remark);
}

static void print_limit(const char *what, uint64_t bytes, uint64_t limit) {
  bool fits = bytes <= limit;
  printf("%-14s%16llu  of %llu %s%s%s\n", what, (unsigned long long)bytes, (unsigned long long)limit,
         fits ? report_green() : report_red(), fits ? "fits" : "DOES NOT FIT", report_plain());
}

static void print_text(const mlp_cl_memory *m) {
  printf("%-14s%16s\n", "kind", "bytes");
  print_kind("data", m->data_bytes, "order, losses, predictions; rows and labels that are copied");
  print_kind("parameters", m->parameter_bytes, "weights and biases");
  print_kind("state", m->state_bytes, "of the optimiser");
  print_kind("activations", m->activation_bytes, "of a batch, and of an evaluation");
  print_kind("gradients", m->gradient_bytes, "of a batch");
  print_limit("device", m->device_bytes, m->device_limit_bytes);
  print_limit("largest", m->largest_bytes, m->largest_limit_bytes);
  print_limit("host", m->host_bytes, m->host_limit_bytes);
}

static json_t *number(uint64_t bytes) {
  return json_integer((json_int_t)(bytes < INT64_MAX ? bytes : INT64_MAX));
}

static int print_json(const mlp_cl_memory *m, const mlp_cl_device *device, int status) {
  json_t *object = report_object();
  json_object_set_new(object, "device", report_device(device));
  json_object_set_new(
      object, "memory",
      json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "data_bytes", number(m->data_bytes),
                "parameter_bytes", number(m->parameter_bytes), "state_bytes", number(m->state_bytes),
                "activation_bytes", number(m->activation_bytes), "gradient_bytes", number(m->gradient_bytes),
                "device_bytes", number(m->device_bytes), "device_limit_bytes", number(m->device_limit_bytes),
                "largest_bytes", number(m->largest_bytes), "largest_limit_bytes", number(m->largest_limit_bytes),
                "host_bytes", number(m->host_bytes), "fits", (int)m->fits));
  return report_json(object, status);
}

int memory_report(const options *o, const plan *p, const run_data *data) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_memory memory;
  if (open_device_for(o, p->data_bytes, &context, &error) != MLP_CL_OK) return report_failure(&error);
  int status = STATUS_OK;
  if (run_plan_memory(context, p, data, &memory, &error) != MLP_CL_OK) {
    status = report_failure(&error);
  } else {
    status = memory.fits ? STATUS_OK : STATUS_FAILED;
    if (report_is_json())
      status = print_json(&memory, mlp_cl_context_device(context), status);
    else
      print_text(&memory);
  }
  mlp_cl_context_destroy(context);
  return status;
}
