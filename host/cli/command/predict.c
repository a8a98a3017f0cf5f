/* mlp_cl predict: a class and its probability for each row, written while rows come: from a file, or through a pipe. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "input/model.h"
#include "input/rows.h"
#include "input/source.h"
#include "terminal/interrupt.h"
#include "terminal/report.h"

/* A call takes up to CHUNK rows and about CHUNK_VALUES values: that bounds memory and keeps Ctrl-C prompt. */
enum { CHUNK = 1024, CHUNK_VALUES = 1 << 20, BAD_ROWS_TOLD = 10 };

static struct poptOption data_options[] = {
    OPTION_VALUE("data", OPTION_DATA,
                 "rows, as FILE: a table, arrays (IDX, NPY, NPZ), a folder in the MNIST layout, 'digits', or '-' "
                 "(default: standard input for a model of tables, else digits)",
                 "SOURCE"),
    OPTION_ROW_LABELS,
    OPTION_ROW_HEADER,
    OPTION_ROW_PART,
    OPTION_FLAG("skip-bad", OPTION_SKIP_BAD, "rows of a table that do not fit are told, get no answer and end nothing"),
    POPT_TABLEEND};

static struct poptOption result_options[] = {
    OPTION_VALUE("format", OPTION_FORMAT, "what is written: csv, jsonl (a JSON object a line) or npy (default: csv)",
                 "NAME"),
    OPTION_FLAG("all", OPTION_ALL, "the probability of every class"),
    OPTION_VALUE("id", OPTION_ID, "columns of the table to write in front, instead of the row's number", "COLUMN,..."),
    POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Data", data_options), OPTION_GROUP("Result", result_options),
                                    OPTION_GROUP("Device", device_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

typedef enum written { FORMAT_CSV, FORMAT_JSON_LINES, FORMAT_NPY } written;

typedef struct printer {
  const opened_model *m;
  size_t classes;
  bool all;        /* probabilities of every class */
  written format;  /* of what is written row by row */
  char **fields;   /* the names of classes as they are written; owned */
  char **id_names; /* of the columns that are written in front; owned */
  const opened_rows *from;
  bool skip_bad;
  bool *out_of_memory; /* set where a text could not be written */
  size_t ids;          /* columns that are written in front */
  json_t *rows;        /* for --json, else NULL */
  bool has_classes;
  mlp_cl_column *targets; /* of numbers to learn, one for each output; owned; else NULL */
} printer;

/* What is told of a row. */
typedef struct answer {
  size_t row, place; /* counted from the first; among those that the source gave last */
  const float *probabilities;
  size_t best;
} answer;

/* What became of rows. */
typedef struct tally {
  size_t answered, bad;
} tally;

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
static char *written_name(const printer *p, const char *text) {
  if (!p->rows) return p->format == FORMAT_JSON_LINES ? json_field(text) : csv_field(text);
  json_t *string = report_string(text);
  char *key = string ? strdup(json_string_value(string)) : NULL;
  json_decref(string);
  return key;
}

static bool write_names(printer *p) {
  p->fields = calloc(p->classes, sizeof *p->fields);
  p->id_names = calloc(p->ids + 1, sizeof *p->id_names);
  if (!p->fields || !p->id_names) return false;
  for (size_t c = 0; c < p->classes; c++) {
    char buffer[24];
    p->fields[c] = written_name(p, model_class_name(p->m->info, c, buffer));
    if (!p->fields[c]) return false;
  }
  for (size_t i = 0; i < p->ids; i++) {
    p->id_names[i] = written_name(p, mlp_cl_rows_kept_name(p->from->rows, i));
    if (!p->id_names[i]) return false;
  }
  return true;
}

static void free_names(printer *p) {
  for (size_t c = 0; p->fields && c < p->classes; c++) free(p->fields[c]);
  for (size_t i = 0; p->id_names && i < p->ids; i++) free(p->id_names[i]);
  free(p->fields);
  free(p->id_names);
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
static void print_text(const printer *p, const char *text) {
  char *field = p->format == FORMAT_CSV ? csv_field(text) : json_field(text);
  if (field)
    fputs(field, stdout);
  else
    *p->out_of_memory = true;
  free(field);
}

static void print_csv_heading(const printer *p) {
  for (size_t i = 0; i < p->ids; i++) printf("%s%s", i > 0 ? "," : "", p->id_names[i]);
  if (p->ids == 0) fputs("row", stdout);
  if (p->has_classes) fputs(",class,probability", stdout);
  for (size_t c = 0; (p->all || !p->has_classes) && c < p->classes; c++) printf(",%s", p->fields[c]);
  putchar('\n');
}

static void print_csv_row(const printer *p, const answer *a) {
  for (size_t i = 0; i < p->ids; i++) {
    if (i > 0) putchar(',');
    print_text(p, mlp_cl_rows_kept(p->from->rows, a->place, i));
  }
  if (p->ids == 0) printf("%zu", a->row);
  if (p->has_classes) {
    printf(",%s,", p->fields[a->best]);
    print_number(a->probabilities[a->best]);
  }
  for (size_t c = 0; (p->all || !p->has_classes) && c < p->classes; c++) {
    putchar(',');
    print_number(a->probabilities[c]);
  }
  putchar('\n');
}

static void print_json_row(const printer *p, const answer *a) {
  bool each = p->all || !p->has_classes;
  printf("{\"row\":%zu", a->row);
  for (size_t i = 0; i < p->ids; i++) {
    printf("%s%s:", i > 0 ? "," : ",\"id\":{", p->id_names[i]);
    print_text(p, mlp_cl_rows_kept(p->from->rows, a->place, i));
  }
  if (p->ids > 0) putchar('}');
  if (p->has_classes) {
    printf(",\"class\":%s,\"probability\":", p->fields[a->best]);
    print_number(a->probabilities[a->best]);
  }
  for (size_t c = 0; each && c < p->classes; c++) {
    printf("%s%s:", c ? "," : p->has_classes ? ",\"probabilities\":{" : ",\"values\":{", p->fields[c]);
    print_number(a->probabilities[c]);
  }
  fputs(each ? "}}\n" : "}\n", stdout);
}

static void add_json_row(const printer *p, const answer *a) {
  char buffer[24];
  json_t *entry = json_pack("{s:I}", "row", (json_int_t)a->row);
  if (p->ids > 0) {
    json_t *ids = json_object();
    for (size_t i = 0; i < p->ids; i++)
      json_object_set_new(ids, p->id_names[i], report_string(mlp_cl_rows_kept(p->from->rows, a->place, i)));
    json_object_set_new(entry, "id", ids);
  }
  if (p->has_classes) {
    json_object_set_new(entry, "class", report_string(model_class_name(p->m->info, a->best, buffer)));
    json_object_set_new(entry, "probability", report_number((double)a->probabilities[a->best]));
  }
  if (p->all || !p->has_classes) {
    json_t *list = json_array();
    for (size_t c = 0; c < p->classes; c++) json_array_append_new(list, report_number((double)a->probabilities[c]));
    json_object_set_new(entry, p->has_classes ? "probabilities" : "values", list);
  }
  json_array_append_new(p->rows, entry);
}

/* Numbers in the units of their columns. */
static void restore_targets(const printer *p, size_t rows, float *values) {
  for (size_t i = 0; i < rows * p->classes; i++) {
    const mlp_cl_column *column = &p->targets[i % p->classes];
    values[i] = (float)fma((double)values[i], column->divisor, column->offset);
  }
}

static bool find_targets(printer *p) {
  mlp_cl_column column;
  if (!model_target(p->m->info, 0, &column)) return true;
  p->targets = calloc(p->classes, sizeof *p->targets);
  for (size_t c = 0; p->targets && c < p->classes; c++) model_target(p->m->info, c, &p->targets[c]);
  return p->targets != NULL;
}

/* Rows of which places[i] is the place among those that the source gave last, from row `first` on. */
static void print_rows(const printer *p, size_t first, const size_t *places, size_t rows, const float *probabilities) {
  void (*print)(const printer *, const answer *) = p->rows                   ? add_json_row
                                                   : p->format == FORMAT_CSV ? print_csv_row
                                                                             : print_json_row;
  if (p->format == FORMAT_NPY) fwrite(probabilities, sizeof *probabilities, rows * p->classes, stdout);
  for (size_t i = 0; p->format != FORMAT_NPY && i < rows; i++) {
    answer a = {.row = first + places[i], .place = places[i], .probabilities = probabilities + i * p->classes};
    for (size_t c = 1; c < p->classes; c++) a.best = a.probabilities[c] > a.probabilities[a.best] ? c : a.best;
    print(p, &a);
  }
  /* Whoever waits at the other end of a pipe gets each answer at once. */
  fflush(stdout);
}

/* Numbers of rows become known at the end, so the heading is written again where it is. False where it cannot be. */
static bool print_npy_heading(const printer *p, long start, size_t rows) {
  enum { HEADING = 128, BEFORE = 10 };
  const unsigned one = 1;
  char text[HEADING + 1] = "";
  memset(text, ' ', HEADING);
  memcpy(text, "\x93NUMPY\x01\x00\x76\x00", BEFORE);
  int length =
      snprintf(text + BEFORE, HEADING - BEFORE, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%zu, %zu), }",
               *(const char *)&one ? '<' : '>', rows, p->classes);
  text[BEFORE + length] = ' ';
  text[HEADING - 1] = '\n';
  return start >= 0 && fseek(stdout, start, SEEK_SET) == 0 && fwrite(text, 1, HEADING, stdout) == HEADING &&
         fseek(stdout, 0, SEEK_END) == 0;
}

static int print_json(const printer *p, const tally *t) {
  json_t *object = report_object(), *names = json_array();
  for (size_t c = 0; c < p->classes; c++) {
    char buffer[24];
    json_array_append_new(names, report_string(model_class_name(p->m->info, c, buffer)));
  }
  json_object_set_new(object, "device", report_device(mlp_cl_context_device(p->m->context)));
  json_object_set_new(object, "classes", names);
  json_object_set_new(object, "bad_rows", json_integer((json_int_t)t->bad));
  json_object_set(object, "predictions", p->rows);
  return report_json(object, STATUS_OK);
}

/* ---- The work ---------------------------------------------------------------------------------------------------- */

/* Room for the rows of a call. */
typedef struct chunk {
  size_t rows, width;
  float *features, *probabilities;
  size_t *places;
} chunk;

static bool is_wanted(const opened_rows *from, size_t row) {
  return !from->marks || (row < from->marks_count && from->marks[row] == from->part);
}

/* Moves those of the `got` rows from row `first` on together that are wanted. */
static size_t choose_rows(const printer *p, size_t first, size_t got, chunk *c) {
  size_t count = 0;
  for (size_t i = 0; i < got; i++) {
    if (!is_wanted(p->from, first + i)) continue;
    if (count < i) memcpy(c->features + count * c->width, c->features + i * c->width, c->width * sizeof *c->features);
    c->places[count++] = i;
  }
  return count;
}

/* A row that is passed over, as was asked for. The first ones are told. */
static bool pass_over(const printer *p, const mlp_cl_error *error, size_t *bad_rows) {
  if (!p->skip_bad || error->status != MLP_CL_BAD_FILE || !mlp_cl_rows_may_go_on(p->from->rows)) return false;
  if (++*bad_rows <= BAD_ROWS_TOLD) report_note("warning: no answer: %s", error->text);
  return true;
}

/* Answers those of `got` rows from row `first` on that are wanted. */
static mlp_cl_status answer_rows(const printer *p, size_t first, size_t got, chunk *c, size_t *answered,
                                 mlp_cl_error *error) {
  size_t chosen = choose_rows(p, first, got, c);
  if (chosen == 0) return MLP_CL_OK;
  mlp_cl_status status = mlp_cl_network_predict(p->m->network, c->features, chosen, c->probabilities, error);
  if (status != MLP_CL_OK) return status;
  if (p->targets) restore_targets(p, chosen, c->probabilities);
  print_rows(p, first, c->places, chosen, c->probabilities);
  *answered += chosen;
  if (*p->out_of_memory) *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "out of memory for the texts of --id"};
  return *p->out_of_memory ? MLP_CL_NO_MEMORY : MLP_CL_OK;
}

