/* mlp_cl train: data in, a table of epochs and the receipt out; --verify runs it again on the reference and
 * compares. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "input/device.h"
#include "input/source.h"
#include "terminal/output.h"
#include "terminal/report.h"
#include "train/begun.h"
#include "train/initial.h"
#include "train/memory.h"
#include "train/plan.h"
#include "train/record.h"
#include "train/run.h"

static struct poptOption memory_options[] = {
    OPTION_VALUE("data-memory", OPTION_DATA_MEMORY,
                 "device memory for data; more data is streamed while training (default: half of the device's)", "MIB"),
    POPT_TABLEEND};

static struct poptOption result_options[] = {
    OPTION_VALUE("out", OPTION_OUT, "write the trained network to FILE (safetensors)", "FILE"),
    OPTION_ROW_PROFILE,
    OPTION_FLAG("force", OPTION_FORCE, "let --out, --checkpoint, --plot and --profile overwrite a file that exists"),
    OPTION_FLAG("dry-run", OPTION_DRY_RUN, "only tell what memory the run would take, and whether there is as much"),
    OPTION_FLAG("verify", OPTION_VERIFY, "train again on the CPU reference and compare every bit"),
    OPTION_VALUE(
        "verify-every", OPTION_VERIFY_EVERY,
        "take every Nth step on the CPU reference too, and stop at the first bit that differs (default: 0, none)", "N"),
    POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Data", source_options),
                                    OPTION_GROUP("Tables", table_options),
                                    OPTION_GROUP("Network and recipe", plan_options),
                                    OPTION_GROUP("Result", result_options),
                                    OPTION_GROUP("Checkpoints", checkpoint_options),
                                    OPTION_GROUP("Watching", record_options),
                                    OPTION_GROUP("Device", device_options),
                                    OPTION_GROUP("Memory", memory_options),
                                    OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

/* ---- Output ------------------------------------------------------------------------------------------------------ */

/* `score` is what is told beside the loss, `part` what it is measured on. */
static void print_epoch(const mlp_cl_event *event, bool first, const char *score, const char *part) {
  if (first) printf("epoch  train loss  %8s  %5s loss  %8s   seconds\n", score, part, score);
  char loss[16], reached[16];
  printf("%5u  %10s  %8s  ", event->epoch, report_measure(event->train_loss, loss),
         report_measure(event->train_accuracy, reached));
  if (event->has_test)
    printf("%10s  %8s  ", report_measure(event->test_loss, loss), report_measure(event->test_accuracy, reached));
  else
    printf("%10s  %8s  ", "-", "-");
  printf("%8.2f\n", event->seconds);
  fflush(stdout);
}

static void hear(const mlp_cl_event *event, void *user) {
  record *kept = user;
  if (event->kind == MLP_CL_EVENT_EPOCH && !report_is_json())
    print_epoch(event, kept->epochs == 0, kept->score, kept->part);
  record_event(kept, event);
}

static double samples_per_second(const run *r) {
  return r->last.seconds > 0 ? (double)r->last.samples / r->last.seconds : 0;
}

/* The epoch whose parameters the network has: the best one with --patience, else the last. */
static const mlp_cl_event *kept_epoch(const run *r) {
  uint32_t best = r->epochs_count > 0 ? r->epochs[r->epochs_count - 1].best_epoch : 0;
  for (size_t i = 0; i < r->epochs_count; i++)
    if (r->epochs[i].epoch == best) return &r->epochs[i];
  return &r->last;
}

static void print_device(const mlp_cl_device *device) {
  if (device->index < 0)
    printf("\ndevice      the CPU reference\n");
  else
    printf("\ndevice      %d: %s (%s)\n", device->index, device->name, device->platform);
}

