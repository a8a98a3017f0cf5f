/* A model that was trained on a table, in a program: a row of fields, as text, to the class or the number.
 * Usage: table_row MODEL FIELD..., as with `mlp_cl train --data examples/iris.csv --out iris.safetensors`:
 * table_row iris.safetensors 5.9 3.0 4.2 1.5 */
#include <math.h>
#include <mlp_cl.h>
#include <stdio.h>
#include <stdlib.h>

/* That there is a field for each column of the table; else the error tells which there are. */
static mlp_cl_status check(const mlp_cl_encoding *encoding, size_t fields, mlp_cl_error *error) {
  mlp_cl_column column;
  if (encoding != NULL && fields == mlp_cl_encoding_fields(encoding)) return MLP_CL_OK;
  error->status = MLP_CL_BAD_ARGUMENT;
  int used = snprintf(error->text, sizeof error->text,
                      encoding == NULL ? "the model was not trained on a table" : "the model wants these fields:");
  for (size_t i = 0;
       encoding != NULL && i < mlp_cl_encoding_fields(encoding) && mlp_cl_encoding_column(encoding, i, &column); i++)
    if (used < (int)sizeof error->text)
      used += snprintf(error->text + used, sizeof error->text - (size_t)used, " %s", column.name);
  return error->status;
}

static void print_answer(const mlp_cl_encoding *encoding, const float *outputs) {
  mlp_cl_column label;
  size_t best = 0, i = mlp_cl_encoding_fields(encoding);
  for (size_t at = i; mlp_cl_encoding_column(encoding, at, &label) && label.kind == MLP_CL_COLUMN_TARGET; at++)
    printf("%s = %g\n", label.name, fma((double)outputs[at - i], label.divisor, label.offset));
  if (!mlp_cl_encoding_column(encoding, i, &label) || label.kind != MLP_CL_COLUMN_CLASSES) return;
  for (size_t c = 1; c < label.values_count; c++) best = outputs[c] > outputs[best] ? c : best;
  printf("%s, %.3f\n", label.values[best], (double)outputs[best]);
}

static mlp_cl_status answer(mlp_cl_network *network, const mlp_cl_encoding *encoding, const char *const *fields,
                            mlp_cl_error *error) {
  size_t outputs = mlp_cl_network_width(network, mlp_cl_network_layers(network));
  float *row = calloc(mlp_cl_encoding_width(encoding) + outputs, sizeof *row);
  if (row == NULL) {
    *error = (mlp_cl_error){MLP_CL_NO_MEMORY, "out of memory"};
    return error->status;
  }
  float *answers = row + mlp_cl_encoding_width(encoding);
  mlp_cl_status status = mlp_cl_encoding_row(encoding, fields, row, error);
  if (status == MLP_CL_OK) status = mlp_cl_network_predict(network, row, 1, answers, error);
  if (status == MLP_CL_OK) print_answer(encoding, answers);
  free(row);
  return status;
}

int main(int argc, char **argv) {
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_model_info *info = NULL;
  const mlp_cl_encoding *encoding = NULL;
  if (argc < 3) {
    fprintf(stderr, "usage: table_row MODEL FIELD...\n");
    return 2;
  }
  /* A row is computed on the host whatever the device: the reference opens at once. */
  mlp_cl_status status = mlp_cl_context_create("reference", NULL, &context, &error);
  if (status == MLP_CL_OK) status = mlp_cl_network_load(context, argv[1], &network, &info, &error);
  if (status == MLP_CL_OK) encoding = mlp_cl_model_info_encoding(info);
  if (status == MLP_CL_OK) status = check(encoding, (size_t)argc - 2, &error);
  if (status == MLP_CL_OK) status = answer(network, encoding, (const char *const *)argv + 2, &error);
  if (status != MLP_CL_OK) fprintf(stderr, "table_row: %s\n", error.text);
  mlp_cl_model_info_destroy(info);
  mlp_cl_network_destroy(network);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? 0 : 1;
}