/* The rows before a bad one are answered. */
static mlp_cl_status predict_all(const printer *p, chunk *c, tally *t, mlp_cl_error *error) {
  mlp_cl_status status = MLP_CL_OK;
  *t = (tally){0};
  for (size_t done = 0, got = 1, passed = 0; status == MLP_CL_OK && got + passed > 0; done += got + passed) {
    mlp_cl_error later;
    status = mlp_cl_rows_next(p->from->rows, c->rows, c->features, &got, error);
    mlp_cl_status answered = answer_rows(p, done, got, c, &t->answered, &later);
    if (answered != MLP_CL_OK) {
      *error = later;
      return answered;
    }
    passed = status != MLP_CL_OK && pass_over(p, error, &t->bad);
    if (passed > 0) status = MLP_CL_OK;
    if (interrupt_signal()) {
      *error = (mlp_cl_error){.status = MLP_CL_CANCELLED};
      return MLP_CL_CANCELLED;
    }
    if (ferror(stdout)) break;
  }
  if (t->bad > BAD_ROWS_TOLD) report_note("warning: %zu rows have no answer", t->bad);
  return status;
}

static int predict_rows(const printer *p) {
  size_t width = mlp_cl_rows_width(p->from->rows), widest = width > p->classes ? width : p->classes;
  chunk c = {.rows = widest * CHUNK <= CHUNK_VALUES ? CHUNK : CHUNK_VALUES / widest + 1, .width = width};
  c.features = calloc(width, c.rows * sizeof *c.features);
  c.probabilities = calloc(p->classes, c.rows * sizeof *c.probabilities);
  c.places = calloc(c.rows, sizeof *c.places);
  mlp_cl_error error;
  int status = STATUS_OK;
  bool npy = !p->rows && p->format == FORMAT_NPY;
  long start = npy ? ftell(stdout) : 0;
  tally t;
  if (!p->rows && p->format == FORMAT_CSV) print_csv_heading(p);
  if (!c.features || !c.probabilities || !c.places)
    status = report_failed(MLP_CL_NO_MEMORY, "out of memory for %zu rows of %zu values", c.rows, width + p->classes);
  else if (npy && !print_npy_heading(p, start, 0))
    status = report_usage("--format npy needs a file, not a pipe: write > FILE.npy behind the command");
  else if (predict_all(p, &c, &t, &error) != MLP_CL_OK)
    status = report_failure(&error);
  else if (npy && !print_npy_heading(p, start, t.answered))
    status = report_failed(MLP_CL_IO, "standard output could not be written");
  else if (p->rows)
    status = print_json(p, &t);
  free(c.features);
  free(c.probabilities);
  free(c.places);
  return status;
}

