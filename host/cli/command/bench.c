/* mlp_cl bench: how fast a device is at products, training and inference, beside what it can do at most. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/measured.h"
#include "input/device.h"
#include "terminal/interrupt.h"
#include "terminal/now.h"
#include "terminal/output.h"
#include "terminal/progress.h"
#include "terminal/report.h"

static struct poptOption work_options[] = {
    OPTION_ROWS_MEASURED,
    OPTION_ROW_PROFILE,
    OPTION_FLAG("force", OPTION_FORCE, "overwrite what --profile names"),
    OPTION_FLAG("quick", OPTION_QUICK, "little work only, and less time for each piece"),
    POPT_TABLEEND,
};

static struct poptOption table[] = {OPTION_GROUP("Work", work_options), OPTION_GROUP("Device", device_options),
                                    OPTION_GROUP("Output", output_options), POPT_TABLEEND};

static const struct bench_product {
  size_t m, k, n;
} products[] = {{1024, 1024, 1024}, {2048, 2048, 2048}, {128, 784, 512}, {784, 128, 512},
                {256, 1024, 1024},  {128, 512, 10},     {1, 784, 512},   {1000, 333, 77}};

static const struct orientation {
  mlp_cl_product product;
  const char *text, *transpose; /* of four columns; the operand that is transposed, for JSON */
} orientations[] = {{MLP_CL_A_B, "A·B ", "none"}, {MLP_CL_A_BT, "A·Bᵀ", "b"}, {MLP_CL_AT_B, "Aᵀ·B", "a"}};

static const measured_network trained[] = {{32, 3, {64, 32, 10}},
                                           {64, 3, {784, 128, 10}},
                                           {128, 3, {784, 512, 10}},
                                           {256, 4, {784, 1024, 1024, 10}},
                                           {1024, 4, {1024, 2048, 2048, 1000}}};
static const measured_network predicting[] = {{1, 3, {784, 512, 10}}, {1000, 3, {784, 512, 10}}};

typedef struct bench_run {
  mlp_cl_context *context;
  double seconds;    /* for each measurement */
  double most_flops; /* pieces of work that are larger are left out */
  double peak;       /* operations per second; NaN where it is not known */
  json_t *object;    /* NULL: text */
  progress progress;
  mlp_cl_error *error;
} bench_run;

static void announce(bench_run *r, const char *what) {
  if (!r->progress.live) return;
  fprintf(stderr, "\r\033[Kmeasuring %s", what);
  fflush(stderr);
  r->progress.shown = true;
}

static mlp_cl_status measure(bench_run *r, const mlp_cl_bench_work *work, const char *what,
                             mlp_cl_bench_result *result) {
  mlp_cl_bench *bench = NULL;
  announce(r, what);
  mlp_cl_status status = mlp_cl_bench_create(r->context, work, &bench, r->error);
  if (status == MLP_CL_OK) status = mlp_cl_bench_run(bench, r->seconds, result, r->error);
  mlp_cl_bench_destroy(bench);
  progress_clear(&r->progress);
  if (status != MLP_CL_OK || interrupt_signal() == 0) return status;
  *r->error = (mlp_cl_error){MLP_CL_CANCELLED, "stopped on request"};
  return MLP_CL_CANCELLED;
}

/* Appends to the array `name` of the result; without memory report_json tells. */
static void append_row(bench_run *r, const char *name, json_t *row) {
  json_array_append_new(json_object_get(r->object, name), row);
}

/* ---- The device ------------------------------------------------------------------------------------------------- */

static mlp_cl_status measure_device(bench_run *r) {
  mlp_cl_bench_result fma, copy, launch, wait;
  const struct {
    mlp_cl_bench_kind kind;
    const char *what;
    mlp_cl_bench_result *result;
  } parts[] = {{MLP_CL_BENCH_FMA, "the peak", &fma},
               {MLP_CL_BENCH_COPY, "memory", &copy},
               {MLP_CL_BENCH_LAUNCH, "launches", &launch},
               {MLP_CL_BENCH_WAIT, "launches that are waited for", &wait}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    const mlp_cl_bench_work work = {.kind = parts[i].kind};
    mlp_cl_status status = measure(r, &work, parts[i].what, parts[i].result);
    if (status != MLP_CL_OK) return status;
  }
  r->peak = fma.flops / fma.median_s;
  double gigabytes_per_s = copy.bytes / copy.median_s * 1e-9;
  if (r->object) {
    json_object_set_new(r->object, "peak_gflops", report_number(r->peak * 1e-9));
    json_object_set_new(r->object, "copy_gigabytes_per_second", report_number(gigabytes_per_s));
    json_object_set_new(r->object, "launch_us", report_number(launch.median_s * 1e6));
    json_object_set_new(r->object, "wait_us", report_number(wait.median_s * 1e6));
  } else {
    printf("peak    %9.2f GFLOP/s of float32 fused multiply-adds\n", r->peak * 1e-9);
    printf("copy    %9.2f GB/s read and written\n", gigabytes_per_s);
    printf("launch  %9.2f us, %.2f us when waited for\n", launch.median_s * 1e6, wait.median_s * 1e6);
  }
  return MLP_CL_OK;
}

