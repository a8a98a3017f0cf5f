/* A model file as an ONNX graph: features, scaled, through one Gemm a layer with the activations between, to
 * probabilities. The schema, onnx.proto, is the official one (https://github.com/onnx/onnx, Apache-2.0). */
#include <limits.h>
#include <onnx.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "model_file/model.h"

enum { OPERATOR_SET = 13, IR_VERSION = 7 };

typedef struct node {
  Onnx__NodeProto proto;
  char name[32]; /* of the node and of its output */
  char *inputs[3], *outputs[1];
  Onnx__AttributeProto attribute, *attributes[1];
} node;

typedef struct constant {
  Onnx__TensorProto proto;
  int64_t sizes[2];
} constant;

typedef struct graph {
  char *value; /* the name of what the last node gives */
  node *nodes;
  constant *constants;
  Onnx__NodeProto **node_list;
  Onnx__TensorProto **constant_list;
  size_t nodes_count, constants_count;
  float scale;
} graph;

/* Room for the input's scaling, two nodes and two constants a layer, and the output's function. */
static mlp_cl_status graph_create(graph *g, size_t layers, mlp_cl_error *error) {
  size_t room = 2 * layers + 2;
  *g = (graph){.value = "features",
               .nodes = calloc(room, sizeof *g->nodes),
               .constants = calloc(room, sizeof *g->constants),
               .node_list = calloc(room, sizeof *g->node_list),
               .constant_list = calloc(room, sizeof *g->constant_list)};
  if (g->nodes && g->constants && g->node_list && g->constant_list) return MLP_CL_OK;
  return fail_memory(error, room * (sizeof *g->nodes + sizeof *g->constants), "an ONNX graph");
}

static void graph_free(graph *g) {
  free(g->nodes);
  free(g->constants);
  free(g->node_list);
  free(g->constant_list);
}

/* ONNX wants little-endian bytes; they are made in place. */
static void to_little_endian(float *values, size_t count) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    bits = __builtin_bswap32(bits);
    memcpy(&values[i], &bits, sizeof bits);
  }
#else
  (void)values;
  (void)count;
#endif
}

/* Returns the constant's name; values and name must outlive the graph. */
static char *add_constant(graph *g, char *name, const size_t *sizes, size_t rank, float *values) {
  constant *c = &g->constants[g->constants_count];
  g->constant_list[g->constants_count++] = &c->proto;
  onnx__tensor_proto__init(&c->proto);
  size_t count = 1;
  for (size_t i = 0; i < rank; i++) {
    c->sizes[i] = (int64_t)sizes[i];
    count *= sizes[i];
  }
  to_little_endian(values, count);
  c->proto.name = name;
  c->proto.n_dims = rank;
  c->proto.dims = c->sizes;
  c->proto.has_data_type = 1;
  c->proto.data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
  c->proto.has_raw_data = 1;
  c->proto.raw_data = (ProtobufCBinaryData){.len = count * sizeof *values, .data = (uint8_t *)values};
  return name;
}

/* Appends an operator that takes the last node's value. `layer` makes the name unique. */
static node *add_node(graph *g, const char *operator, unsigned layer) {
  node *n = &g->nodes[g->nodes_count];
  g->node_list[g->nodes_count++] = &n->proto;
  onnx__node_proto__init(&n->proto);
  snprintf(n->name, sizeof n->name, "%u.%s", layer, operator);
  n->inputs[0] = g->value;
  n->outputs[0] = n->name;
  n->proto.op_type = (char *)operator;
  n->proto.name = n->name;
  n->proto.n_input = n->proto.n_output = 1;
  n->proto.input = n->inputs;
  n->proto.output = n->outputs;
  g->value = n->name;
  return n;
}

static void add_input(node *n, char *name) {
  n->inputs[n->proto.n_input++] = name;
}

static void set_attribute(node *n, char *name, int64_t value) {
  onnx__attribute_proto__init(&n->attribute);
  n->attribute.name = name;
  n->attribute.has_type = 1;
  n->attribute.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
  n->attribute.has_i = 1;
  n->attribute.i = value;
  n->attributes[0] = &n->attribute;
  n->proto.n_attribute = 1;
  n->proto.attribute = n->attributes;
}

