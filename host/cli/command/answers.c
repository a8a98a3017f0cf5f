#include "command/answers.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal/report.h"

struct poptOption answer_options[] = {
    OPTION_VALUE("format", OPTION_FORMAT, "what is written: csv, jsonl (a JSON object a line) or npy (default: csv)",
                 "NAME"),
    OPTION_FLAG("all", OPTION_ALL, "the probability of every class"),
    OPTION_VALUE("id", OPTION_ID, "columns of the table to write in front, instead of the row's number", "COLUMN,..."),
    POPT_TABLEEND};

typedef enum written { FORMAT_CSV, FORMAT_JSON_LINES, FORMAT_NPY, FORMAT_JSON } written;

struct answers {
  const opened_model *m;
  const opened_rows *from;
  written format;
  size_t classes; /* or numbers that were learnt */
  bool has_classes;
  bool all;               /* probabilities of every class */
  mlp_cl_column *targets; /* of numbers to learn, one for each output; else NULL */
  char **fields;          /* the names of classes as they are written */
  size_t ids;             /* columns that are written in front */
  char **id_names;
  json_t *list; /* of FORMAT_JSON, else NULL */
  long start;   /* of FORMAT_NPY: where its heading is */
  size_t count; /* rows so far */
  bool out_of_memory;
};

/* What is told of a row. */
typedef struct answer {
  size_t row, place; /* counted from the first; among those that the source gave last */
  const float *probabilities;
  size_t best;
} answer;

/* ---- Names ------------------------------------------------------------------------------------------------------- */

/* As RFC 4180 quotes; allocated. */
static char *csv_field(const char *text) {
  char *field = malloc(2 * strlen(text) + 3), *next = field;
  if (!field || !strpbrk(text, ",\"\r\n")) return field ? strcpy(field, text) : NULL;
  *next++ = '"';
  for (; *text; text++) {
    if (*text == '"') *next++ = '"';
    *next++ = *text;
  }
  memcpy(next, "\"", 2);
  return field;
}

static char *json_field(const char *text) {
  json_t *string = report_string(text);
  char *field = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
  json_decref(string);
  return field;
}

/* As what is written has it: in quotes where it wants them, or as the key of an object; allocated. */
static char *written_name(const answers *a, const char *text) {
  if (a->format != FORMAT_JSON) return a->format == FORMAT_JSON_LINES ? json_field(text) : csv_field(text);
  json_t *string = report_string(text);
  char *key = string ? strdup(json_string_value(string)) : NULL;
  json_decref(string);
  return key;
}

static bool write_names(answers *a) {
  a->fields = calloc(a->classes, sizeof *a->fields);
  a->id_names = calloc(a->ids + 1, sizeof *a->id_names);
  if (!a->fields || !a->id_names) return false;
  for (size_t c = 0; c < a->classes; c++) {
    char buffer[24];
    a->fields[c] = written_name(a, model_class_name(a->m->info, c, buffer));
    if (!a->fields[c]) return false;
  }
  for (size_t i = 0; i < a->ids; i++) {
    a->id_names[i] = written_name(a, mlp_cl_rows_kept_name(a->from->rows, i));
    if (!a->id_names[i]) return false;
  }
  return true;
}

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

/* Nine digits bring a float32 back exactly. */
static void print_number(float value) {
  if (isfinite(value))
    printf("%.9g", (double)value);
  else
    fputs("null", stdout);
}

/* As the format writes it. */
static void print_text(answers *a, const char *text) {
  char *field = a->format == FORMAT_CSV ? csv_field(text) : json_field(text);
  if (field)
    fputs(field, stdout);
  else
    a->out_of_memory = true;
  free(field);
}

static void print_csv_heading(const answers *a) {
  for (size_t i = 0; i < a->ids; i++) printf("%s%s", i > 0 ? "," : "", a->id_names[i]);
  if (a->ids == 0) fputs("row", stdout);
  if (a->has_classes) fputs(",class,probability", stdout);
  for (size_t c = 0; (a->all || !a->has_classes) && c < a->classes; c++) printf(",%s", a->fields[c]);
  putchar('\n');
}

static void print_csv_row(answers *a, const answer *r) {
  for (size_t i = 0; i < a->ids; i++) {
    if (i > 0) putchar(',');
    print_text(a, mlp_cl_rows_kept(a->from->rows, r->place, i));
  }
  if (a->ids == 0) printf("%zu", r->row);
  if (a->has_classes) {
    printf(",%s,", a->fields[r->best]);
    print_number(r->probabilities[r->best]);
  }
  for (size_t c = 0; (a->all || !a->has_classes) && c < a->classes; c++) {
    putchar(',');
    print_number(r->probabilities[c]);
  }
  putchar('\n');
}