/* Whoever reads columns by name would get one of two. */
static void warn_of_names(const printer *p) {
  static const char *const own[] = {"class", "probability"};
  for (size_t i = 0; p->format == FORMAT_CSV && !p->rows && i < p->ids; i++) {
    const char *id = mlp_cl_rows_kept_name(p->from->rows, i);
    bool taken = p->has_classes && (strcmp(id, own[0]) == 0 || strcmp(id, own[1]) == 0);
    char buffer[24], shown[60];
    for (size_t c = 0; (p->all || !p->has_classes) && c < p->classes; c++)
      taken = taken || strcmp(id, model_class_name(p->m->info, c, buffer)) == 0;
    if (taken)
      report_note("warning: two columns of the answers are called \"%s\"", report_escape(id, shown, sizeof shown));
  }
}

static int predict_opened(const options *o, const opened_model *m, const opened_rows *from) {
  static const char *const formats[] = {"csv", "jsonl", "npy", NULL};
  size_t chosen = 0;
  if (!options_word(o, OPTION_FORMAT, formats, &chosen)) return STATUS_USAGE;
  if (report_is_json() && options_has(o, OPTION_FORMAT))
    return report_usage("--json is a format of its own: give it or --format, not both");
  mlp_cl_error error;
  const char *ids = options_text(o, OPTION_ID, NULL);
  if (ids && chosen == FORMAT_NPY) return report_usage("--id goes with csv and jsonl: an array has no texts");
  if (options_has(o, OPTION_SKIP_BAD) && chosen == FORMAT_NPY)
    return report_usage("--skip-bad goes with csv and jsonl: an array does not say which rows it lacks");
  if (ids && mlp_cl_rows_keep(from->rows, ids, &error) != MLP_CL_OK) return report_failure(&error);
  if (options_has(o, OPTION_ALL) && !model_has_classes(m->info))
    report_note("--all changes nothing: every output of %s is written anyway", o->operand);
  bool out_of_memory = false;
  printer p = {.m = m,
               .classes = model_outputs(m->info),
               .has_classes = model_has_classes(m->info),
               .all = options_has(o, OPTION_ALL),
               .skip_bad = options_has(o, OPTION_SKIP_BAD),
               .format = (written)chosen,
               .from = from,
               .out_of_memory = &out_of_memory,
               .ids = mlp_cl_rows_kept_columns(from->rows),
               .rows = report_is_json() ? json_array() : NULL};
  warn_of_names(&p);
  bool good = (!report_is_json() || p.rows) && write_names(&p) && find_targets(&p);
  int status = good ? predict_rows(&p)
                    : report_failed(MLP_CL_NO_MEMORY, "out of memory for the names of %zu classes", p.classes);
  json_decref(p.rows);
  free(p.targets);
  free_names(&p);
  return status;
}

