/* mlp_cl inspect: what a model file holds, without a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "input/model.h"
#include "terminal/report.h"

enum { CLASSES_SHOWN = 12, COLUMNS_SHOWN = 30, TEXT_SHOWN = 100 };

static struct poptOption table[] = {OPTION_GROUP("Output", output_options), POPT_TABLEEND};

static bool is_told_elsewhere(const char *key) {
  static const char *const keys[] = {"mlp_cl.version",        "mlp_cl.numerics", "mlp_cl.recipe",
                                     "mlp_cl.classes",        "mlp_cl.scale",    "mlp_cl.table",
                                     "mlp_cl.activation",     "mlp_cl.task",     "format",
                                     "mlp_cl.weights_sha256", "mlp_cl.split",    "mlp_cl.content_sha256"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (strcmp(key, keys[i]) == 0) return true;
  }
  return false;
}

static size_t count_parameters(const mlp_cl_model_info *info) {
  size_t count = 0;
  for (size_t i = 0; i < mlp_cl_model_info_layers(info); i++) {
    size_t in = mlp_cl_model_info_width(info, i), out = mlp_cl_model_info_width(info, i + 1);
    count += in * out + (mlp_cl_model_info_has_bias(info) ? out : 0);
  }
  return count;
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static void print_layers(const mlp_cl_model_info *info) {
  size_t layers = mlp_cl_model_info_layers(info);
  printf("%-12s%zu", "layers", mlp_cl_model_info_width(info, 0));
  for (size_t i = 1; i <= layers; i++) printf(" - %zu", mlp_cl_model_info_width(info, i));
  printf(", %s%s, %s\n", mlp_cl_activation_name(mlp_cl_model_info_activation(info)),
         mlp_cl_model_info_has_bias(info) ? "" : " without bias", mlp_cl_task_name(mlp_cl_model_info_task(info)));
  for (size_t i = 0; i < layers; i++) {
    size_t in = mlp_cl_model_info_width(info, i), out = mlp_cl_model_info_width(info, i + 1);
    printf("  %-10zu%zu x %zu: %zu weights", i, in, out, in * out);
    if (mlp_cl_model_info_has_bias(info)) printf(", %zu biases", out);
    putchar('\n');
  }
  printf("%-12s%zu (%.1f kB)\n", "parameters", count_parameters(info), (double)count_parameters(info) * 4e-3);
}

static void print_outputs(const mlp_cl_model_info *info) {
  static const char *const words[] = {
      [MLP_CL_CLASSIFICATION] = "classes", [MLP_CL_REGRESSION] = "targets", [MLP_CL_MULTI_LABEL] = "labels"};
  size_t outputs = model_outputs(info);
  printf("%-12s%zu: ", words[mlp_cl_model_info_task(info)], outputs);
  for (size_t i = 0; i < outputs && i < CLASSES_SHOWN; i++) {
    char name[40], buffer[24];
    printf("%s%s", i ? ", " : "", report_escape(model_class_name(info, i, buffer), name, sizeof name));
  }
  puts(outputs > CLASSES_SHOWN ? ", ..." : "");
}

/* A line for each column of the table that it was trained on. */
static void print_columns(const mlp_cl_model_info *info) {
  static const char *const kinds[] = {"number", "one-hot", "classes", "target"};
  const mlp_cl_encoding *encoding = mlp_cl_model_info_encoding(info);
  mlp_cl_column column;
  for (size_t i = 0; encoding && i < COLUMNS_SHOWN && mlp_cl_encoding_column(encoding, i, &column); i++) {
    char name[40];
    printf("%-12s%-39s %s", i ? "" : "columns", report_escape(column.name, name, sizeof name), kinds[column.kind]);
    if (column.kind == MLP_CL_COLUMN_NUMBER || column.kind == MLP_CL_COLUMN_TARGET)
      printf(", (value - %.7g) / %.7g", column.offset, column.divisor);
    else
      printf(" of %zu values", column.values_count);
    puts(column.filled ? ", may be missing" : "");
  }
  if (encoding && mlp_cl_encoding_columns(encoding) > COLUMNS_SHOWN)
    printf("%-12s... %zu in all; --json has them\n", "", mlp_cl_encoding_columns(encoding));
}

