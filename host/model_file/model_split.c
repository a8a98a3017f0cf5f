/* How the rows of a training were divided by lot: the metadata "mlp_cl.split", a JSON object with holdout,
 * validation, seed (a string: JSON readers lose bits of large integers) and the SHA-256 of each part. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "model_file/model.h"

mlp_cl_status model_split_add(safetensors *content, const mlp_cl_dataset *dataset, const char *train_sha256,
                              mlp_cl_error *error) {
  const mlp_cl_split *split = &dataset->split;
  if (split->holdout == 0.0 && split->validation == 0.0) return MLP_CL_OK;
  char seed[24], computed[65];
  snprintf(seed, sizeof seed, "%" PRIu64, split->seed);
  if (train_sha256 == NULL) dataset_sha256(dataset, computed);
  json_t *object =
      json_pack("{s:f, s:f, s:s, s:s, s:s, s:s}", "holdout", split->holdout, "validation", split->validation, "seed",
                seed, "train_sha256", train_sha256 == NULL ? computed : train_sha256, "test_sha256", split->test_sha256,
                "validation_sha256", split->validation_sha256);
  return model_json_add(content, MODEL_SPLIT, object, 17, error);
}

static bool is_share(double share) {
  return share >= 0.0 && share < 1.0;
}

static bool read_seed(const char *text, uint64_t *seed) {
  char *end;
  errno = 0;
  *seed = strtoull(text, &end, 10);
  return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static bool read_sha256(const json_t *object, const char *key, bool is_there, char sha256[65]) {
  const char *text = json_string_value(json_object_get(object, key));
  if (text == NULL || strlen(text) != (is_there ? 64 : 0)) return false;
  memcpy(sha256, text, strlen(text) + 1);
  return true;
}

static bool read_split(const json_t *object, mlp_cl_split *split) {
  const char *seed = json_string_value(json_object_get(object, "seed"));
  split->holdout = json_number_value(json_object_get(object, "holdout"));
  split->validation = json_number_value(json_object_get(object, "validation"));
  return is_share(split->holdout) && is_share(split->validation) && seed != NULL && read_seed(seed, &split->seed) &&
         read_sha256(object, "train_sha256", true, split->train_sha256) &&
         read_sha256(object, "test_sha256", split->holdout > 0.0, split->test_sha256) &&
         read_sha256(object, "validation_sha256", split->validation > 0.0, split->validation_sha256);
}

mlp_cl_status model_split_read(const char *path, const char *text, mlp_cl_split *split, mlp_cl_error *error) {
  json_t *object = json_loads(text, 0, NULL);
  bool good = read_split(object, split);
  json_decref(object);
  if (good) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_FILE,
              "%s: metadata \"" MODEL_SPLIT "\" is not an object of two shares, a seed and the SHA-256 of each part",
              path);
}
