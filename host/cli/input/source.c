/* See source.h. */
#include "input/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/report.h"

enum { CLASSES_SHOWN = 30 };

struct poptOption source_options[] = {
    OPTION_ROW_DATA,
    OPTION_ROW_LABELS,
    OPTION_VALUE("test", OPTION_TEST, "measure on FILE, which is read like --data, instead of holding rows out",
                 "FILE"),
    OPTION_VALUE(
        "holdout", OPTION_HOLDOUT,
        "hold out this share of each class instead of the test part (default: 0.2 where there is none; 0: none)", "X"),
    OPTION_VALUE(
        "validation", OPTION_VALIDATION,
        "hold out this share of the rest to decide on while training, as --patience does, instead of the test part",
        "X"),
    POPT_TABLEEND};

struct poptOption table_options[] = {
    OPTION_VALUE("task", OPTION_TASK,
                 "what is learned: classification, regression or multi-label (default: classification)", "NAME"),
    OPTION_VALUE("label", OPTION_LABEL,
                 "the column to learn, by name or number from 1 (default: the last); several with "
                 "--task regression and multi-label",
                 "COLUMN,..."),
    OPTION_ROW_HEADER,
    OPTION_VALUE("ignore", OPTION_IGNORE, "columns to leave away", "COLUMN,..."),
    OPTION_VALUE("one-hot", OPTION_ONE_HOT, "columns of text, one input for each of their values; 'all' finds them",
                 "COLUMN,..."),
    OPTION_VALUE("missing", OPTION_MISSING, "what a missing value is, or becomes: error or mean (default: error)",
                 "NAME"),
    OPTION_VALUE("scale", OPTION_SCALE,
                 "columns of numbers, also of arrays: standard, minmax or none (default: standard for tables)", "NAME"),
    POPT_TABLEEND};

const char *source_name(const options *o) {
  return options_text(o, OPTION_DATA, "digits");
}

bool source_task(const options *o, mlp_cl_task *task) {
  OPTION_NAMES(words, mlp_cl_task_name);
  size_t word = MLP_CL_CLASSIFICATION;
  if (!options_word(o, OPTION_TASK, words, &word)) return false;
  *task = (mlp_cl_task)word;
  return true;
}

bool source_header(const options *o, mlp_cl_header *header) {
  static const char *const words[] = {"yes", "no", NULL};
  size_t word = 0;
  if (!options_word(o, OPTION_HEADER, words, &word)) return false;
  *header = !options_has(o, OPTION_HEADER) ? MLP_CL_HEADER_DETECT : word == 0 ? MLP_CL_HEADER_YES : MLP_CL_HEADER_NO;
  return true;
}

static bool read_options(const options *o, mlp_cl_data_options *with) {
  static const char *const scales[] = {"standard", "minmax", "none", NULL};
  static const mlp_cl_scaling scalings[] = {MLP_CL_SCALE_STANDARD, MLP_CL_SCALE_MINMAX, MLP_CL_SCALE_NONE};
  static const char *const missing[] = {"error", "mean", NULL};
  static const float_range share = {0x1p-20f, 0x1.fffffep-1f, false, "a number between 0 and 1, such as 0.2"};
  static const float_range share_or_none = {0x1p-20f, 0x1.fffffep-1f, true, "0, or a number below 1, such as 0.2"};
  size_t scale = 0, mean = 0;
  mlp_cl_task task;
  if (!source_task(o, &task) || !source_header(o, &with->header) || !options_word(o, OPTION_SCALE, scales, &scale) ||
      !options_word(o, OPTION_MISSING, missing, &mean) ||
      !options_double(o, OPTION_HOLDOUT, &share_or_none, &with->holdout) ||
      !options_double(o, OPTION_VALIDATION, &share, &with->validation))
    return false;
  if (task == MLP_CL_MULTI_LABEL && !options_has(o, OPTION_LABEL) && mlp_cl_source_is_table(source_name(o)))
    report_note("the last column is the only label; --label COLUMN,COLUMN names several");
  with->keep_all = options_has(o, OPTION_HOLDOUT) && with->holdout == 0;
  with->targets = task != MLP_CL_CLASSIFICATION;
  with->scale_targets = task == MLP_CL_REGRESSION;
  with->scaling = options_has(o, OPTION_SCALE) ? scalings[scale] : MLP_CL_SCALE_USUAL;
  with->missing_mean = mean == 1;
  with->many_classes = options_has(o, OPTION_TASK); /* whoever says classification means it */
  with->labels_path = options_text(o, OPTION_LABELS, NULL);
  with->test_path = options_text(o, OPTION_TEST, NULL);
  with->label = options_text(o, OPTION_LABEL, NULL);
  with->one_hot = options_text(o, OPTION_ONE_HOT, NULL);
  with->ignore = options_text(o, OPTION_IGNORE, NULL);
  return true;
}