static void print_json_row(answers *a, const answer *r) {
  bool each = a->all || !a->has_classes;
  printf("{\"row\":%zu", r->row);
  for (size_t i = 0; i < a->ids; i++) {
    printf("%s%s:", i > 0 ? "," : ",\"id\":{", a->id_names[i]);
    print_text(a, mlp_cl_rows_kept(a->from->rows, r->place, i));
  }
  if (a->ids > 0) putchar('}');
  if (a->has_classes) {
    printf(",\"class\":%s,\"probability\":", a->fields[r->best]);
    print_number(r->probabilities[r->best]);
  }
  for (size_t c = 0; each && c < a->classes; c++) {
    printf("%s%s:", c ? "," : a->has_classes ? ",\"probabilities\":{" : ",\"values\":{", a->fields[c]);
    print_number(r->probabilities[c]);
  }
  fputs(each ? "}}\n" : "}\n", stdout);
}

static void add_json_row(answers *a, const answer *r) {
  char buffer[24];
  json_t *entry = json_pack("{s:I}", "row", (json_int_t)r->row);
  if (a->ids > 0) {
    json_t *ids = json_object();
    for (size_t i = 0; i < a->ids; i++)
      json_object_set_new(ids, a->id_names[i], report_string(mlp_cl_rows_kept(a->from->rows, r->place, i)));
    json_object_set_new(entry, "id", ids);
  }
  if (a->has_classes) {
    json_object_set_new(entry, "class", report_string(model_class_name(a->m->info, r->best, buffer)));
    json_object_set_new(entry, "probability", report_number((double)r->probabilities[r->best]));
  }
  if (a->all || !a->has_classes) {
    json_t *list = json_array();
    for (size_t c = 0; c < a->classes; c++) json_array_append_new(list, report_number((double)r->probabilities[c]));
    json_object_set_new(entry, a->has_classes ? "probabilities" : "values", list);
  }
  json_array_append_new(a->list, entry);
}

/* Numbers in the units of their columns. */
static void restore_targets(const answers *a, size_t rows, float *values) {
  for (size_t i = 0; i < rows * a->classes; i++) {
    const mlp_cl_column *column = &a->targets[i % a->classes];
    values[i] = (float)fma((double)values[i], column->divisor, column->offset);
  }
}

static bool find_targets(answers *a) {
  mlp_cl_column column;
  if (!model_target(a->m->info, 0, &column)) return true;
  a->targets = calloc(a->classes, sizeof *a->targets);
  for (size_t c = 0; a->targets && c < a->classes; c++) model_target(a->m->info, c, &a->targets[c]);
  return a->targets != NULL;
}

static void print_row(answers *a, size_t first, size_t place, const float *outputs) {
  answer r = {.row = first + place, .place = place, .probabilities = outputs};
  for (size_t c = 1; c < a->classes; c++) r.best = outputs[c] > outputs[r.best] ? c : r.best;
  switch (a->format) {
    case FORMAT_CSV: print_csv_row(a, &r); break;
    case FORMAT_JSON_LINES: print_json_row(a, &r); break;
    case FORMAT_JSON: add_json_row(a, &r); break;
    case FORMAT_NPY: fwrite(outputs, sizeof *outputs, a->classes, stdout); break;
  }
}

bool answers_add(answers *a, size_t first, const size_t *places, size_t rows, float *outputs) {
  if (a->targets) restore_targets(a, rows, outputs);
  for (size_t i = 0; i < rows; i++) print_row(a, first, places[i], outputs + i * a->classes);
  a->count += rows;
  /* Whoever waits at the other end of a pipe gets each answer at once. */
  fflush(stdout);
  return !a->out_of_memory;
}

/* Numbers of rows become known at the end, so the heading is written again where it is. False where it cannot be. */
static bool print_npy_heading(const answers *a) {
  enum { HEADING = 128, BEFORE = 10 };
  const unsigned one = 1;
  char text[HEADING + 1] = "";
  memset(text, ' ', HEADING);
  memcpy(text, "\x93NUMPY\x01\x00\x76\x00", BEFORE);
  int length =
      snprintf(text + BEFORE, HEADING - BEFORE, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%zu, %zu), }",
               *(const char *)&one ? '<' : '>', a->count, a->classes);
  text[BEFORE + length] = ' ';
  text[HEADING - 1] = '\n';
  return a->start >= 0 && fseek(stdout, a->start, SEEK_SET) == 0 && fwrite(text, 1, HEADING, stdout) == HEADING &&
         fseek(stdout, 0, SEEK_END) == 0;
}

