/* See rows.h. */
#include "input/rows.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "input/source.h"
#include "terminal/report.h"

static int check_width(const options *o, const opened_model *m, const char *source, size_t width) {
  size_t inputs = mlp_cl_network_width(m->network, 0);
  if (inputs == width) return STATUS_OK;
  return report_failed(MLP_CL_BAD_SHAPE,
                       "%s takes %zu values a row, but %s has %zu; give the data that it was trained for with --data",
                       o->operand, inputs, source, width);
}

static int check_data(const options *o, const opened_model *m, const char *source, const mlp_cl_dataset *data) {
  float trained = mlp_cl_model_info_scale(m->info), given = mlp_cl_dataset_scale(data);
  int status = check_width(o, m, source, mlp_cl_dataset_width(data));
  if (status == STATUS_OK && trained != 0.0f && trained != given)
    report_note("warning: the model was trained on values times %g, these are times %g", (double)trained,
                (double)given);
  return status;
}

static const char *const part_names[] = {
    [MLP_CL_PART_TRAIN] = "train", [MLP_CL_PART_TEST] = "test", [MLP_CL_PART_VALIDATION] = "validation", NULL};

/* A source for a model, and which rows of it are meant: those of a part that was drawn for the training, by the marks
 * of all rows to train; of a part that the source has by itself; or all. */
typedef struct meant_rows {
  mlp_cl_parts parts;
  bool all;
  size_t part;
  unsigned char *marks; /* or NULL */
  bool trained_on;      /* all: they are the rows of the training */
} meant_rows;

static void close_meant(meant_rows *r) {
  mlp_cl_parts_destroy(&r->parts);
  free(r->marks);
}

static bool is_drawn(const mlp_cl_split *split, size_t part) {
  return split && (part == MLP_CL_PART_TRAIN || (part == MLP_CL_PART_TEST && split->holdout > 0) ||
                   (part == MLP_CL_PART_VALIDATION && split->validation > 0));
}

/* Marks the rows, if they are those of the training. */
static int find_marks(const opened_model *m, meant_rows *r) {
  mlp_cl_error error;
  bool found = false;
  size_t rows = mlp_cl_dataset_rows(r->parts.train);
  r->marks = malloc(rows);
  if (!r->marks) return report_failed(MLP_CL_NO_MEMORY, "out of memory for the parts of %zu rows", rows);
  mlp_cl_status status =
      mlp_cl_dataset_find_parts(r->parts.train, mlp_cl_model_info_split(m->info), r->marks, &found, &error);
  r->trained_on = r->all && found;
  if (found && !r->all) return STATUS_OK;
  free(r->marks);
  r->marks = NULL;
  return status == MLP_CL_OK ? STATUS_OK : report_failure(&error);
}

static int refuse_part(const options *o, const char *source, const meant_rows *r) {
  return report_failed(MLP_CL_BAD_ARGUMENT,
                       "%s has no %s part, and %s knows of none that was drawn for its training: leave --part away",
                       source, part_names[r->part], o->operand);
}

static int refuse_rows(const char *source, const meant_rows *r) {
  bool labelled = mlp_cl_dataset_labels(r->parts.train) || mlp_cl_dataset_targets(r->parts.train);
  if (!labelled)
    return report_failed(MLP_CL_BAD_FILE, "%s has no labels, by which its parts were drawn: name them with --labels",
                         source);
  return report_failed(
      MLP_CL_BAD_FILE,
      "%s: these are not the rows of the training in their order: some were added, removed, changed or "
      "moved; leave --part away",
      source);
}

/* `answers`: labels or targets are wanted with the rows. */
static int find_rows(const options *o, const opened_model *m, const char *source, mlp_cl_header header, bool answers,
                     meant_rows *r) {
  mlp_cl_error error;
  bool named = options_has(o, OPTION_PART);
  *r = (meant_rows){.part = MLP_CL_PART_TEST};
  if (!options_word(o, OPTION_PART, part_names, &r->part)) return STATUS_USAGE;
  if (strcmp(source, "-") == 0)
    return report_usage("name a file: what comes through standard input can be read but once");
  if (mlp_cl_dataset_open_parts_as(source, options_text(o, OPTION_LABELS, NULL), mlp_cl_model_info_encoding(m->info),
                                   header, answers && !model_has_classes(m->info), &r->parts, &error) != MLP_CL_OK)
    return report_failure(&error);
  r->all = !named && !r->parts.test;
  bool drawn = is_drawn(mlp_cl_model_info_split(m->info), r->all ? MLP_CL_PART_TRAIN : r->part);
  int status = drawn ? find_marks(m, r) : STATUS_OK;
  if (status != STATUS_OK || r->all || r->marks) return status;
  if (named && drawn) return refuse_rows(source, r);
  bool own = r->parts.test && r->part != MLP_CL_PART_VALIDATION; /* the source's */
  return own ? STATUS_OK : refuse_part(o, source, r);
}

