/* A checkpoint whose seal is taken as whole, resumed by a run of nine rows in three steps an epoch. */
#include "fuzz.h"
#include "model_file/safetensors.h"

enum { ROWS = 9, WIDTH = 2, CLASSES = 2 };

mlp_cl_status __wrap_safetensors_check_seal(const char *path, const safetensors *content, mlp_cl_error *error);

/* Otherwise nothing behind it would ever be reached. */
mlp_cl_status __wrap_safetensors_check_seal(const char *path, const safetensors *content, mlp_cl_error *error) {
  (void)path, (void)content, (void)error;
  return MLP_CL_OK;
}

static mlp_cl_trainer *create_trainer(void) {
  static const uint8_t features[ROWS * WIDTH] = {1, 255, 255, 1, 7, 9, 128, 3, 0, 0, 255, 255, 64, 65, 12, 200, 30, 31};
  static const int32_t labels[ROWS] = {0, 1, 0, 1, 0, 1, 0, 1, 0};
  static const size_t widths[] = {WIDTH, 3, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.batch = 3;
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_trainer *trainer = NULL;
  MUST(mlp_cl_context_create("reference", NULL, &context, &error) == MLP_CL_OK);
  MUST(mlp_cl_dataset_from_arrays(features, MLP_CL_UINT8, ROWS, WIDTH, 1, labels, CLASSES, &data, &error) == MLP_CL_OK);
  MUST(mlp_cl_network_create(context, &shape, 1, &network, &error) == MLP_CL_OK);
  MUST(mlp_cl_trainer_create(network, data, data, &recipe, &trainer, &error) == MLP_CL_OK);
  return trainer;
}

/* What it resumes from can be gone on from. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static mlp_cl_trainer *trainer;
  mlp_cl_error error;
  if (trainer == NULL) trainer = create_trainer();
  mlp_cl_status status = mlp_cl_trainer_resume(trainer, fuzz_file(0, data, size), NULL, NULL, &error);
  fuzz_check_error(status, &error);
  if (status != MLP_CL_OK) return 0;
  uint64_t done = 0;
  status = mlp_cl_trainer_steps(trainer, 1, &done, &error);
  fuzz_check_error(status, &error);
  MUST(done <= 1);
  return 0;
}
