/* The JSON in a model's metadata, one "key=value" a line, without the safetensors around it. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model_file/model.h"

enum { OUTPUTS = 3 };

static void add_lines(safetensors *content, char *text) {
  for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char *value = strchr(line, '=');
    if (value == NULL) continue;
    *value++ = '\0';
    MUST(safetensors_add_metadata(content, line, value, NULL) == MLP_CL_OK);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlp_cl_error error;
  safetensors content = {0};
  mlp_cl_model_info *info = NULL;
  char *text = malloc(size + 1);
  MUST(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  add_lines(&content, text);
  const safetensors_tensor weight = {.rank = 2, .sizes = {OUTPUTS, 1}};
  const model_layer layer = {.weight = &weight};
  mlp_cl_status status = model_info_read("model", &content, &layer, 1, &info, &error);
  fuzz_check_error(status, &error);
  MUST((status == MLP_CL_OK) == (info != NULL));
  for (size_t i = 0; info != NULL && i < OUTPUTS; i++) MUST(mlp_cl_model_info_class_name(info, i) != NULL);
  mlp_cl_model_info_destroy(info);
  safetensors_destroy(&content);
  free(text);
  return 0;
}
