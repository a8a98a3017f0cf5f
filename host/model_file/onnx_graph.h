/* A chain of ONNX operators as protobuf-c wants it: each takes the value of the one before, and constants. The schema,
 * onnx.proto, is the official one (https://github.com/onnx/onnx, Apache-2.0). */
#ifndef MODEL_FILE_ONNX_GRAPH_H
#define MODEL_FILE_ONNX_GRAPH_H

#include <onnx.pb-c.h>

#include "base/error.h"

typedef struct onnx_node {
  Onnx__NodeProto proto;
  char name[32]; /* of the node and of its output */
  char *inputs[3], *outputs[1];
  Onnx__AttributeProto attribute, *attributes[1];
} onnx_node;

typedef struct onnx_constant {
  Onnx__TensorProto proto;
  int64_t sizes[2];
} onnx_constant;

typedef struct onnx_graph {
  char *value; /* the name of what the last node gives */
  onnx_node *nodes;
  onnx_constant *constants;
  Onnx__NodeProto **node_list;
  Onnx__TensorProto **constant_list;
  size_t nodes_count, constants_count;
} onnx_graph;

/* Begins with the value `input`, and room for this many nodes and constants; onnx_graph_free in any case. Names and
 * values that are given must outlive it. Error: NO_MEMORY. */
mlp_cl_status onnx_graph_begin(onnx_graph *g, char *input, size_t nodes, size_t constants, mlp_cl_error *error);
void onnx_graph_free(onnx_graph *g);

/* Appends an operator that takes the last value; `number` makes its name unique among its kind. */
onnx_node *onnx_add(onnx_graph *g, const char *operator, size_t number);
/* One more input. */
void onnx_add_input(onnx_node *n, char *name);
/* The same with a constant, of rank 1 or 2. Its values become little-endian in place. */
void onnx_add_constant(onnx_graph *g, onnx_node *n, char *name, const size_t *sizes, size_t rank, float *values);

/* The one attribute of an operator. */
void onnx_set_integer(onnx_node *n, char *name, int64_t value);
void onnx_set_float(onnx_node *n, char *name, float value);
void onnx_set_string(onnx_node *n, char *name, char *value);

#endif
