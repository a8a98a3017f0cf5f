/* Exported networks: the file is decoded again, run in double precision, and compared with predict. */
#include <math.h>
#include <onnx.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model_file/model.h"
#include "test.h"

static mlp_cl_context *context;

static void open_all(void) {
  test_folder_create();
  context = test_open_device();
}

static void close_all(void) {
  mlp_cl_context_destroy(context);
  test_folder_remove();
}

static Onnx__ModelProto *decode(const char *name) {
  size_t count;
  unsigned char *bytes = test_file_read(test_path(name), &count);
  Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, count, bytes);
  ck_assert_msg(model != NULL && model->graph != NULL, "%s cannot be decoded", name);
  free(bytes);
  return model;
}

static const Onnx__TensorProto *find_constant(const Onnx__GraphProto *graph, const char *name) {
  for (size_t i = 0; i < graph->n_initializer; i++) {
    if (strcmp(graph->initializer[i]->name, name) == 0) return graph->initializer[i];
  }
  ck_abort_msg("there is no constant %s", name);
  return NULL;
}

static float constant_at(const Onnx__TensorProto *constant, size_t i) {
  const unsigned char *bytes = constant->raw_data.data + 4 * i;
  ck_assert_uint_lt(4 * i, constant->raw_data.len);
  uint32_t bits = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* One row on its way through the graph. */
typedef struct row {
  double values[64];
  size_t count;
} row;

/* y = x · wᵀ + b, as Gemm with transB defines it */
static row gemm(const Onnx__GraphProto *graph, const Onnx__NodeProto *node, const row *x) {
  const Onnx__TensorProto *weight = find_constant(graph, node->input[1]);
  ck_assert_uint_eq(node->n_attribute, 1);
  ck_assert_str_eq(node->attribute[0]->name, "transB");
  ck_assert_int_eq(node->attribute[0]->i, 1);
  ck_assert_int_eq(weight->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
  ck_assert_uint_eq(weight->n_dims, 2);
  ck_assert_int_eq(weight->dims[1], (int64_t)x->count);
  row y = {.count = (size_t)weight->dims[0]};
  ck_assert_uint_eq(weight->raw_data.len, 4 * y.count * x->count);
  for (size_t j = 0; j < y.count; j++) {
    if (node->n_input == 3) y.values[j] = (double)constant_at(find_constant(graph, node->input[2]), j);
    for (size_t i = 0; i < x->count; i++) {
      y.values[j] += x->values[i] * (double)constant_at(weight, j * x->count + i);
    }
  }
  return y;
}

static void softmax(row *x) {
  double most = x->values[0], sum = 0;
  for (size_t i = 0; i < x->count; i++) most = fmax(most, x->values[i]);
  for (size_t i = 0; i < x->count; i++) sum += x->values[i] = exp(x->values[i] - most);
  for (size_t i = 0; i < x->count; i++) x->values[i] /= sum;
}

static double relu(double x) {
  return fmax(x, 0);
}
static double leaky_relu(double x) {
  return x > 0 ? x : 0.01 * x;
}
static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}
static double gelu(double x) {
  return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static const struct function {
  const char *operator;
  double (*of)(double x);
} functions[] = {
    {"Relu", relu}, {"LeakyRelu", leaky_relu}, {"Tanh", tanh}, {"Sigmoid", sigmoid}, {"Gelu", gelu},
};

static bool run_function(const Onnx__NodeProto *node, row *x) {
  for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
    if (strcmp(node->op_type, functions[f].operator) != 0) continue;
    for (size_t i = 0; i < x->count; i++) x->values[i] = functions[f].of(x->values[i]);
    return true;
  }
  return false;
}

/* One operation on the whole row, with a constant of its own for each value. */
static bool run_row_operation(const Onnx__GraphProto *graph, const Onnx__NodeProto *node, row *x) {
  const char *op = node->op_type;
  bool where = strcmp(op, "Where") == 0, sub = strcmp(op, "Sub") == 0, div = strcmp(op, "Div") == 0;
  if (!where && !sub && !div) return false;
  const Onnx__TensorProto *constant = find_constant(graph, node->input[1]);
  ck_assert_int_eq(constant->dims[0], (int64_t)x->count);
  for (size_t i = 0; i < x->count; i++) {
    double c = (double)constant_at(constant, i), *value = &x->values[i];
    *value = sub ? *value - c : div ? *value / c : isnan(*value) ? c : *value;
  }
  return true;
}

static void run_node(const Onnx__GraphProto *graph, const Onnx__NodeProto *node, row *x) {
  if (strcmp(node->op_type, "IsNaN") == 0) return; /* the Where that follows looks itself */
  if (run_row_operation(graph, node, x)) return;
  if (run_function(node, x)) return;
  if (strcmp(node->op_type, "Gemm") == 0) {
    *x = gemm(graph, node, x);
  } else if (strcmp(node->op_type, "Mul") == 0) {
    for (size_t i = 0; i < x->count; i++) x->values[i] *= (double)constant_at(find_constant(graph, node->input[1]), 0);
  } else {
    ck_assert_str_eq(node->op_type, "Softmax");
    softmax(x);
  }
}

/* Each node takes what the one before gives, from the graph's input to its output. */
static void run_graph(const Onnx__GraphProto *graph, row *x) {
  const char *value = graph->input[0]->name;
  for (size_t i = 0; i < graph->n_node; i++) {
    ck_assert_str_eq(graph->node[i]->input[0], value);
    run_node(graph, graph->node[i], x);
    value = graph->node[i]->output[0];
  }
  ck_assert_str_eq(graph->output[0]->name, value);
}

static int64_t columns(const Onnx__ValueInfoProto *info) {
  const Onnx__TensorShapeProto *shape = info->type->tensor_type->shape;
  ck_assert_uint_eq(shape->n_dim, 2);
  ck_assert_str_eq(shape->dim[0]->dim_param, "rows");
  return shape->dim[1]->dim_value;
}

enum { ROWS = 5, MOST = 33 };

static mlp_cl_network *make_network(const size_t *widths, size_t layers, bool bias) {
  const mlp_cl_shape shape = {.widths_count = layers + 1, .widths = widths, .bias = bias, .init = MLP_CL_INIT_PYTORCH};
  mlp_cl_network *network;
  ck_ok(mlp_cl_network_create(context, &shape, 3, &network, &test_error));
  return network;
}

static void expect_equal_outputs(const size_t *widths, size_t layers, bool bias, float scale) {
  mlp_cl_network *network = make_network(widths, layers, bias);
  size_t inputs = widths[0], classes = widths[layers];
  uint8_t features[ROWS * MOST];
  int32_t labels[ROWS];
  for (size_t i = 0; i < ROWS * inputs; i++) features[i] = (uint8_t)(i * 37 % 251);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % classes);
  mlp_cl_dataset *dataset;
  float probabilities[ROWS * MOST];
  ck_ok(
      mlp_cl_dataset_from_arrays(features, MLP_CL_UINT8, ROWS, inputs, scale, labels, classes, &dataset, &test_error));
  ck_ok(mlp_cl_network_predict_dataset(network, dataset, 0, ROWS, probabilities, &test_error));
  ck_ok(mlp_cl_network_save(network, test_path("model"), NULL, dataset, &test_error));
  ck_ok(mlp_cl_export_onnx(test_path("model"), test_path("model.onnx"), &test_error));

  Onnx__ModelProto *model = decode("model.onnx");
  ck_assert_int_eq(model->opset_import[0]->version, 13);
  ck_assert_int_eq(columns(model->graph->input[0]), (int64_t)inputs);
  ck_assert_int_eq(columns(model->graph->output[0]), (int64_t)classes);
  ck_alive(probabilities, ROWS * classes, "probabilities");
  for (size_t r = 0; r < ROWS; r++) {
    row x = {.count = inputs};
    for (size_t i = 0; i < inputs; i++) x.values[i] = features[r * inputs + i];
    run_graph(model->graph, &x);
    ck_assert_uint_eq(x.count, classes);
    ck_close(probabilities + r * classes, x.values, classes, 1e-5, "a row of the graph");
  }
  onnx__model_proto__free_unpacked(model, NULL);
  mlp_cl_dataset_destroy(dataset);
  mlp_cl_network_destroy(network);
}

