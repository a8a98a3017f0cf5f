/* mlp_cl predict: a class and its probability for each row, as CSV. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "interrupt.h"
#include "open.h"
#include "report.h"

enum { CHUNK = 1024 }; /* rows per call: bounds memory and keeps Ctrl-C prompt */

static struct poptOption data_options[] = {
    OPTION_ROW_DATA, OPTION_ROW_PART,
    OPTION_FLAG("probabilities", OPTION_PROBABILITIES, "a column with the probability of every class"), POPT_TABLEEND};

static struct poptOption table[] = {OPTION_GROUP("Data", data_options), OPTION_GROUP("Device", device_options),
                                    OPTION_GROUP("Output", output_options), POPT_TABLEEND};

typedef struct printer {
  const opened_model *m;
  size_t classes;
  bool all;     /* probabilities of every class */
  json_t *rows; /* NULL for CSV */
} printer;

/* As RFC 4180 quotes. */
static void print_field(const char *text) {
  if (!strpbrk(text, ",\"\r\n")) {
    fputs(text, stdout);
    return;
  }
  putchar('"');
  for (; *text; text++) {
    if (*text == '"') putchar('"');
    putchar(*text);
  }
  putchar('"');
}

static void print_csv_heading(const printer *p) {
  fputs("row,class,probability", stdout);
  for (size_t c = 0; p->all && c < p->classes; c++) {
    char buffer[24];
    putchar(',');
    print_field(open_class_name(p->m, c, buffer));
  }
  putchar('\n');
}

/* Nine digits bring a float32 back exactly. */
static void print_csv_row(const printer *p, size_t row, const float *probabilities, size_t best) {
  char buffer[24];
  printf("%zu,", row);
  print_field(open_class_name(p->m, best, buffer));
  printf(",%.9g", (double)probabilities[best]);
  for (size_t c = 0; p->all && c < p->classes; c++) printf(",%.9g", (double)probabilities[c]);
  putchar('\n');
}

static void add_json_row(const printer *p, size_t row, const float *probabilities, size_t best) {
  char buffer[24];
  json_t *entry =
      json_pack("{s:I, s:o, s:o}", "row", (json_int_t)row, "class", report_string(open_class_name(p->m, best, buffer)),
                "probability", report_number((double)probabilities[best]));
  if (p->all) {
    json_t *list = json_array();
    for (size_t c = 0; c < p->classes; c++) json_array_append_new(list, report_number((double)probabilities[c]));
    json_object_set_new(entry, "probabilities", list);
  }
  json_array_append_new(p->rows, entry);
}

static void print_rows(const printer *p, size_t first, size_t rows, const float *probabilities) {
  for (size_t i = 0; i < rows; i++) {
    const float *line = probabilities + i * p->classes;
    size_t best = 0;
    for (size_t c = 1; c < p->classes; c++) best = line[c] > line[best] ? c : best;
    if (p->rows)
      add_json_row(p, first + i, line, best);
    else
      print_csv_row(p, first + i, line, best);
  }
}

static mlp_cl_status predict_all(const printer *p, float *probabilities, mlp_cl_error *error) {
  size_t rows = mlp_cl_dataset_rows(p->m->data);
  interrupt_defer();
  for (size_t first = 0; first < rows; first += CHUNK) {
    size_t count = rows - first < CHUNK ? rows - first : CHUNK;
    mlp_cl_status status =
        mlp_cl_network_predict_dataset(p->m->network, p->m->data, first, count, probabilities, error);
    if (status != MLP_CL_OK) return status;
    print_rows(p, first, count, probabilities);
    if (interrupt_signal()) {
      *error = (mlp_cl_error){.status = MLP_CL_CANCELLED};
      return MLP_CL_CANCELLED;
    }
  }
  return MLP_CL_OK;
}

static int print_json(const printer *p) {
  json_t *object = report_object(), *names = json_array();
  for (size_t c = 0; c < p->classes; c++) {
    char buffer[24];
    json_array_append_new(names, report_string(open_class_name(p->m, c, buffer)));
  }
  json_object_set_new(object, "device", report_device(mlp_cl_context_device(p->m->context)));
  json_object_set_new(object, "classes", names);
  json_object_set(object, "predictions", p->rows);
  return report_json(object, STATUS_OK);
}

static int predict_opened(const options *o, const opened_model *m) {
  printer p = {.m = m,
               .classes = mlp_cl_network_width(m->network, mlp_cl_network_layers(m->network)),
               .all = options_has(o, OPTION_PROBABILITIES),
               .rows = report_is_json() ? json_array() : NULL};
  float *probabilities = calloc(p.classes, CHUNK * sizeof *probabilities);
  mlp_cl_error error;
  int status = STATUS_OK;
  if (!p.rows) print_csv_heading(&p);
  if (!probabilities)
    status = report_failed(MLP_CL_NO_MEMORY, "out of memory for %d rows of %zu classes", CHUNK, p.classes);
  else if (predict_all(&p, probabilities, &error) != MLP_CL_OK)
    status = report_failure(&error);
  else if (p.rows)
    status = print_json(&p);
  json_decref(p.rows);
  free(probabilities);
  return status;
}

static int predict(const options *o) {
  opened_model m;
  int status = open_model(o, &m);
  if (status == STATUS_OK) status = predict_opened(o, &m);
  close_model(&m);
  return status;
}

const command predict_command = {
    .name = "predict",
    .summary = "the class of every row of some data, as CSV",
    .operand = "MODEL.safetensors",
    .examples =
        "  mlp_cl predict digits.safetensors > classes.csv\n"
        "  mlp_cl predict fashion.safetensors --data images.idx.gz --probabilities\n",
    .table = table,
    .run = predict,
};
