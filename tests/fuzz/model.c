/* A model file: safetensors with its JSON, the layers in it, and what its metadata say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static mlp_cl_context *context;

static void check(mlp_cl_network *network, const mlp_cl_model_info *info) {
  mlp_cl_error error;
  size_t layers = mlp_cl_network_layers(network), inputs = mlp_cl_network_width(network, 0);
  size_t outputs = mlp_cl_network_width(network, layers);
  char hex[65];
  MUST(mlp_cl_network_sha256(network, hex, &error) == MLP_CL_OK && strlen(hex) == 64);
  MUST(mlp_cl_model_info_classes(info) == outputs);
  for (size_t i = 0; i < outputs; i++) MUST(mlp_cl_model_info_class_name(info, i) != NULL);
  float *features = calloc(inputs, sizeof *features), *probabilities = calloc(outputs, sizeof *probabilities);
  mlp_cl_status status = mlp_cl_network_predict(network, features, 1, probabilities, &error);
  fuzz_check_error(status, &error);
  free(features);
  free(probabilities);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlp_cl_error error;
  if (context == NULL) MUST(mlp_cl_context_create("reference", NULL, &context, &error) == MLP_CL_OK);
  mlp_cl_network *network = NULL;
  mlp_cl_model_info *info = NULL;
  mlp_cl_status status = mlp_cl_network_load(context, fuzz_file(0, data, size), &network, &info, &error);
  fuzz_check_error(status, &error);
  MUST((status == MLP_CL_OK) == (network != NULL) && (network != NULL) == (info != NULL));
  if (network != NULL) check(network, info);
  mlp_cl_model_info_destroy(info);
  mlp_cl_network_destroy(network);
  return 0;
}