static void print_summary(const run *trained, const run *reference) {
  print_device(mlp_cl_context_device(trained->context));
  if (trained->last.samples > 0)
    printf("seconds     %.2f (%.0f samples/s)\n", trained->last.seconds, samples_per_second(trained));
  else
    printf("seconds     0.00, since the run had come to its end\n");
  printf("parameters  %zu\n", mlp_cl_network_parameters(trained->network));
  const mlp_cl_event *kept = kept_epoch(trained);
  bool numbers = mlp_cl_network_task(trained->network) == MLP_CL_REGRESSION;
  if (kept->best_epoch > 0) printf("best epoch  %u\n", kept->epoch);
  const char *score = numbers ? "R2" : "accuracy";
  char reached[16];
  if (trained->has_judge)
    printf("validation  %s %s on the part that decides\n", report_measure(kept->test_accuracy, reached), score);
  if (trained->has_judge ? trained->is_judged : kept->has_test)
    printf("%-12s%s on the held-out part\n", score,
           report_measure(trained->has_judge ? trained->judged : kept->test_accuracy, reached));
  printf("sha256      %s\n", trained->sha256);
  if (trained->verified_every)
    printf("verified    one step in %" PRIu64 ", on the CPU reference as it trained\n", trained->verified_every);
  const char *rule = NULL;
  if (!mlp_cl_context_exact(trained->context, &rule))
    printf("contract    not kept (\"%s\"): these bits are the device's own\n", rule);
  if (!reference) return;
  bool same = strcmp(trained->sha256, reference->sha256) == 0;
  printf("reference   %s (%.2f seconds)\n", reference->sha256, reference->last.seconds);
  printf("verdict     %s%s%s\n", same ? report_green() : report_red(), same ? "identical" : "DIFFERENT",
         report_plain());
}

/* What is measured after each epoch: the validation part where there is one, else the test part. */
static json_t *json_epochs(const run *r) {
  json_t *epochs = json_array();
  for (size_t i = 0; i < r->epochs_count; i++) {
    const mlp_cl_event *e = &r->epochs[i];
    double none = 0.0 / 0.0;
    json_t *epoch =
        json_pack("{s:I, s:o, s:o, s:o, s:o, s:o}", "epoch", (json_int_t)e->epoch,                                   //
                  "train_loss", report_number(e->train_loss),                                                        //
                  "train_accuracy", report_number(e->train_accuracy),                                                //
                  r->has_judge ? "validation_loss" : "test_loss", report_number(e->has_test ? e->test_loss : none),  //
                  r->has_judge ? "validation_accuracy" : "test_accuracy",
                  report_number(e->has_test ? e->test_accuracy : none),  //
                  "seconds", report_number(e->seconds));
    json_array_append_new(epochs, epoch);
  }
  return epochs;
}

static json_t *json_network(mlp_cl_network *network) {
  json_t *layers = json_array();
  for (size_t i = 0; i <= mlp_cl_network_layers(network); i++)
    json_array_append_new(layers, json_integer((json_int_t)mlp_cl_network_width(network, i)));
  return json_pack("{s:o, s:I}", "layers", layers, "parameters", (json_int_t)mlp_cl_network_parameters(network));
}

static int print_json(const plan *p, const run *trained, const run *reference, int status) {
  char seed[24];
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)p->recipe.seed);
  const mlp_cl_event *kept = kept_epoch(trained);
  json_t *object = report_object();
  json_t *device = report_device(mlp_cl_context_device(trained->context));
  report_contract(device, trained->context);
  json_object_set_new(object, "device", device);
  json_object_set_new(object, "task", json_string(mlp_cl_task_name(p->task)));
  json_object_set_new(object, "network", json_network(trained->network));
  json_object_set_new(object, "seed", json_string(seed));
  json_object_set_new(object, "epochs", json_epochs(trained));
  json_t *tested = kept->has_test ? report_number(kept->test_accuracy) : json_null();
  if (trained->has_judge) json_object_set_new(object, "validation_accuracy", tested);
  json_object_set_new(object, "test_accuracy", trained->has_judge ? report_number(trained->judged) : tested);
  if (kept->best_epoch > 0) json_object_set_new(object, "best_epoch", json_integer((json_int_t)kept->epoch));
  json_object_set_new(object, "steps", json_integer((json_int_t)trained->last.steps));
  json_object_set_new(object, "samples_per_second", report_number(samples_per_second(trained)));
  json_object_set_new(object, "weights_sha256", json_string(trained->sha256));
  json_object_set_new(object, "verified_every", json_integer((json_int_t)trained->verified_every));
  if (reference) {
    json_object_set_new(object, "reference", json_pack("{s:s}", "weights_sha256", reference->sha256));
    json_object_set_new(object, "identical", json_boolean(strcmp(trained->sha256, reference->sha256) == 0));
  }
  return report_json(object, status);
}