START_TEST(graphs_compute_what_predict_computes) {
  static const size_t widths[][4] = {{1, 1}, {17, 15}, {3, 33, 31, 2}, {16, 32, 10}, {33, 1, 17}};
  static const size_t layers[] = {1, 1, 3, 2, 2};
  for (size_t i = 0; i < 5; i++) {
    for (int bias = 0; bias < 2; bias++) expect_equal_outputs(widths[i], layers[i], bias, i == 1 ? 1.0f : 1.0f / 255);
  }
}
END_TEST

/* Every activation with every task, on data as they are. */
START_TEST(activations_and_tasks_are_exported) {
  static const size_t widths[] = {7, 17, 5, 3};
  float features[ROWS * 7], outputs[ROWS * 3];
  test_random random = {9};
  test_random_fill(&random, features, ROWS * 7, 3);
  for (int kind = MLP_CL_RELU; kind <= MLP_CL_GELU; kind++) {
    for (int task = MLP_CL_CLASSIFICATION; task <= MLP_CL_MULTI_LABEL; task++) {
      const mlp_cl_shape shape = {.widths_count = 4,
                                  .widths = widths,
                                  .bias = true,
                                  .init = MLP_CL_INIT_PYTORCH,
                                  .activation = (mlp_cl_activation)kind,
                                  .task = (mlp_cl_task)task};
      mlp_cl_network *network, *loaded;
      ck_ok(mlp_cl_network_create(context, &shape, 3, &network, &test_error));
      ck_ok(mlp_cl_network_predict(network, features, ROWS, outputs, &test_error));
      ck_ok(mlp_cl_network_save(network, test_path("model"), NULL, NULL, &test_error));
      ck_ok(mlp_cl_network_load(context, test_path("model"), &loaded, NULL, &test_error));
      ck_assert_int_eq(mlp_cl_network_activation(loaded), kind);
      ck_assert_int_eq(mlp_cl_network_task(loaded), task);
      ck_ok(mlp_cl_export_onnx(test_path("model"), test_path("model.onnx"), &test_error));
      Onnx__ModelProto *model = decode("model.onnx");
      ck_assert_int_eq(model->opset_import[0]->version, kind == MLP_CL_GELU ? 20 : 13);
      ck_assert_str_eq(model->graph->output[0]->name, task == MLP_CL_REGRESSION ? "values" : "probabilities");
      for (size_t r = 0; r < ROWS; r++) {
        row x = {.count = 7};
        for (size_t i = 0; i < 7; i++) x.values[i] = (double)features[r * 7 + i];
        run_graph(model->graph, &x);
        ck_close(outputs + r * 3, x.values, 3, 1e-5, mlp_cl_activation_name((mlp_cl_activation)kind));
      }
      onnx__model_proto__free_unpacked(model, NULL);
      mlp_cl_network_destroy(loaded);
      mlp_cl_network_destroy(network);
    }
  }
}
END_TEST