/* ---- Products --------------------------------------------------------------------------------------------------- */

/* "87.3 %", or nothing where the peak is not known. */
static const char *share_of_peak(const bench_run *r, double flops_per_s, char text[16]) {
  text[0] = '\0';
  if (isfinite(r->peak)) snprintf(text, 16, "%6.1f %%", 100 * flops_per_s / r->peak);
  return text;
}

static mlp_cl_status measure_product(bench_run *r, const struct bench_product *p, const struct orientation *o) {
  const mlp_cl_bench_work work = {.kind = MLP_CL_BENCH_MATMUL, .product = o->product, .m = p->m, .n = p->n, .k = p->k};
  mlp_cl_bench_result result;
  char what[64], share[16];
  snprintf(what, sizeof what, "%s %zu x %zu x %zu", o->text, p->m, p->k, p->n);
  mlp_cl_status status = measure(r, &work, what, &result);
  if (status != MLP_CL_OK) return status;
  double flops_per_s = result.flops / result.median_s;
  if (r->object) {
    append_row(r, "matmul",
               json_pack("{s:I, s:I, s:I, s:s, s:f, s:o, s:o}", "m", (json_int_t)p->m, "n", (json_int_t)p->n, "k",
                         (json_int_t)p->k, "transpose", o->transpose, "us", result.median_s * 1e6, "gflops",
                         report_number(flops_per_s * 1e-9), "fraction_of_peak", report_number(flops_per_s / r->peak)));
  } else {
    printf("%s %5zu x %4zu x %4zu %12.1f us %9.1f GFLOP/s %s\n", o->text, p->m, p->k, p->n, result.median_s * 1e6,
           flops_per_s * 1e-9, share_of_peak(r, flops_per_s, share));
    fflush(stdout);
  }
  return MLP_CL_OK;
}

static mlp_cl_status measure_products(bench_run *r) {
  if (!r->object) printf("\nproducts: m x k x n, operands on the device\n");
  for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
    const struct bench_product *p = &products[i];
    for (size_t j = 0; j < 3 && 2.0 * (double)p->m * (double)p->k * (double)p->n <= r->most_flops; j++) {
      mlp_cl_status status = measure_product(r, p, &orientations[j]);
      if (status != MLP_CL_OK) return status;
    }
  }
  return MLP_CL_OK;
}

/* ---- Networks --------------------------------------------------------------------------------------------------- */

static void report_network(bench_run *r, const measured_network *net, mlp_cl_bench_kind kind, const char *layers,
                           const mlp_cl_bench_result *result) {
  bool train = kind == MLP_CL_BENCH_TRAIN;
  double flops_per_s = result->flops / result->median_s, rows_per_s = (double)net->batch / result->median_s;
  if (!r->object) {
    char share[16];
    printf("%-24s %5zu %12.1f us %9.1f GFLOP/s %8s %11.0f rows/s\n", layers, net->batch, result->median_s * 1e6,
           flops_per_s * 1e-9, share_of_peak(r, flops_per_s, share), rows_per_s);
    fflush(stdout);
    return;
  }
  append_row(r, train ? "train" : "predict",
             json_pack("{s:o, s:I, s:f, s:f, s:o, s:o}", "layers", measured_json(net), "batch", (json_int_t)net->batch,
                       train ? "step_us" : "us", result->median_s * 1e6, "rows_per_second", rows_per_s, "gflops",
                       report_number(flops_per_s * 1e-9), "fraction_of_peak", report_number(flops_per_s / r->peak)));
}

static mlp_cl_status measure_networks(bench_run *r, mlp_cl_bench_kind kind, const measured_network *nets,
                                      size_t count) {
  bool train = kind == MLP_CL_BENCH_TRAIN;
  if (!r->object)
    printf(train ? "\ntraining: layers, rows of a step, data on the device\n"
                 : "\ninference: layers, rows of a call, from and to host memory\n");
  for (size_t i = 0; i < count; i++) {
    const measured_network *net = &nets[i];
    const mlp_cl_shape shape = {.widths_count = net->count, .widths = net->widths, .bias = true};
    const mlp_cl_bench_work work = {.kind = kind, .shape = &shape, .batch = net->batch};
    double flops = 6.0 * (double)net->batch * (double)net->widths[0] * (double)net->widths[1];
    if (flops > r->most_flops) continue;
    mlp_cl_bench_result result;
    char layers[128], what[160];
    measured_format(net, layers, sizeof layers);
    snprintf(what, sizeof what, "%s of %s", train ? "training" : "inference", layers);
    mlp_cl_status status = measure(r, &work, what, &result);
    if (status != MLP_CL_OK) return status;
    report_network(r, net, kind, layers, &result);
  }
  return MLP_CL_OK;
}