/* ---- The run ----------------------------------------------------------------------------------------------------- */

/* Writes the network where nothing is: to "PLACE", "PLACE-2", …; *path, freed by the caller, gets where. */
static bool save_at(const plan *p, const run_data *data, const run *trained, const char *place, char **path) {
  enum { TRIES = 100 };
  for (int i = 1; i <= TRIES; i++) {
    char number[16] = "";
    if (i > 1) snprintf(number, sizeof number, "-%d", i);
    if (asprintf(path, "%s%s", place, number) < 0) break;
    if (access(*path, F_OK) != 0) {
      if (mlp_cl_network_save(trained->network, *path, &p->recipe, data->train, NULL) == MLP_CL_OK) return true;
      free(*path);
      break;
    }
    free(*path);
  }
  return false;
}

/* Where a network goes whose place is taken or gone: beside it, or where everybody may write. */
static int save_elsewhere(const plan *p, const run_data *data, const run *trained, const mlp_cl_error *why) {
  const char *folder = getenv("TMPDIR");
  char *places[2] = {NULL, NULL}, *path = NULL;
  if (asprintf(&places[0], "%s.%.8s", p->out, trained->sha256) < 0) places[0] = NULL;
  if (asprintf(&places[1], "%s/mlp_cl-%.8s.safetensors", folder && *folder ? folder : "/var/tmp", trained->sha256) < 0)
    places[1] = NULL;
  bool saved = false;
  for (size_t i = 0; !saved && i < sizeof places / sizeof *places; i++)
    saved = places[i] && save_at(p, data, trained, places[i], &path);
  int status = saved ? report_failed(why->status, "%s; the network is in %s", why->text, path)
                     : report_failed(why->status, "%s; the network is lost", why->text);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) free(places[i]);
  if (saved) free(path);
  return status;
}

static int save(const options *o, const plan *p, const run_data *data, const run *trained) {
  mlp_cl_error error;
  if (!p->out && !p->checkpoints.when.path && options_has(o, OPTION_DATA))
    report_note("the network is not kept: --out FILE would write it");
  if (!p->out) return STATUS_OK;
  if (access(p->out, F_OK) == 0 && !options_has(o, OPTION_FORCE)) {
    error = (mlp_cl_error){.status = MLP_CL_IO};
    snprintf(error.text, sizeof error.text, "%s was written by somebody else in the meantime, and stays", p->out);
    return save_elsewhere(p, data, trained, &error);
  }
  if (mlp_cl_network_save(trained->network, p->out, &p->recipe, data->train, &error) != MLP_CL_OK)
    return save_elsewhere(p, data, trained, &error);
  report_note("wrote %s", p->out);
  return STATUS_OK;
}

/* Before the run, which may write over what it begins with. */
static mlp_cl_status begin_reference(const plan *p, const run_data *data, run *reference, mlp_cl_error *error) {
  mlp_cl_context *context = NULL;
  mlp_cl_status status = mlp_cl_context_create("reference", NULL, &context, error);
  return status == MLP_CL_OK ? run_begin(reference, context, p, data, error) : status;
}

