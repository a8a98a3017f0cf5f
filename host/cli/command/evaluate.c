/* mlp_cl evaluate: what a model file comes to on data with labels or targets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "input/model.h"
#include "input/rows.h"
#include "input/source.h"
#include "picture/confusion.h"
#include "terminal/output.h"
#include "terminal/report.h"

enum { WIDEST_TABLE = 30, NAME_WIDTH = 14 };

static struct poptOption data_options[] = {OPTION_ROW_DATA, OPTION_ROW_LABELS, OPTION_ROW_HEADER, OPTION_ROW_PART,
                                           POPT_TABLEEND};

static struct poptOption result_options[] = {
    OPTION_VALUE("plot", OPTION_PLOT, "draw the confusion matrix to FILE (SVG)", "FILE"),
    OPTION_FLAG("force", OPTION_FORCE, "let --plot overwrite a file that exists"), POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Data", data_options), OPTION_GROUP("Result", result_options),
                                    OPTION_GROUP("Device", device_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

static size_t decimal_width(uint64_t number) {
  return (size_t)snprintf(NULL, 0, "%llu", (unsigned long long)number);
}

/* Rows are the labels, columns the predictions; columns are headed by the class's number, which rows tell too. */
static void print_confusion(const opened_model *m, const uint64_t *confusion, size_t classes) {
  uint64_t most = 0;
  for (size_t i = 0; i < classes * classes; i++) most = confusion[i] > most ? confusion[i] : most;
  int width = (int)decimal_width(most) + 2;
  printf("\nlabel%*s", NAME_WIDTH, "predicted:");
  for (size_t j = 0; j < classes; j++) printf("%*zu", width, j);
  putchar('\n');
  for (size_t i = 0; i < classes; i++) {
    char buffer[24], name[NAME_WIDTH + 1];
    printf("%4zu %-*s", i, NAME_WIDTH, report_escape(model_class_name(m->info, i, buffer), name, sizeof name));
    for (size_t j = 0; j < classes; j++) printf("%*llu", width, (unsigned long long)confusion[i * classes + j]);
    putchar('\n');
  }
}

static void print_share(double share) {
  if (isfinite(share))
    printf("  %9.4f", share);
  else
    printf("  %9s", "-");
}

static void print_scores(const opened_model *m, const uint64_t *confusion, size_t classes) {
  printf("\n%-19s  %9s  %9s  %9s  %9s\n", "class", "precision", "recall", "F1", "rows");
  for (size_t i = 0; i < classes; i++) {
    char buffer[24], name[NAME_WIDTH + 1];
    mlp_cl_class_score score = mlp_cl_score_class(mlp_cl_network_task(m->network), confusion, classes, i);
    printf("%4zu %-*s", i, NAME_WIDTH, report_escape(model_class_name(m->info, i, buffer), name, sizeof name));
    print_share(score.precision);
    print_share(score.recall);
    print_share(score.f1);
    printf("  %9llu\n", (unsigned long long)score.rows);
  }
}

/* Errors are told in the unit of the column that was learned, where that is one, else as they were scaled. */
static double unit_of(const opened_model *m) {
  mlp_cl_column column;
  return model_outputs(m->info) == 1 && model_target(m->info, 0, &column) ? column.divisor : 1.0;
}

/* Whether errors are those of several columns, each scaled. */
static bool is_scaled(const opened_model *m) {
  mlp_cl_column column;
  bool scaled = false;
  for (size_t i = 0; model_target(m->info, i, &column); i++)
    scaled = scaled || column.divisor != 1.0 || column.offset != 0.0;
  return model_outputs(m->info) > 1 && scaled;
}

static void print_text(const opened_model *m, const char *part, const mlp_cl_evaluation *result,
                       const uint64_t *confusion, size_t classes) {
  mlp_cl_task task = mlp_cl_network_task(m->network);
  printf("rows        %zu%s%s%s\nloss        %.6g\n", result->rows, part ? ", the " : "", part ? part : "",
         part ? " part" : "", result->loss);
  if (task == MLP_CL_REGRESSION) {
    const char *of = is_scaled(m) ? "  of all targets, as they were scaled" : "";
    printf("R2          %.4f\nRMSE        %.6g%s\nMAE         %.6g%s\n", result->accuracy,
           sqrt(result->loss) * unit_of(m), of, result->mean_absolute_error * unit_of(m), of);
    return;
  }
  printf("accuracy    %.4f\n", result->accuracy);
  if (task == MLP_CL_CLASSIFICATION && classes <= WIDEST_TABLE) print_confusion(m, confusion, classes);
  if (task == MLP_CL_CLASSIFICATION && classes > WIDEST_TABLE)
    report_note("the confusion matrix of %zu classes is too wide for a table; --json has it", classes);
  print_scores(m, confusion, classes);
}

static json_t *json_confusion(const uint64_t *confusion, size_t classes, size_t cols) {
  json_t *rows = json_array();
  for (size_t i = 0; i < classes; i++) {
    json_t *row = json_array();
    for (size_t j = 0; j < cols; j++) json_array_append_new(row, json_integer((json_int_t)confusion[i * cols + j]));
    json_array_append_new(rows, row);
  }
  return rows;
}

static json_t *json_scores(mlp_cl_task task, const uint64_t *confusion, size_t classes) {
  json_t *scores = json_array();
  for (size_t i = 0; i < classes; i++) {
    mlp_cl_class_score score = mlp_cl_score_class(task, confusion, classes, i);
    json_array_append_new(
        scores, json_pack("{s:o, s:o, s:o, s:I}", "precision", report_number(score.precision), "recall",
                          report_number(score.recall), "f1", report_number(score.f1), "rows", (json_int_t)score.rows));
  }
  return scores;
}

