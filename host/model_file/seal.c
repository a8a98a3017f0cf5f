/* The seal of a safetensors file: one SHA-256 over all its content, kept in its metadata. */
#include <stdio.h>
#include <string.h>

#include "base/little_endian.h"
#include "model_file/safetensors.h"

static void hash(const safetensors *content, char hex[65]) {
  sha256 state;
  char number[24];
  sha256_begin(&state);
  for (size_t i = 0; i < content->metadata_count; i++) {
    if (strcmp(content->metadata[i].key, SAFETENSORS_SEAL) == 0) continue;
    sha256_add_text(&state, content->metadata[i].key);
    sha256_add_text(&state, content->metadata[i].value);
  }
  for (size_t i = 0; i < content->tensors_count; i++) {
    const safetensors_tensor *tensor = &content->tensors[i];
    sha256_add_text(&state, tensor->name);
    for (size_t d = 0; d < tensor->rank; d++) {
      snprintf(number, sizeof number, "%zu", tensor->sizes[d]);
      sha256_add_text(&state, number);
    }
    sha256_add_floats(&state, tensor->values, tensor->count);
  }
  sha256_end(&state, hex);
}

mlp_cl_status safetensors_seal(safetensors *content, mlp_cl_error *error) {
  char hex[65];
  hash(content, hex);
  return safetensors_add_metadata(content, SAFETENSORS_SEAL, hex, error);
}

mlp_cl_status safetensors_check_seal(const char *path, const safetensors *content, mlp_cl_error *error) {
  const char *seal = safetensors_find_metadata(content, SAFETENSORS_SEAL);
  if (seal == NULL) return MLP_CL_OK;
  char hex[65];
  hash(content, hex);
  if (strcmp(hex, seal) == 0) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE,
              "%s: the content has SHA-256 %s, but metadata \"" SAFETENSORS_SEAL
              "\" promises %.64s: damaged or edited; take a backup",
              path, hex, seal);
}