/* Without early stopping the held-out part does not change weights: the reference needs only the training part. */
static int run_reference(const plan *p, const run_data *data, run *reference) {
  mlp_cl_error error;
  const run_data only_train = {data->train, p->recipe.patience > 0 ? data->test : NULL, NULL};
  plan whole = *p; /* from the first step */
  whole.checkpoints = (checkpoint_plan){.resume = NULL};
  whole.verify_every = 0;
  whole.log_every = 0;
  report_note("training again on the CPU reference to compare the bits");
  bool good = run_train(reference, &whole, &only_train, "reference", NULL, NULL, &error) == MLP_CL_OK;
  if (!good && error.status == MLP_CL_CANCELLED)
    return report_failed(MLP_CL_CANCELLED, "stopped on request: the bits are not compared");
  return good ? STATUS_OK : report_failure(&error);
}

static void explain_difference(const run *trained) {
  const char *rule = NULL;
  if (mlp_cl_context_exact(trained->context, &rule))
    fprintf(stderr, "mlp_cl: device and reference differ; 'mlp_cl validate' finds the operation\n");
  else
    fprintf(stderr, "mlp_cl: device and reference differ, as was to be expected: the device breaks the rule \"%s\"\n",
            rule);
}

static int finish(const plan *p, const run *trained, const run *reference, int status) {
  warn_of_refused_steps(trained->context);
  bool differ = reference && strcmp(trained->sha256, reference->sha256) != 0;
  if (differ) status = STATUS_BITS_DIFFER;
  if (report_is_json())
    status = print_json(p, trained, reference, status);
  else
    print_summary(trained, reference);
  if (differ) explain_difference(trained);
  return status;
}

/* On the part that no decision has seen. */
static mlp_cl_status judge(const run_data *data, run *trained, mlp_cl_error *error) {
  mlp_cl_evaluation result;
  mlp_cl_error problem;
  if (!data->judge) return MLP_CL_OK;
  trained->has_judge = true;
  trained->judged = NAN;
  mlp_cl_status status = mlp_cl_network_evaluate(trained->network, data->judge, &result, NULL, &problem);
  if (status != MLP_CL_OK) {
    *error = (mlp_cl_error){.status = status};
    snprintf(error->text, sizeof error->text, "the test part: %.1900s", problem.text);
    return status;
  }
  trained->is_judged = true;
  trained->judged = result.accuracy;
  return MLP_CL_OK;
}

/* Trains; what the record tells of it is complete afterwards. */
static int train_once(const options *o, const plan *p, const run_data *data, record *kept, run *trained,
                      run *reference) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  if (open_device_for(o, p->data_bytes, &context, &error) != MLP_CL_OK) {
    record_abandon(kept);
    return report_failure(&error);
  }
  record_start(kept, o, mlp_cl_context_device(context), p, data);
  bool good = run_begin(trained, context, p, data, &error) == MLP_CL_OK &&
              (!p->verify || begin_reference(p, data, reference, &error) == MLP_CL_OK) &&
              run_train(trained, p, data, NULL, hear, kept, &error) == MLP_CL_OK;
  if (!good) return record_end(kept, &error, NULL, report_failure(&error));
  report_result_comes();
  int status = judge(data, trained, &error) == MLP_CL_OK ? STATUS_OK : report_failure(&error);
  return record_end(kept, NULL, trained->sha256, status);
}

/* A checkpoint that was asked for and is not there at the end is a failure, however well the training went. */
static int check_kept(const plan *p, const run *trained) {
  bool kept = !p->checkpoints.when.path || (trained->keeps && trained->kept == trained->last.step);
  return kept ? STATUS_OK : report_failure(&trained->unkept);
}

static int first_of(int status, int later) {
  return status == STATUS_OK ? later : status;
}