/* The place of the dataset that is meant, when the parts are what they should be. */
static mlp_cl_dataset **chosen_of(meant_rows *r) {
  mlp_cl_dataset **all[] = {[MLP_CL_PART_TRAIN] = &r->parts.train,
                            [MLP_CL_PART_TEST] = &r->parts.test,
                            [MLP_CL_PART_VALIDATION] = &r->parts.validation};
  return r->all ? &r->parts.train : all[r->part];
}

static mlp_cl_dataset *take(mlp_cl_dataset **place) {
  mlp_cl_dataset *taken = *place;
  *place = NULL;
  return taken;
}

static bool has_parts(const char *source) {
  struct stat info;
  return strcmp(source, "digits") == 0 || (stat(source, &info) == 0 && S_ISDIR(info.st_mode));
}

/* Rows that a model was trained on say little of others. */
static void warn_of_training_rows(const opened_model *m, const char *source, const meant_rows *r) {
  if (r->trained_on)
    report_note("warning: the model was trained on most of the %zu rows of %s: --part %s takes those held out",
                mlp_cl_dataset_rows(r->parts.train), source,
                part_names[is_drawn(mlp_cl_model_info_split(m->info), MLP_CL_PART_TEST) ? MLP_CL_PART_TEST
                                                                                        : MLP_CL_PART_VALIDATION]);
}

int open_labelled(const options *o, const opened_model *m, mlp_cl_dataset **data, const char **part) {
  mlp_cl_header header;
  mlp_cl_error error;
  meant_rows rows;
  const char *source = source_name(o);
  *data = NULL;
  *part = NULL;
  if (!source_header(o, &header)) return STATUS_USAGE;
  if (!options_has(o, OPTION_DATA) && mlp_cl_model_info_encoding(m->info))
    return report_usage("which rows? %s was trained on columns of its own: name such data with --data FILE",
                        o->operand);
  int status = find_rows(o, m, source, header, true, &rows);
  if (status == STATUS_OK && rows.marks && mlp_cl_parts_split(&rows.parts, rows.marks, &error) != MLP_CL_OK)
    status = report_failure(&error);
  if (status == STATUS_OK) {
    warn_of_training_rows(m, source, &rows);
    *data = take(chosen_of(&rows));
    *part = rows.all ? NULL : part_names[rows.part];
    status = check_data(o, m, source, *data);
  }
  close_meant(&rows);
  return status;
}

/* What a value of a table without an encoding is multiplied with: as the values were that the model was trained on. */
static float scale_of(const opened_model *m) {
  float scale = mlp_cl_model_info_scale(m->info);
  return scale == 0.0f ? 1.0f : scale;
}

/* A table is read once more, row by row, so that its texts are there. */
static mlp_cl_status open_found(const opened_model *m, const char *source, mlp_cl_header header, meant_rows *found,
                                opened_rows *rows, mlp_cl_error *error) {
  if (!found->marks) return mlp_cl_rows_from_dataset(take(chosen_of(found)), &rows->rows, error);
  rows->marks = found->marks;
  rows->marks_count = mlp_cl_dataset_rows(found->parts.train);
  rows->part = (mlp_cl_part)found->part;
  found->marks = NULL;
  const mlp_cl_encoding *encoding = mlp_cl_model_info_encoding(m->info);
  bool is_table = (encoding && mlp_cl_encoding_named(encoding)) || mlp_cl_source_is_table(source);
  return is_table ? mlp_cl_rows_open(source, encoding, header, scale_of(m), &rows->rows, error)
                  : mlp_cl_rows_from_dataset(take(&found->parts.train), &rows->rows, error);
}

int open_rows(const options *o, const opened_model *m, const char *source, opened_rows *rows) {
  mlp_cl_error error;
  mlp_cl_header header;
  bool named = options_has(o, OPTION_PART);
  *rows = (opened_rows){0};
  if (!source_header(o, &header)) return STATUS_USAGE;
  if (!named && options_has(o, OPTION_LABELS))
    return report_usage("--labels goes with --part: by them the parts are found again");
  mlp_cl_status opened;
  if (named || has_parts(source)) {
    meant_rows found;
    int status = find_rows(o, m, source, header, named, &found);
    if (status == STATUS_OK) status = check_data(o, m, source, found.parts.train);
    opened = status == STATUS_OK ? open_found(m, source, header, &found, rows, &error) : MLP_CL_OK;
    close_meant(&found);
    if (status != STATUS_OK) return status;
  } else {
    opened = mlp_cl_rows_open(source, mlp_cl_model_info_encoding(m->info), header, scale_of(m), &rows->rows, &error);
  }
  return opened == MLP_CL_OK ? check_width(o, m, source, mlp_cl_rows_width(rows->rows)) : report_failure(&error);
}

void close_rows(opened_rows *rows) {
  mlp_cl_rows_close(rows->rows);
  free(rows->marks);
}
