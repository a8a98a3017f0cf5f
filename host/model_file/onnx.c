/* A model file as an ONNX graph: features, encoded as the model's table or scale says, through one Gemm a layer with
 * the activations between, to what the task wants of the outputs. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "data/encoding.h"
#include "model_file/model.h"
#include "model_file/onnx_graph.h"

enum { OPERATOR_SET = 13, IR_VERSION = 7, GELU_OPERATOR_SET = 20, GELU_IR_VERSION = 9 };

/* What is exported, and the numbers that only the graph has. */
typedef struct exported {
  const model_layer *layers;
  size_t count;
  mlp_cl_model_info *info;
  onnx_graph graph;
  float scale;
  float *numbers; /* constants of the encoding, one for each feature or output */
  size_t numbers_count;
} exported;

/* ---- The graph --------------------------------------------------------------------------------------------------- */

static const struct onnx_function {
  const char *operator;
  float alpha; /* 0: no such attribute */
  char *approximate;
} functions[] = {[MLP_CL_RELU] = {"Relu", 0, NULL},
                 [MLP_CL_LEAKY_RELU] = {"LeakyRelu", 0.01f, NULL},
                 [MLP_CL_TANH] = {"Tanh", 0, NULL},
                 [MLP_CL_SIGMOID] = {"Sigmoid", 0, NULL},
                 [MLP_CL_GELU] = {"Gelu", 0, "tanh"}};

static void add_activation(onnx_graph *g, mlp_cl_activation activation, size_t number) {
  const struct onnx_function *f = &functions[activation];
  onnx_node *n = onnx_add(g, f->operator, number);
  if (f->alpha != 0.0f) onnx_set_float(n, "alpha", f->alpha);
  if (f->approximate != NULL) onnx_set_string(n, "approximate", f->approximate);
}

static void add_dense(onnx_graph *g, const model_layer *layer) {
  const safetensors_tensor *weight = layer->weight, *bias = layer->bias;
  onnx_node *n = onnx_add(g, "Gemm", layer->number);
  onnx_add_constant(g, n, weight->name, weight->sizes, 2, weight->values);
  if (bias != NULL) onnx_add_constant(g, n, bias->name, bias->sizes, 1, bias->values);
  onnx_set_integer(n, "transB", 1);
}

/* The numbers of one operation on a row, `count` of them from the pool. */
static float *take_numbers(exported *e, size_t count) {
  float *taken = e->numbers + e->numbers_count;
  e->numbers_count += count;
  return taken;
}

static void add_row_operation(exported *e, const char *operator, size_t number, char *name, float *values,
                              size_t count) {
  onnx_add_constant(&e->graph, onnx_add(&e->graph, operator, number), name, &count, 1, values);
}

/* x = IsNaN(x) ? fill : x */
static void add_fill(exported *e, float *fill, size_t count) {
  onnx_graph *g = &e->graph;
  char *x = g->value;
  onnx_add(g, "IsNaN", 0);
  onnx_node *n = onnx_add(g, "Where", 0);
  onnx_add_constant(g, n, "fill", &count, 1, fill);
  onnx_add_input(n, x);
}

/* (x - offset) / divisor of each feature, the offset in two parts, since it may be large beside the divisor. */
static void add_encoding(exported *e, const mlp_cl_encoding *encoding) {
  size_t width = mlp_cl_encoding_width(encoding), feature = 0;
  float *fill = take_numbers(e, width), *offset = take_numbers(e, width);
  float *rest = take_numbers(e, width), *divisor = take_numbers(e, width);
  bool filled = false;
  for (size_t i = 0; i < encoding->columns_count; i++) {
    const encoding_column *c = &encoding->columns[i];
    bool number = c->kind == MLP_CL_COLUMN_NUMBER;
    for (size_t j = 0; j < encoding_column_width(c); j++, feature++) {
      fill[feature] = number ? (float)((c->fill - c->offset) / c->divisor) : 0.0f;
      offset[feature] = number ? (float)c->offset : 0.0f;
      rest[feature] = number ? (float)(c->offset - (double)offset[feature]) : 0.0f;
      divisor[feature] = number ? (float)c->divisor : 1.0f;
    }
    filled = filled || c->filled;
  }
  add_row_operation(e, "Sub", 0, "offset", offset, width);
  add_row_operation(e, "Sub", 1, "offset.rest", rest, width);
  add_row_operation(e, "Div", 0, "divisor", divisor, width);
  if (filled) add_fill(e, fill, width);
}

