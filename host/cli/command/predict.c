/* mlp_cl predict: a class and its probability for each row, written while rows come: from a file, or through a pipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/answers.h"
#include "command/command.h"
#include "input/model.h"
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

static struct poptOption table[] = {OPTION_GROUP("Data", data_options), OPTION_GROUP("Result", answer_options),
                                    OPTION_GROUP("Device", device_options), OPTION_GROUP("Output", output_options),
                                    POPT_TABLEEND};

/* Room for the rows of a call. */
typedef struct chunk {
  size_t rows, width;
  float *features, *outputs;
  size_t *places;
} chunk;

static bool is_wanted(const opened_rows *from, size_t row) {
  return !from->marks || (row < from->marks_count && from->marks[row] == from->part);
}

/* Moves those of the `got` rows from row `first` on together that are wanted. */
static size_t choose_rows(const opened_rows *from, size_t first, size_t got, chunk *c) {
  size_t count = 0;
  for (size_t i = 0; i < got; i++) {
    if (!is_wanted(from, first + i)) continue;
    if (count < i) memcpy(c->features + count * c->width, c->features + i * c->width, c->width * sizeof *c->features);
    c->places[count++] = i;
  }
  return count;
}

/* What became of rows. */
typedef struct prediction {
  const opened_model *m;
  const opened_rows *from;
  answers *written;
  bool skip_bad;
  size_t bad;
} prediction;

/* A row that is passed over, as was asked for. The first ones are told. */
static bool pass_over(prediction *p, const mlp_cl_error *error) {
  if (!p->skip_bad || error->status != MLP_CL_BAD_FILE || !mlp_cl_rows_may_go_on(p->from->rows)) return false;
  if (++p->bad <= BAD_ROWS_TOLD) report_note("warning: no answer: %s", error->text);
  return true;
}

/* Answers those of `got` rows from row `first` on that are wanted. */
static mlp_cl_status answer_rows(const prediction *p, size_t first, size_t got, chunk *c, mlp_cl_error *error) {
  size_t chosen = choose_rows(p->from, first, got, c);
  if (chosen == 0) return MLP_CL_OK;
  mlp_cl_status status = mlp_cl_network_predict(p->m->network, c->features, chosen, c->outputs, error);
  if (status != MLP_CL_OK || answers_add(p->written, first, c->places, chosen, c->outputs)) return status;
  *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "out of memory for the texts of --id"};
  return MLP_CL_NO_MEMORY;
}

/* The rows before a bad one are answered. */
static mlp_cl_status predict_all(prediction *p, chunk *c, mlp_cl_error *error) {
  mlp_cl_status status = MLP_CL_OK;
  for (size_t done = 0, got = 1, passed = 0; status == MLP_CL_OK && got + passed > 0; done += got + passed) {
    mlp_cl_error later;
    status = mlp_cl_rows_next(p->from->rows, c->rows, c->features, &got, error);
    mlp_cl_status answered = answer_rows(p, done, got, c, &later);
    if (answered != MLP_CL_OK) {
      *error = later;
      return answered;
    }
    passed = status != MLP_CL_OK && pass_over(p, error);
    if (passed > 0) status = MLP_CL_OK;
    if (interrupt_signal()) {
      *error = (mlp_cl_error){.status = MLP_CL_CANCELLED};
      return MLP_CL_CANCELLED;
    }
    if (ferror(stdout)) break;
  }
  if (p->bad > BAD_ROWS_TOLD) report_note("warning: %zu rows have no answer", p->bad);
  return status;
}

static int predict_rows(prediction *p) {
  size_t width = mlp_cl_rows_width(p->from->rows), outputs = model_outputs(p->m->info);
  size_t widest = width > outputs ? width : outputs;
  chunk c = {.rows = widest * CHUNK <= CHUNK_VALUES ? CHUNK : CHUNK_VALUES / widest + 1, .width = width};
  c.features = calloc(width, c.rows * sizeof *c.features);
  c.outputs = calloc(outputs, c.rows * sizeof *c.outputs);
  c.places = calloc(c.rows, sizeof *c.places);
  mlp_cl_error error;
  int status;
  if (!c.features || !c.outputs || !c.places)
    status = report_failed(MLP_CL_NO_MEMORY, "out of memory for %zu rows of %zu values", c.rows, width + outputs);
  else if (predict_all(p, &c, &error) != MLP_CL_OK)
    status = report_failure(&error);
  else
    status = answers_end(p->written, p->bad);
  free(c.features);
  free(c.outputs);
  free(c.places);
  return status;
}

static int predict_opened(const options *o, const opened_model *m, const opened_rows *from) {
  prediction p = {.m = m, .from = from, .skip_bad = options_has(o, OPTION_SKIP_BAD)};
  int status = answers_begin(o, m, from, &p.written);
  if (status == STATUS_OK) status = predict_rows(&p);
  answers_free(p.written);
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