/* Numbers far from 0, one that is missing, and a column of text: the graph takes them as they are in the table. */
START_TEST(tables_are_encoded_in_the_graph) {
  static const char text[] = "year,colour,kind\n2000.5,red,a\n2001.5,blue,b\n,red,a\n2003,blue,b\n2004.25,red,a\n";
  const double raw[5][3] = {{2000.5, 0, 1}, {2001.5, 1, 0}, {NAN, 0, 1}, {2003, 1, 0}, {2004.25, 0, 1}};
  test_file_write(test_path("table.csv"), text, sizeof text - 1);
  const char *path = test_path("table.csv");
  const mlp_cl_data_options options = {.test_path = path, .one_hot = "all", .missing_mean = true};
  mlp_cl_parts parts;
  ck_ok(mlp_cl_dataset_open_parts(path, &options, &parts, &test_error));
  mlp_cl_network *network = make_network((size_t[]){3, 9, 2}, 2, true);
  float probabilities[5 * 2];
  ck_assert_uint_eq(mlp_cl_dataset_rows(parts.train), 5);
  ck_ok(mlp_cl_network_predict_dataset(network, parts.train, 0, 5, probabilities, &test_error));
  ck_ok(mlp_cl_network_save(network, test_path("model"), NULL, parts.train, &test_error));
  ck_ok(mlp_cl_export_onnx(test_path("model"), test_path("model.onnx"), &test_error));
  Onnx__ModelProto *model = decode("model.onnx");
  for (size_t r = 0; r < 5; r++) {
    row x = {.values = {raw[r][0], raw[r][1], raw[r][2]}, .count = 3}; /* year, blue, red */
    run_graph(model->graph, &x);
    ck_close(probabilities + r * 2, x.values, 2, 1e-6, "a row of the table");
  }
  onnx__model_proto__free_unpacked(model, NULL);
  mlp_cl_network_destroy(network);
  mlp_cl_parts_destroy(&parts);
}
END_TEST