/* Back to the units of the data. */
static void add_decoding(exported *e, const mlp_cl_encoding *encoding) {
  size_t count = encoding->labels_count;
  float *divisor = take_numbers(e, count), *offset = take_numbers(e, count);
  for (size_t i = 0; i < count; i++) {
    divisor[i] = (float)encoding->labels[i].divisor;
    offset[i] = (float)encoding->labels[i].offset;
  }
  add_row_operation(e, "Mul", 1, "target.divisor", divisor, count);
  add_row_operation(e, "Add", 0, "target.offset", offset, count);
}

static void add_output(exported *e) {
  mlp_cl_task task = e->info->task;
  const mlp_cl_encoding *encoding = e->info->encoding;
  if (task == MLP_CL_CLASSIFICATION) onnx_set_integer(onnx_add(&e->graph, "Softmax", 0), "axis", 1);
  if (task == MLP_CL_MULTI_LABEL) onnx_add(&e->graph, "Sigmoid", e->layers[e->count - 1].number);
  if (task == MLP_CL_REGRESSION && encoding != NULL && encoding->labels[0].kind == MLP_CL_COLUMN_TARGET)
    add_decoding(e, encoding);
  onnx_node *last = &e->graph.nodes[e->graph.nodes_count - 1];
  last->outputs[0] = task == MLP_CL_REGRESSION ? "values" : "probabilities";
}