static int print_json(const opened_model *m, const char *part, const mlp_cl_evaluation *result,
                      const uint64_t *confusion, size_t classes, int status) {
  json_t *object = report_object(), *names = json_array();
  for (size_t i = 0; i < classes; i++) {
    char buffer[24];
    json_array_append_new(names, report_string(model_class_name(m->info, i, buffer)));
  }
  json_object_set_new(object, "device", report_device(mlp_cl_context_device(m->context)));
  json_object_set_new(object, "part", part ? json_string(part) : json_null());
  json_object_set_new(object, "rows", json_integer((json_int_t)result->rows));
  json_object_set_new(object, "loss", report_number(result->loss));
  mlp_cl_task task = mlp_cl_network_task(m->network);
  if (task == MLP_CL_REGRESSION) {
    json_object_set_new(object, "r2", report_number(result->accuracy));
    json_object_set_new(object, "scaled", json_boolean(is_scaled(m)));
    json_object_set_new(object, "rmse", report_number(sqrt(result->loss) * unit_of(m)));
    json_object_set_new(object, "mae", report_number(result->mean_absolute_error * unit_of(m)));
    json_decref(names);
    return report_json(object, status);
  }
  json_object_set_new(object, "accuracy", report_number(result->accuracy));
  json_object_set_new(object, "confusion",
                      json_confusion(confusion, classes, task == MLP_CL_CLASSIFICATION ? classes : 4));
  json_object_set_new(object, "classes", names);
  json_object_set_new(object, "scores", json_scores(task, confusion, classes));
  return report_json(object, status);
}

static int plot(const opened_model *m, const char *path, const mlp_cl_evaluation *result, const uint64_t *counts,
                size_t classes) {
  const char **names = calloc(classes, sizeof *names);
  char(*buffers)[24] = calloc(classes, sizeof *buffers);
  int status = names && buffers ? STATUS_OK : report_failed(MLP_CL_NO_MEMORY, "out of memory for the picture");
  for (size_t i = 0; status == STATUS_OK && i < classes; i++) names[i] = model_class_name(m->info, i, buffers[i]);
  if (status == STATUS_OK) status = confusion_write(path, names, counts, classes, result->accuracy);
  free(names);
  free(buffers);
  return status;
}

static int evaluate_on(const options *o, const opened_model *m, const mlp_cl_dataset *data, const char *part) {
  const char *picture = options_text(o, OPTION_PLOT, NULL);
  size_t classes = mlp_cl_network_width(m->network, mlp_cl_network_layers(m->network));
  mlp_cl_error error;
  mlp_cl_evaluation result;
  const size_t most = 1 << 20; /* classes² counts: beyond, no machine has the memory */
  mlp_cl_task task = mlp_cl_network_task(m->network);
  size_t cols = task == MLP_CL_CLASSIFICATION ? classes : 4;
  uint64_t *confusion = classes <= most ? calloc(classes * cols, sizeof *confusion) : NULL;
  if (!confusion) return report_failed(MLP_CL_NO_MEMORY, "out of memory for %zu x %zu counts", classes, cols);
  mlp_cl_status evaluated =
      mlp_cl_network_evaluate(m->network, data, &result, task == MLP_CL_REGRESSION ? NULL : confusion, &error);
  int status = evaluated == MLP_CL_OK ? STATUS_OK : report_failure(&error);
  if (evaluated == MLP_CL_OK) {
    report_result_comes();
    if (picture) status = plot(m, picture, &result, confusion, classes);
    if (report_is_json())
      status = print_json(m, part, &result, confusion, classes, status);
    else
      print_text(m, part, &result, confusion, classes);
  }
  free(confusion);
  return status;
}

static int check_plot(const options *o, const opened_model *m) {
  mlp_cl_task task = mlp_cl_network_task(m->network);
  if (!options_has(o, OPTION_PLOT)) return STATUS_OK;
  if (task != MLP_CL_CLASSIFICATION)
    return report_usage("--plot draws a confusion matrix, and %s, a model for %s, has none", o->operand,
                        mlp_cl_task_name(task));
  return confusion_fits(model_outputs(m->info)) ? STATUS_OK : STATUS_FAILED;
}

static int evaluate(const options *o) {
  opened_model m;
  mlp_cl_dataset *data = NULL;
  const char *part;
  int status = output_check(o, OPTION_PLOT);
  if (status != STATUS_OK) return status;
  status = open_model(o, &m);
  if (status == STATUS_OK) status = check_plot(o, &m);
  if (status == STATUS_OK) status = open_labelled(o, &m, &data, &part);
  if (status == STATUS_OK) status = evaluate_on(o, &m, data, part);
  mlp_cl_dataset_destroy(data);
  close_model(&m);
  return status;
}

const command evaluate_command = {
    .name = "evaluate",
    .summary = "loss, accuracy and confusion matrix of a model file",
    .operand = "MODEL.safetensors",
    .examples =
        "  mlp_cl evaluate digits.safetensors\n"
        "  mlp_cl evaluate fashion.safetensors --data /usr/share/datasets/fashion-mnist --plot confusion.svg\n"
        "  mlp_cl evaluate people.safetensors --data people.csv --part test\n"
        "  mlp_cl evaluate people.safetensors --data more-people.csv\n"
        "  mlp_cl evaluate model.safetensors --data images.idx --labels labels.idx --device reference --json\n",
    .table = table,
    .run = evaluate,
};