/* The second operand, --data, what was trained on when that is built in, or standard input. */
static const char *find_source(const options *o, const opened_model *m) {
  if (o->operands_count > 1) return o->operands[1];
  if (options_has(o, OPTION_DATA)) return source_name(o);
  return mlp_cl_model_info_encoding(m->info) ? "-" : "digits";
}

static int predict(const options *o) {
  opened_model m;
  opened_rows rows = {0};
  if (o->operands_count > 1 && options_has(o, OPTION_DATA))
    return report_usage("%s and --data %s: give one of them", o->operands[1], source_name(o));
  int status = open_model(o, &m);
  const char *source = status == STATUS_OK ? find_source(o, &m) : NULL;
  /* A signal while a pipe is waited for ends the process at once. */
  if (source && strcmp(source, "-") != 0) interrupt_defer();
  if (status == STATUS_OK) status = open_rows(o, &m, source, &rows);
  if (status == STATUS_OK) status = predict_opened(o, &m, &rows);
  close_rows(&rows);
  close_model(&m);
  return status;
}

const command predict_command = {
    .name = "predict",
    .summary = "the class or the numbers of every row of a file or of standard input",
    .operand = "MODEL.safetensors [FILE|-]",
    .examples =
        "  mlp_cl predict digits.safetensors > classes.csv\n"
        "  mlp_cl predict people.safetensors more-people.csv --id name --all > classes.csv\n"
        "  tail -f measured.csv | mlp_cl predict people.safetensors - --skip-bad --format jsonl\n"
        "  echo 5.1,3.5,1.4,0.2 | mlp_cl predict iris.safetensors - --format jsonl\n"
        "  mlp_cl predict fashion.safetensors images.npy --format npy > probabilities.npy\n",
    .table = table,
    .run = predict,
};