static void add_nodes(exported *e) {
  const mlp_cl_encoding *encoding = e->info->encoding;
  e->scale = e->info->scale;
  if (encoding != NULL) add_encoding(e, encoding);
  if (e->scale != 0.0f && e->scale != 1.0f) add_row_operation(e, "Mul", 0, "scale", &e->scale, 1);
  for (size_t i = 0; i < e->count; i++) {
    add_dense(&e->graph, &e->layers[i]);
    if (i + 1 < e->count) add_activation(&e->graph, e->info->activation, e->layers[i].number);
  }
  add_output(e);
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

/* Where protobuf-c puts the bytes; it knows no failure, so that is remembered. */
typedef struct sink {
  ProtobufCBuffer base;
  atomic_file file;
  mlp_cl_status status;
  mlp_cl_error *error;
} sink;

static void append_bytes(ProtobufCBuffer *base, size_t count, const uint8_t *bytes) {
  sink *s = (sink *)base;
  if (s->status == MLP_CL_OK) s->status = atomic_file_write(&s->file, bytes, count, s->error);
}

static mlp_cl_status write_proto(const Onnx__ModelProto *model, const char *path, mlp_cl_error *error) {
  size_t bytes = onnx__model_proto__get_packed_size(model);
  if (bytes > INT_MAX) {
    return fail(error, MLP_CL_BAD_SHAPE, "%s: a file of ONNX holds less than 2 GiB, this model takes %zu bytes", path,
                bytes);
  }
  sink s = {.base = {.append = append_bytes}, .status = MLP_CL_OK, .error = error};
  TRY(atomic_file_begin(&s.file, path, error));
  onnx__model_proto__pack_to_buffer(model, &s.base);
  if (s.status == MLP_CL_OK) return atomic_file_commit(&s.file, error);
  atomic_file_abandon(&s.file);
  return s.status;
}

/* A matrix of float32 whose number of rows is left open. */
typedef struct matrix {
  Onnx__ValueInfoProto info;
  Onnx__TypeProto type;
  Onnx__TypeProto__Tensor tensor;
  Onnx__TensorShapeProto shape;
  Onnx__TensorShapeProto__Dimension rows, cols, *sizes[2];
} matrix;

static void describe_matrix(matrix *m, char *name, size_t cols) {
  onnx__value_info_proto__init(&m->info);
  onnx__type_proto__init(&m->type);
  onnx__type_proto__tensor__init(&m->tensor);
  onnx__tensor_shape_proto__init(&m->shape);
  onnx__tensor_shape_proto__dimension__init(&m->rows);
  onnx__tensor_shape_proto__dimension__init(&m->cols);
  m->rows.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
  m->rows.dim_param = "rows";
  m->cols.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
  m->cols.dim_value = (int64_t)cols;
  m->sizes[0] = &m->rows;
  m->sizes[1] = &m->cols;
  m->shape.n_dim = 2;
  m->shape.dim = m->sizes;
  m->tensor.has_elem_type = 1;
  m->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  m->tensor.shape = &m->shape;
  m->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  m->type.tensor_type = &m->tensor;
  m->info.name = name;
  m->info.type = &m->type;
}

static void fill_graph(exported *e, matrix *features, matrix *outputs, Onnx__GraphProto *proto) {
  describe_matrix(features, "features", e->info->widths[0]);
  describe_matrix(outputs, e->graph.nodes[e->graph.nodes_count - 1].outputs[0], e->info->widths[e->count]);
  onnx__graph_proto__init(proto);
  proto->name = "perceptron";
  proto->n_node = e->graph.nodes_count;
  proto->node = e->graph.node_list;
  proto->n_initializer = e->graph.constants_count;
  proto->initializer = e->graph.constant_list;
}

static mlp_cl_status write_graph(exported *e, const char *path, mlp_cl_error *error) {
  const mlp_cl_model_info *info = e->info;
  Onnx__StringStringEntryProto *entries = calloc(info->metadata_count + 1, sizeof *entries);
  Onnx__StringStringEntryProto **entry_list = calloc(info->metadata_count + 1, sizeof *entry_list);
  mlp_cl_status status = MLP_CL_OK;
  if (entries == NULL || entry_list == NULL) {
    status = fail_memory(error, info->metadata_count * sizeof *entries, "a model's metadata");
    goto cleanup;
  }
  for (size_t i = 0; i < info->metadata_count; i++) {
    onnx__string_string_entry_proto__init(&entries[i]);
    entries[i].key = info->metadata[i].key;
    entries[i].value = info->metadata[i].value;
    entry_list[i] = &entries[i];
  }
  matrix features, outputs;
  Onnx__GraphProto proto;
  fill_graph(e, &features, &outputs, &proto);
  proto.n_input = proto.n_output = 1;
  proto.input = (Onnx__ValueInfoProto *[]){&features.info};
  proto.output = (Onnx__ValueInfoProto *[]){&outputs.info};
  bool gelu = info->activation == MLP_CL_GELU;
  Onnx__OperatorSetIdProto operators = ONNX__OPERATOR_SET_ID_PROTO__INIT;
  operators.domain = "";
  operators.has_version = 1;
  operators.version = gelu ? GELU_OPERATOR_SET : OPERATOR_SET;
  Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
  model.has_ir_version = 1;
  model.ir_version = gelu ? GELU_IR_VERSION : IR_VERSION;
  model.n_opset_import = 1;
  model.opset_import = (Onnx__OperatorSetIdProto *[]){&operators};
  model.producer_name = "mlp_cl";
  model.producer_version = (char *)mlp_cl_version();
  model.graph = &proto;
  model.n_metadata_props = info->metadata_count;
  model.metadata_props = entry_list;
  status = write_proto(&model, path, error);
cleanup:
  free(entry_list);
  free(entries);
  return status;
}

/* Room for the encoding (five nodes), two nodes a layer, and the output (two). */
static mlp_cl_status build_and_write(exported *e, const char *path, mlp_cl_error *error) {
  size_t inputs = e->info->widths[0], outputs = e->info->widths[e->count];
  mlp_cl_status status = onnx_graph_begin(&e->graph, "features", 2 * e->count + 8, 2 * e->count + 8, error);
  if (status == MLP_CL_OK && (e->numbers = calloc(4 * inputs + 2 * outputs, sizeof *e->numbers)) == NULL)
    status = fail_memory(error, (4 * inputs + 2 * outputs) * sizeof *e->numbers, "an ONNX graph");
  if (status == MLP_CL_OK) {
    add_nodes(e);
    status = write_graph(e, path, error);
  }
  onnx_graph_free(&e->graph);
  free(e->numbers);
  return status;
}

static mlp_cl_status export_content(const char *model_path, safetensors *content, const char *onnx_path,
                                    mlp_cl_error *error) {
  model_layer *layers = NULL;
  exported e = {0};
  char hex[65];
  TRY(model_layers(model_path, content, &layers, &e.count, error));
  e.layers = layers;
  mlp_cl_status status = model_sha256(layers, e.count, hex, error);
  if (status == MLP_CL_OK) status = model_check_sha256(model_path, content, hex, error);
  if (status == MLP_CL_OK) status = model_info_read(model_path, content, layers, e.count, &e.info, error);
  if (status == MLP_CL_OK) status = build_and_write(&e, onnx_path, error);
  mlp_cl_model_info_destroy(e.info);
  free(layers);
  return status;
}

mlp_cl_status mlp_cl_export_onnx(const char *model_path, const char *onnx_path, mlp_cl_error *error) {
  if (model_path == NULL || onnx_path == NULL) {
    return fail(error, MLP_CL_BAD_ARGUMENT, "the path of the model or of the ONNX file is NULL; name both");
  }
  safetensors content;
  TRY(model_read(model_path, &content, error));
  mlp_cl_status status = export_content(model_path, &content, onnx_path, error);
  safetensors_destroy(&content);
  return status;
}