/* ---- The command ------------------------------------------------------------------------------------------------ */

/* The time from nothing to a device that has proved itself; again, with what the driver and we remember of it. */
static mlp_cl_status measure_start(bench_run *r, const options *o, double first_s) {
  mlp_cl_context *again = NULL;
  const mlp_cl_context_options how = {.allow_inexact = options_has(o, OPTION_ALLOW_INEXACT),
                                      .kernels = options_text(o, OPTION_KERNELS, NULL)};
  double began = now_s();
  mlp_cl_status status = mlp_cl_context_create(options_text(o, OPTION_DEVICE, NULL), &how, &again, r->error);
  double again_s = now_s() - began;
  mlp_cl_context_destroy(again);
  if (status != MLP_CL_OK) return status;
  if (r->object) {
    json_object_set_new(r->object, "open_s", report_number(first_s));
    json_object_set_new(r->object, "reopen_s", report_number(again_s));
  } else {
    printf("open    %9.2f s, %.2f s again\n", first_s, again_s);
  }
  return MLP_CL_OK;
}

static mlp_cl_status measure_all(bench_run *r, const options *o, const measured_network *own, double first_s) {
  mlp_cl_status status = measure_start(r, o, first_s);
  bool reference = mlp_cl_context_device(r->context)->index < 0;
  if (status == MLP_CL_OK && !reference) status = measure_device(r);
  if (status == MLP_CL_OK && own->count == 0) status = measure_products(r);
  if (status == MLP_CL_OK)
    status = own->count ? measure_networks(r, MLP_CL_BENCH_TRAIN, own, 1)
                        : measure_networks(r, MLP_CL_BENCH_TRAIN, trained, sizeof trained / sizeof *trained);
  if (status == MLP_CL_OK)
    status = own->count ? measure_networks(r, MLP_CL_BENCH_PREDICT, own, 1)
                        : measure_networks(r, MLP_CL_BENCH_PREDICT, predicting, sizeof predicting / sizeof *predicting);
  return status;
}

static json_t *begin_object(const mlp_cl_context *context) {
  json_t *object = report_object();
  json_object_set_new(object, "device", report_device(mlp_cl_context_device(context)));
  json_object_set_new(object, "tuning", json_string(mlp_cl_context_tuning(context)));
  json_object_set_new(object, "peak_gflops", json_null());
  json_object_set_new(object, "matmul", json_array());
  json_object_set_new(object, "train", json_array());
  json_object_set_new(object, "predict", json_array());
  return object;
}

static int bench(const options *o) {
  mlp_cl_error error;
  measured_network own;
  if (!measured_read(o, &own)) return STATUS_USAGE;
  int result = output_check(o, OPTION_PROFILE);
  if (result != STATUS_OK) return result;
  bench_run r = {
      .seconds = 0.5, .most_flops = INFINITY, .peak = NAN, .progress = progress_begin(NULL), .error = &error};
  double began = now_s();
  if (open_device(o, &r.context, &error) != MLP_CL_OK) return report_failure(&error);
  double first_s = now_s() - began;
  bool reference = mlp_cl_context_device(r.context)->index < 0;
  if (options_has(o, OPTION_QUICK) || reference) r.seconds = 0.1;
  if (own.count == 0 && r.seconds < 0.5) r.most_flops = 1.1e8;
  if (reference && !options_has(o, OPTION_QUICK)) report_note("the reference is slow: large work is left out");
  if (report_is_json()) r.object = begin_object(r.context);
  interrupt_defer();
  mlp_cl_status status = measure_all(&r, o, &own, first_s);
  if (status == MLP_CL_OK) {
    report_result_comes();
    warn_of_refused_steps(r.context);
    if (write_profile(o, r.context, &error) != MLP_CL_OK) result = report_failure(&error);
    if (r.object) result = report_json(json_incref(r.object), result);
  } else {
    result = report_failure(&error);
  }
  json_decref(r.object);
  mlp_cl_context_destroy(r.context);
  return result;
}

const command bench_command = {
    .name = "bench",
    .summary =
        "measure products, training (SGD, dropout 0.2) and inference, on random data, beside the device's own peak",
    .examples =
        "  mlp_cl bench --device 0\n"
        "  mlp_cl bench --layers 784,512,10 --batch 128\n"
        "  mlp_cl bench --quick --json\n",
    .table = table,
    .run = bench,
};