/* "name value, name value", leaving out what is off, or without use to the optimiser. */
static void print_recipe(const char *text) {
  json_t *recipe = json_loads(text, 0, NULL), *value;
  const char *key, *between = "", *optimiser = json_string_value(json_object_get(recipe, "optimiser"));
  printf("%-12s", "recipe");
  if (optimiser && strcmp(optimiser, mlp_cl_optimiser_name(MLP_CL_SGD)) != 0) json_object_del(recipe, "momentum");
  json_object_foreach(recipe, key, value) {
    char name[40], shown[40];
    if (json_is_false(value) || (json_is_number(value) && json_number_value(value) == 0)) continue;
    printf("%s%s", between, report_escape(key, name, sizeof name));
    if (json_is_number(value)) printf(" %.7g", json_number_value(value));
    if (json_is_string(value)) printf(" %s", report_escape(json_string_value(value), shown, sizeof shown));
    between = ", ";
  }
  putchar('\n');
  json_decref(recipe);
}

/* "a share of 0.2 to test, a share of 0.1 of the rest to validate, under seed 1" */
static void print_split(const mlp_cl_split *split) {
  printf("%-12s", "held out");
  if (split->holdout > 0) printf("a share of %.7g to test%s", split->holdout, split->validation > 0 ? ", " : "");
  if (split->validation > 0)
    printf("a share of %.7g%s to validate", split->validation, split->holdout > 0 ? " of the rest" : "");
  printf(", under seed %llu\n", (unsigned long long)split->seed);
}

/* Of a checkpoint: how far its run is. False where it does not say. */
static bool print_run(const char *text) {
  json_t *run = json_loads(text, 0, NULL), *metrics = json_object_get(run, "metrics");
  const char *step = json_string_value(json_object_get(run, "step"));
  json_t *last = json_array_get(metrics, json_array_size(metrics) - 1);
  char shown[40];
  if (step)
    printf("%-12sstep %s, epochs done: %lld; train --resume goes on from there\n", "run",
           report_escape(step, shown, sizeof shown), (long long)json_integer_value(json_array_get(last, 0)));
  json_decref(run);
  return step != NULL;
}

/* The options that it was last run with, where the command wrote the note; another program's is told as it stands. */
static bool print_note(const char *text) {
  json_t *note = json_loads(text, 0, NULL), *begun = json_object_get(note, "mlp_cl train"), *value;
  bool known = json_is_object(begun);
  const char *name, *between = "";
  if (known) printf("%-12s", "options");
  json_object_foreach(begun, name, value) {
    char option[40], shown[TEXT_SHOWN];
    const char *given = json_string_value(value);
    printf("%s--%s", between, report_escape(name, option, sizeof option));
    if (given) printf(" %s%s", report_escape(given, shown, sizeof shown), strlen(given) >= TEXT_SHOWN ? "..." : "");
    between = " ";
  }
  if (known) putchar('\n');
  json_decref(note);
  return known;
}

static void print_rest(const mlp_cl_model_info *info) {
  const char *key, *value;
  for (size_t i = 0; (value = mlp_cl_model_info_metadata(info, i, &key)); i++) {
    char name[40], shown[TEXT_SHOWN];
    if (is_told_elsewhere(key) || (strcmp(key, "mlp_cl.run") == 0 && print_run(value)) ||
        (strcmp(key, "mlp_cl.note") == 0 && print_note(value)))
      continue;
    report_escape(value, shown, sizeof shown);
    printf("%-11s %s%s\n", report_escape(key, name, sizeof name), shown,
           strlen(shown) < strlen(value) && strlen(value) >= TEXT_SHOWN ? "..." : "");
  }
}

static void print_receipt(const char *actual, const char *stored) {
  char promised[80];
  printf("%-12s%s\n", "sha256", actual);
  if (!stored)
    printf("%-12snone is stored: a checkpoint, or not written by mlp_cl\n", "receipt");
  else if (strcmp(actual, stored) == 0)
    printf("%-12s%sas stored%s\n", "receipt", report_green(), report_plain());
  else
    printf("%-12s%sDIFFERENT%s: stored is %s\n", "receipt", report_red(), report_plain(),
           report_escape(stored, promised, sizeof promised));
}