/* What was trained is told whatever failed beside it. */
static int train_and_report(const options *o, const plan *p, const run_data *data, record *kept) {
  run trained = {0}, reference = {0};
  mlp_cl_error error;
  int status = train_once(o, p, data, kept, &trained, &reference);
  if (trained.sha256[0]) {
    status = first_of(status, save(o, p, data, &trained));
    if (write_profile(o, trained.context, &error) != MLP_CL_OK) status = first_of(status, report_failure(&error));
    status = first_of(status, check_kept(p, &trained));
    if (p->verify) status = first_of(status, run_reference(p, data, &reference));
    status = finish(p, &trained, reference.sha256[0] ? &reference : NULL, status);
  }
  run_free(&reference);
  run_free(&trained);
  return status;
}

static bool read_data_memory(const options *o, uint64_t *bytes) {
  uint64_t mib = 0;
  if (!options_unsigned(o, OPTION_DATA_MEMORY, 1, UINT32_MAX, "a number of MiB, 1 or more", &mib)) return false;
  *bytes = mib << 20;
  return true;
}

/* Of a failure before the run that goes on: not all that it was told is on this command line. */
static int explain_resumed(const options *o, int status) {
  if (status != STATUS_OK && options_has(o, OPTION_RESUME))
    report_note(
        "what is not given here is as %s says; --data, --labels and --test tell where files are that have moved",
        options_text(o, OPTION_RESUME, NULL));
  return status;
}

static int train(const options *o) {
  plan p;
  if (!plan_read(o, &p)) return explain_resumed(o, STATUS_USAGE);
  if (!read_data_memory(o, &p.data_bytes)) {
    plan_free(&p);
    return STATUS_USAGE;
  }
  char *note = p.checkpoints.when.path ? begun_note(o) : NULL;
  p.checkpoints.when.note = note;
  mlp_cl_parts parts = {0};
  record kept;
  int status = output_check(o, OPTION_OUT);
  if (status == STATUS_OK) status = output_check(o, OPTION_PROFILE);
  if (status == STATUS_OK) status = checkpoint_check(o, &p.checkpoints);
  if (status == STATUS_OK) status = explain_resumed(o, source_open_parts(o, p.recipe.seed, &parts));
  run_data data = {parts.train, parts.validation ? parts.validation : parts.test, parts.validation ? parts.test : NULL};
  if (status == STATUS_OK) status = initial_read(o, &p, &data);
  if (status == STATUS_OK && !plan_balance(&p, data.train))
    status = report_failed(MLP_CL_NO_MEMORY, "out of memory for the weights of classes");
  bool dry = options_has(o, OPTION_DRY_RUN);
  if (status == STATUS_OK && !dry) status = record_begin(o, p.checkpoints.resume != NULL, &kept);
  if (status == STATUS_OK) status = dry ? memory_report(o, &p, &data) : train_and_report(o, &p, &data, &kept);
  mlp_cl_parts_destroy(&parts);
  free(note);
  plan_free(&p);
  return status;
}

const command train_command = {
    .name = "train",
    .summary = "train a network and measure it on the held-out part",
    .examples =
        "  mlp_cl train --verify\n"
        "  mlp_cl train --device gpu --verify-every 1000   # notices faulty hardware in a long run\n"
        "  mlp_cl train --data /usr/share/datasets/fashion-mnist --out fashion.safetensors\n"
        "  mlp_cl train --data people.csv --label city --one-hot job --out people.safetensors\n"
        "  mlp_cl train --init-from digits.safetensors --lr 0.001 --epochs 5 --out better.safetensors\n"
        "  mlp_cl train --hidden 128,64 --dropout 0.2 --epochs 50 --seed 7 --device gpu\n"
        "  mlp_cl train --epochs 1000 --checkpoint run.safetensors\n"
        "  mlp_cl train --resume run.safetensors   # goes on with it after Ctrl-C or a crash\n"
        "  mlp_cl train --epochs 1000 --checkpoint run.safetensors --resume run.safetensors   # begins, or goes on\n",
    .table = table,
    .complete = begun_complete,
    .run = train,
};