static int print_json(const answers *a, size_t bad) {
  json_t *object = report_object(), *names = json_array();
  for (size_t c = 0; c < a->classes; c++) {
    char buffer[24];
    json_array_append_new(names, report_string(model_class_name(a->m->info, c, buffer)));
  }
  json_object_set_new(object, "device", report_device(mlp_cl_context_device(a->m->context)));
  json_object_set_new(object, "classes", names);
  json_object_set_new(object, "bad_rows", json_integer((json_int_t)bad));
  json_object_set(object, "predictions", a->list);
  return report_json(object, STATUS_OK);
}

/* Whoever reads columns by name would get one of two. */
static void warn_of_names(const answers *a) {
  static const char *const own[] = {"class", "probability"};
  for (size_t i = 0; a->format == FORMAT_CSV && i < a->ids; i++) {
    const char *id = mlp_cl_rows_kept_name(a->from->rows, i);
    bool taken = a->has_classes && (strcmp(id, own[0]) == 0 || strcmp(id, own[1]) == 0);
    char buffer[24], shown[60];
    for (size_t c = 0; (a->all || !a->has_classes) && c < a->classes; c++)
      taken = taken || strcmp(id, model_class_name(a->m->info, c, buffer)) == 0;
    if (taken)
      report_note("warning: two columns of the answers are called \"%s\"", report_escape(id, shown, sizeof shown));
  }
}

/* What the options ask for, if it goes together. */
static int choose_format(const options *o, const opened_model *m, written *format) {
  static const char *const formats[] = {"csv", "jsonl", "npy", NULL};
  size_t chosen = 0;
  if (!options_word(o, OPTION_FORMAT, formats, &chosen)) return STATUS_USAGE;
  if (report_is_json() && options_has(o, OPTION_FORMAT))
    return report_usage("--json is a format of its own: give it or --format, not both");
  *format = report_is_json() ? FORMAT_JSON : (written)chosen;
  if (*format == FORMAT_NPY && options_has(o, OPTION_ID))
    return report_usage("--id goes with csv and jsonl: an array has no texts");
  if (*format == FORMAT_NPY && options_has(o, OPTION_SKIP_BAD))
    return report_usage("--skip-bad goes with csv and jsonl: an array does not say which rows it lacks");
  if (options_has(o, OPTION_ALL) && !model_has_classes(m->info))
    report_note("--all changes nothing: every output of %s is written anyway", o->operand);
  return STATUS_OK;
}

static int print_heading(answers *a) {
  if (a->format == FORMAT_CSV) print_csv_heading(a);
  if (a->format != FORMAT_NPY) return STATUS_OK;
  if (fcntl(STDOUT_FILENO, F_GETFL) & O_APPEND)
    return report_usage("--format npy needs a file of its own: write > FILE.npy behind the command, not >>");
  a->start = ftell(stdout);
  return print_npy_heading(a)
             ? STATUS_OK
             : report_usage("--format npy needs a file, not a pipe: write > FILE.npy behind the command");
}

int answers_begin(const options *o, const opened_model *m, const opened_rows *from, answers **begun) {
  *begun = NULL;
  written format;
  mlp_cl_error error;
  const char *ids = options_text(o, OPTION_ID, NULL);
  int status = choose_format(o, m, &format);
  if (status != STATUS_OK) return status;
  if (ids && mlp_cl_rows_keep(from->rows, ids, &error) != MLP_CL_OK) return report_failure(&error);
  answers *a = calloc(1, sizeof *a);
  if (a)
    *a = (answers){.m = m,
                   .from = from,
                   .format = format,
                   .classes = model_outputs(m->info),
                   .has_classes = model_has_classes(m->info),
                   .all = options_has(o, OPTION_ALL),
                   .ids = mlp_cl_rows_kept_columns(from->rows),
                   .list = format == FORMAT_JSON ? json_array() : NULL};
  if (!a || (format == FORMAT_JSON && !a->list) || !write_names(a) || !find_targets(a)) {
    answers_free(a);
    return report_failed(MLP_CL_NO_MEMORY, "out of memory for the names of %zu classes", model_outputs(m->info));
  }
  warn_of_names(a);
  status = print_heading(a);
  if (status == STATUS_OK)
    *begun = a;
  else
    answers_free(a);
  return status;
}

int answers_end(answers *a, size_t bad) {
  if (a->format == FORMAT_JSON) return print_json(a, bad);
  if (a->format == FORMAT_NPY && !print_npy_heading(a))
    return report_failed(MLP_CL_IO, "standard output could not be written");
  return STATUS_OK;
}

void answers_free(answers *a) {
  if (!a) return;
  for (size_t c = 0; a->fields && c < a->classes; c++) free(a->fields[c]);
  for (size_t i = 0; a->id_names && i < a->ids; i++) free(a->id_names[i]);
  free(a->fields);
  free(a->id_names);
  free(a->targets);
  json_decref(a->list);
  free(a);
}