static void print_text(const mlp_cl_model_info *info) {
  const char *version = model_metadata(info, "mlp_cl.version"), *numerics = model_metadata(info, "mlp_cl.numerics");
  const char *recipe = model_metadata(info, "mlp_cl.recipe");
  char shown[40];
  print_layers(info);
  print_outputs(info);
  print_columns(info);
  if (mlp_cl_model_info_scale(info) != 0.0f)
    printf("%-12svalues of the data times %.9g\n", "scale", (double)mlp_cl_model_info_scale(info));
  if (recipe) print_recipe(recipe);
  if (mlp_cl_model_info_split(info)) print_split(mlp_cl_model_info_split(info));
  if (version) printf("%-12smlp_cl %s", "written by", report_escape(version, shown, sizeof shown));
  if (version && numerics) printf(", numerics version %s", report_escape(numerics, shown, sizeof shown));
  if (version) putchar('\n');
  print_rest(info);
  print_receipt(mlp_cl_model_info_sha256(info), model_metadata(info, "mlp_cl.weights_sha256"));
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* Metadata that are JSON as what they are, else null. */
static void set_metadata(json_t *object, const char *name, const mlp_cl_model_info *info, const char *key) {
  const char *text = model_metadata(info, key);
  json_t *value = text ? json_loads(text, 0, NULL) : NULL;
  json_object_set_new(object, name, value ? value : json_null());
}

static int print_json(const mlp_cl_model_info *info, int status) {
  json_t *object = report_object(), *layers = json_array(), *classes = json_array(), *metadata = json_object();
  const char *stored = model_metadata(info, "mlp_cl.weights_sha256"), *key, *value;
  for (size_t i = 0; i <= mlp_cl_model_info_layers(info); i++)
    json_array_append_new(layers, json_integer((json_int_t)mlp_cl_model_info_width(info, i)));
  char buffer[24];
  for (size_t i = 0; i < model_outputs(info); i++)
    json_array_append_new(classes, report_string(model_class_name(info, i, buffer)));
  for (size_t i = 0; (value = mlp_cl_model_info_metadata(info, i, &key)); i++)
    json_object_set_new(metadata, key, report_string(value));
  float scale = mlp_cl_model_info_scale(info);
  json_object_set_new(object, "layers", layers);
  json_object_set_new(object, "bias", json_boolean(mlp_cl_model_info_has_bias(info)));
  json_object_set_new(object, "activation", json_string(mlp_cl_activation_name(mlp_cl_model_info_activation(info))));
  json_object_set_new(object, "task", json_string(mlp_cl_task_name(mlp_cl_model_info_task(info))));
  json_object_set_new(object, "parameters", json_integer((json_int_t)count_parameters(info)));
  json_object_set_new(object, "classes", classes);
  json_object_set_new(object, "scale", scale == 0.0f ? json_null() : report_number((double)scale));
  set_metadata(object, "recipe", info, "mlp_cl.recipe");
  set_metadata(object, "table", info, "mlp_cl.table");
  set_metadata(object, "split", info, "mlp_cl.split");
  json_object_set_new(object, "weights_sha256", json_string(mlp_cl_model_info_sha256(info)));
  json_object_set_new(object, "stored_sha256", stored ? report_string(stored) : json_null());
  json_object_set_new(object, "metadata", metadata);
  return report_json(object, status);
}

static int inspect(const options *o) {
  mlp_cl_error error;
  mlp_cl_model_info *info = NULL;
  if (!o->operand) return report_usage("which model? name a .safetensors file");
  if (mlp_cl_model_info_open(o->operand, &info, &error) != MLP_CL_OK) return report_failure(&error);
  const char *stored = model_metadata(info, "mlp_cl.weights_sha256");
  bool differs = stored && strcmp(stored, mlp_cl_model_info_sha256(info)) != 0;
  int status = differs ? STATUS_BITS_DIFFER : STATUS_OK;
  if (report_is_json())
    status = print_json(info, status);
  else
    print_text(info);
  if (differs) fprintf(stderr, "mlp_cl: the weights are not those of the file's receipt: it is damaged or edited\n");
  mlp_cl_model_info_destroy(info);
  return status;
}

const command inspect_command = {
    .name = "inspect",
    .summary = "what a model file holds: layers, recipe, classes, receipt",
    .operand = "MODEL.safetensors",
    .examples =
        "  mlp_cl inspect digits.safetensors\n"
        "  mlp_cl inspect digits.safetensors --json\n",
    .table = table,
    .run = inspect,
};
