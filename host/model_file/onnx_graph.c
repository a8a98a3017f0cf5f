/* See onnx_graph.h. */
#include "model_file/onnx_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"

mlp_cl_status onnx_graph_begin(onnx_graph *g, char *input, size_t nodes, size_t constants, mlp_cl_error *error) {
  *g = (onnx_graph){.value = input,
                    .nodes = calloc(nodes, sizeof *g->nodes),
                    .constants = calloc(constants, sizeof *g->constants),
                    .node_list = calloc(nodes, sizeof *g->node_list),
                    .constant_list = calloc(constants, sizeof *g->constant_list)};
  if (g->nodes != NULL && g->constants != NULL && g->node_list != NULL && g->constant_list != NULL) return MLP_CL_OK;
  return fail_memory(error, nodes * sizeof *g->nodes + constants * sizeof *g->constants, "an ONNX graph");
}

void onnx_graph_free(onnx_graph *g) {
  free(g->nodes);
  free(g->constants);
  free(g->node_list);
  free(g->constant_list);
}

onnx_node *onnx_add(onnx_graph *g, const char *operator, size_t number) {
  onnx_node *n = &g->nodes[g->nodes_count];
  g->node_list[g->nodes_count++] = &n->proto;
  onnx__node_proto__init(&n->proto);
  snprintf(n->name, sizeof n->name, "%zu.%s", number, operator);
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

void onnx_add_input(onnx_node *n, char *name) {
  n->inputs[n->proto.n_input++] = name;
}

void onnx_add_constant(onnx_graph *g, onnx_node *n, char *name, const size_t *sizes, size_t rank, float *values) {
  onnx_constant *c = &g->constants[g->constants_count];
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
  onnx_add_input(n, name);
}

static Onnx__AttributeProto *set_attribute(onnx_node *n, char *name, Onnx__AttributeProto__AttributeType type) {
  onnx__attribute_proto__init(&n->attribute);
  n->attribute.name = name;
  n->attribute.has_type = 1;
  n->attribute.type = type;
  n->attributes[0] = &n->attribute;
  n->proto.n_attribute = 1;
  n->proto.attribute = n->attributes;
  return &n->attribute;
}

void onnx_set_integer(onnx_node *n, char *name, int64_t value) {
  Onnx__AttributeProto *a = set_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
  a->has_i = 1;
  a->i = value;
}

void onnx_set_float(onnx_node *n, char *name, float value) {
  Onnx__AttributeProto *a = set_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
  a->has_f = 1;
  a->f = value;
}

void onnx_set_string(onnx_node *n, char *name, char *value) {
  Onnx__AttributeProto *a = set_attribute(n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
  a->has_s = 1;
  a->s = (ProtobufCBinaryData){.len = strlen(value), .data = (uint8_t *)value};
}