START_TEST(metadata_go_with_it) {
  mlp_cl_network *network = make_network((size_t[]){2, 3}, 1, true);
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  char hex[65];
  ck_ok(mlp_cl_network_save(network, test_path("model"), &recipe, NULL, &test_error));
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  ck_ok(mlp_cl_export_onnx(test_path("model"), test_path("model.onnx"), &test_error));
  Onnx__ModelProto *model = decode("model.onnx");
  ck_assert_str_eq(model->producer_name, "mlp_cl");
  ck_assert_str_eq(model->producer_version, mlp_cl_version());
  size_t found = 0;
  for (size_t i = 0; i < model->n_metadata_props; i++) {
    if (strcmp(model->metadata_props[i]->key, MODEL_WEIGHTS_SHA256) != 0) continue;
    ck_assert_str_eq(model->metadata_props[i]->value, hex);
    found++;
  }
  ck_assert_uint_eq(found, 1);
  onnx__model_proto__free_unpacked(model, NULL);
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(bad_models_are_not_exported) {
  mlp_cl_network *network = make_network((size_t[]){2, 2}, 1, true);
  ck_ok(mlp_cl_network_save(network, test_path("model"), NULL, NULL, &test_error));
  size_t count;
  unsigned char *bytes = test_file_read(test_path("model"), &count);
  test_file_write(test_path("model.onnx"), "old", 3);
  bytes[count - 2] ^= 1;
  test_file_write(test_path("bad"), bytes, count);
  ck_fails(mlp_cl_export_onnx(test_path("bad"), test_path("model.onnx"), &test_error), MLP_CL_BAD_FILE, "damaged");
  test_file_write(test_path("bad"), bytes, count - 1);
  ck_fails(mlp_cl_export_onnx(test_path("bad"), test_path("model.onnx"), &test_error), MLP_CL_BAD_FILE, "bad: ");
  ck_fails(mlp_cl_export_onnx(test_path("none"), test_path("model.onnx"), &test_error), MLP_CL_IO, "none");
  ck_fails(mlp_cl_export_onnx(NULL, test_path("model.onnx"), &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
  ck_fails(mlp_cl_export_onnx(test_path("model"), test_path("none/x"), &test_error), MLP_CL_IO, "none/x");
  free(bytes);
  bytes = test_file_read(test_path("model.onnx"), &count);
  ck_assert_str_eq((const char *)bytes, "old");
  free(bytes);
  mlp_cl_network_destroy(network);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("onnx");
  TCase *cases = tcase_create("onnx");
  tcase_add_checked_fixture(cases, open_all, close_all);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, graphs_compute_what_predict_computes);
  tcase_add_test(cases, activations_and_tasks_are_exported);
  tcase_add_test(cases, tables_are_encoded_in_the_graph);
  tcase_add_test(cases, metadata_go_with_it);
  tcase_add_test(cases, bad_models_are_not_exported);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
