/* A checkpoint whose seal is taken as whole, resumed by a run of nine rows in three steps an epoch. Whole ones to begin
 * with are written anew by each process: a stored one would be refused by the first recipe that has a member more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static struct {
  uint8_t bytes[2048];
  size_t size;
} whole[5];
enum { WHOLE = sizeof whole / sizeof *whole };

static void read_whole(const char *path, size_t number) {
  FILE *stream = fopen(path, "rb");
  MUST(stream != NULL);
  whole[number].size = fread(whole[number].bytes, 1, sizeof whole[number].bytes, stream);
  MUST(whole[number].size > 0 && feof(stream) && fclose(stream) == 0);
}

/* At the beginning, within an epoch, between two and at the end; what was written can be resumed. */
static void write_whole(mlp_cl_trainer *trainer) {
  static const uint64_t steps[WHOLE] = {0, 1, 3, 4, 30};
  mlp_cl_error error;
  char path[] = "/tmp/mlp_cl-fuzz-XXXXXX";
  int file = mkstemp(path);
  MUST(file >= 0 && close(file) == 0);
  for (size_t i = 0; i < WHOLE; i++) {
    MUST(mlp_cl_trainer_steps(trainer, steps[i] - (i > 0 ? steps[i - 1] : 0), NULL, &error) == MLP_CL_OK);
    MUST(mlp_cl_trainer_save(trainer, path, &error) == MLP_CL_OK);
    MUST(mlp_cl_trainer_resume(trainer, path, NULL, NULL, &error) == MLP_CL_OK);
    read_whole(path, i);
  }
  MUST(unlink(path) == 0);
}

static mlp_cl_trainer *trainer;

static void set_up(void) {
  if (trainer != NULL) return;
  trainer = create_trainer();
  write_whole(trainer);
}

size_t fuzz_whole_file(uint8_t *data, size_t room, unsigned number) {
  set_up();
  size_t i = number % WHOLE, size = whole[i].size < room ? whole[i].size : room;
  memcpy(data, whole[i].bytes, size);
  return size;
}

/* What it resumes from can be gone on from. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  mlp_cl_error error;
  set_up();
  mlp_cl_status status = mlp_cl_trainer_resume(trainer, fuzz_file(0, data, size), NULL, NULL, &error);
  fuzz_check_error(status, &error);
  if (status != MLP_CL_OK) return 0;
  uint64_t done = 0;
  status = mlp_cl_trainer_steps(trainer, 1, &done, &error);
  fuzz_check_error(status, &error);
  MUST(done <= 1);
  return 0;
}