static void add_dense(graph *g, const model_layer *layer) {
  const safetensors_tensor *weight = layer->weight, *bias = layer->bias;
  node *n = add_node(g, "Gemm", layer->number);
  add_input(n, add_constant(g, weight->name, weight->sizes, 2, weight->values));
  if (bias != NULL) add_input(n, add_constant(g, bias->name, bias->sizes, 1, bias->values));
  set_attribute(n, "transB", 1);
}

/* NULL where the operator set has none. */
static const char *operator_of(mlp_cl_activation activation) {
  switch (activation) {
    case MLP_CL_RELU: return "Relu";
    case MLP_CL_LEAKY_RELU: return "LeakyRelu"; /* its slope is 0.01 where nothing else is said */
    case MLP_CL_TANH: return "Tanh";
    case MLP_CL_SIGMOID: return "Sigmoid";
    case MLP_CL_GELU: break;
  }
  return NULL;
}

/* The output's function: the numbers of a regression are called probabilities too, so that readers find one name. */
static void add_last(graph *g, mlp_cl_task task, unsigned layer) {
  static const char *const operators[] = {
      [MLP_CL_CLASSIFICATION] = "Softmax", [MLP_CL_REGRESSION] = "Identity", [MLP_CL_MULTI_LABEL] = "Sigmoid"};
  node *last = add_node(g, operators[task], layer);
  if (task == MLP_CL_CLASSIFICATION) set_attribute(last, "axis", 1);
  last->outputs[0] = "probabilities";
}

static void add_nodes(graph *g, const model_layer *layers, size_t count, const mlp_cl_model_info *info) {
  float scale = info->scale;
  g->scale = scale;
  if (scale != 0.0f && scale != 1.0f) {
    add_input(add_node(g, "Mul", 0), add_constant(g, "scale", (size_t[]){1}, 1, &g->scale));
  }
  for (size_t i = 0; i < count; i++) {
    add_dense(g, &layers[i]);
    if (i + 1 < count) add_node(g, operator_of(info->activation), layers[i].number);
  }
  add_last(g, info->task, layers[count - 1].number);
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

static mlp_cl_status write_graph(const graph *g, const mlp_cl_model_info *info, const char *path, mlp_cl_error *error) {
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
  matrix features, probabilities;
  describe_matrix(&features, "features", info->widths[0]);
  describe_matrix(&probabilities, "probabilities", info->classes);
  Onnx__GraphProto proto = ONNX__GRAPH_PROTO__INIT;
  proto.name = "perceptron";
  proto.n_node = g->nodes_count;
  proto.node = g->node_list;
  proto.n_initializer = g->constants_count;
  proto.initializer = g->constant_list;
  proto.n_input = proto.n_output = 1;
  proto.input = (Onnx__ValueInfoProto *[]){&features.info};
  proto.output = (Onnx__ValueInfoProto *[]){&probabilities.info};
  Onnx__OperatorSetIdProto operators = ONNX__OPERATOR_SET_ID_PROTO__INIT;
  operators.domain = "";
  operators.has_version = 1;
  operators.version = OPERATOR_SET;
  Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
  model.has_ir_version = 1;
  model.ir_version = IR_VERSION;
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

static mlp_cl_status export_content(const char *model_path, safetensors *content, const char *onnx_path,
                                    mlp_cl_error *error) {
  model_layer *layers = NULL;
  size_t count = 0;
  TRY(model_layers(model_path, content, &layers, &count, error));
  graph g = {0};
  mlp_cl_model_info *info = NULL;
  char hex[65];
  mlp_cl_status status = model_sha256(layers, count, hex, error);
  if (status == MLP_CL_OK) status = model_check_sha256(model_path, content, hex, error);
  if (status == MLP_CL_OK) status = model_info_read(model_path, content, layers, count, &info, error);
  if (status == MLP_CL_OK && count > 1 && operator_of(info->activation) == NULL) {
    status = fail(error, MLP_CL_BAD_ARGUMENT, "%s: ONNX's operator set %d has no %s; train with another activation",
                  model_path, OPERATOR_SET, mlp_cl_activation_name(info->activation));
  }
  if (status == MLP_CL_OK) status = graph_create(&g, count, error);
  if (status == MLP_CL_OK) {
    add_nodes(&g, layers, count, info);
    status = write_graph(&g, info, onnx_path, error);
  }
  graph_free(&g);
  mlp_cl_model_info_destroy(info);
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