/* "3 classes: A 789, B 766, …", and those that no row has: the labels of arrays count from 0, whatever they were. */
static void tell_classes(const mlp_cl_parts *parts) {
  size_t classes = mlp_cl_dataset_classes(parts->train), there = 0, used = 0;
  size_t *counts = calloc(classes + 1, sizeof *counts);
  char text[1000] = "";
  if (!counts) report_no_memory();
  const mlp_cl_dataset *all[] = {parts->train, parts->validation, parts->test};
  for (size_t part = 0; part < 3; part++) {
    const int32_t *labels = all[part] ? mlp_cl_dataset_labels(all[part]) : NULL;
    for (size_t i = 0; labels && i < mlp_cl_dataset_rows(all[part]); i++) counts[labels[i]]++;
  }
  for (size_t c = 0; c < classes; c++) {
    char name[40];
    there += counts[c] > 0;
    if (classes > CLASSES_SHOWN || used >= sizeof text - 100) continue;
    report_escape(mlp_cl_dataset_class_name(parts->train, c), name, sizeof name);
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %zu", c ? ", " : ": ", name, counts[c]);
  }
  report_note("%zu classes%s", classes, text);
  if (there < classes)
    report_note("warning: %zu of the %zu classes have no row; labels are taken as numbers from 0", classes - there,
                classes);
  free(counts);
}

/* Each value is an input: of names and numbers of rows the network learns nothing. */
static void warn_of_values(const mlp_cl_encoding *encoding, size_t rows) {
  enum { FEW = 50 };
  mlp_cl_column column;
  for (size_t i = 0; mlp_cl_encoding_column(encoding, i, &column); i++) {
    char name[60];
    if (column.kind != MLP_CL_COLUMN_ONE_HOT || column.values_count <= FEW || column.values_count <= rows / 2) continue;
    report_note("warning: column \"%s\" has %zu values in %zu rows and becomes as many inputs: --ignore leaves it away",
                report_escape(column.name, name, sizeof name), column.values_count, rows);
  }
}

/* "96 rows to train, 24 to test, 5 inputs; the first line names the columns" */
static void tell_parts(const mlp_cl_parts *parts, bool is_table) {
  const mlp_cl_encoding *encoding = mlp_cl_dataset_encoding(parts->train);
  size_t rows = mlp_cl_dataset_rows(parts->train), test = parts->test ? mlp_cl_dataset_rows(parts->test) : 0;
  char validation[40] = "";
  if (parts->validation)
    snprintf(validation, sizeof validation, "%zu to validate, ", mlp_cl_dataset_rows(parts->validation));
  report_note("%zu rows to train, %s%zu to test, %zu inputs%s", rows, validation, test,
              mlp_cl_dataset_width(parts->train),
              !is_table                         ? ""
              : mlp_cl_encoding_named(encoding) ? "; the first line names the columns"
                                                : "; the first line is a row");
  if (mlp_cl_dataset_classes(parts->train) > 0) tell_classes(parts);
  if (encoding) warn_of_values(encoding, rows);
}

/* What would be without effect is not what was meant. */
static int refuse_table_options(const options *o) {
  static const option_id ids[] = {OPTION_LABEL, OPTION_HEADER, OPTION_IGNORE, OPTION_ONE_HOT, OPTION_MISSING};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
    if (options_has(o, ids[i]))
      return report_usage("--%s is for tables, and %s is none: leave it away, or name a table with --data",
                          options_find(o->table, NULL, (int)ids[i])->longName, source_name(o));
  return STATUS_OK;
}

/* Tables are scaled, arrays only when told. */
static void warn_of_sizes(const mlp_cl_dataset *data) {
  static const double large = 10;
  double features, targets;
  mlp_cl_dataset_sizes(data, &features, &targets);
  if (features > large || targets > large)
    report_note(
        "warning: %s are around %.3g in size, and arrays are taken as they are: training may diverge or learn nothing; "
        "--scale standard brings them to around 1",
        targets > large ? "the numbers to learn" : "the inputs", targets > large ? targets : features);
}

/* Their values mean something else to the network. */
static void warn_of_scales(const mlp_cl_parts *parts) {
  if (parts->test && mlp_cl_dataset_scale(parts->test) != mlp_cl_dataset_scale(parts->train))
    report_note("warning: rows to train are values times %g, those to test values times %g",
                (double)mlp_cl_dataset_scale(parts->train), (double)mlp_cl_dataset_scale(parts->test));
}

/* Of numbers that are all the same there is nothing to learn, and no R2. */
static void warn_of_constants(const mlp_cl_dataset *data, bool numbers) {
  if (mlp_cl_dataset_targets_vary(data)) return;
  report_note("warning: what is to be learned has one value in all rows to train%s",
              numbers ? ": R2 is not defined" : "");
}

int source_open_parts(const options *o, uint64_t seed, mlp_cl_parts *parts) {
  mlp_cl_error error;
  mlp_cl_data_options with = {.seed = seed};
  if (!read_options(o, &with)) return STATUS_USAGE;
  if (mlp_cl_dataset_open_parts(source_name(o), &with, parts, &error) != MLP_CL_OK) return report_failure(&error);
  bool is_table = mlp_cl_source_is_table(source_name(o));
  if (!is_table) {
    int status = refuse_table_options(o);
    if (status != STATUS_OK) return status;
    warn_of_sizes(parts->train);
    warn_of_scales(parts);
  }
  if (strcmp(source_name(o), "digits") != 0 || with.holdout > 0 || with.validation > 0) tell_parts(parts, is_table);
  warn_of_constants(parts->train, with.scale_targets);
  return STATUS_OK;
}
