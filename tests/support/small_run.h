/* A small run for tests of training, on the device under test and on the reference: clusters around three corners of a
 * cube, easily told apart, 50 rows to learn in ragged batches and 33 held out. */
#ifndef SUPPORT_SMALL_RUN_H
#define SUPPORT_SMALL_RUN_H

#include "twins.h"

enum { WIDTH = 9, HIDDEN = 16, CLASSES = 3, ROWS = 50, TEST_ROWS = 33 };
enum { BATCH = 16, EPOCH_STEPS = 4 /* the last of 2 rows */ };

extern mlp_cl_dataset *train, *test;

/* Once in a process, since kernels take seconds to build; in the test itself, for the sake of Check's forks. */
void small_run_open(void);
/* The same, with a fresh folder for files (files.h). */
void small_run_open_in_folder(void);
/* Behind all tests. */
void small_run_close(void);

/* Features (rows, WIDTH) and labels of clusters. */
void clusters_fill(uint64_t seed, size_t rows, float *features, int32_t *labels);
/* A data set of such arrays; the caller's. */
mlp_cl_dataset *clusters_of(const float *features, const int32_t *labels, size_t rows, float scale);
mlp_cl_dataset *clusters_make(uint64_t seed, size_t rows);

/* WIDTH-HIDDEN-CLASSES with biases; the caller's. */
mlp_cl_network *small_network(mlp_cl_context *context, uint64_t seed);
/* With dropout. */
mlp_cl_recipe small_recipe(uint32_t epochs);

/* A network with its trainer. */
typedef struct small_run {
  mlp_cl_network *network;
  mlp_cl_trainer *trainer;
} small_run;
small_run small_run_begin(mlp_cl_context *context, uint64_t seed, const mlp_cl_recipe *recipe);
void small_run_end(small_run *run);
/* Runs the first `steps` steps on `context`, with seed 1, and leaves a checkpoint. */
void small_run_save(mlp_cl_context *context, const mlp_cl_recipe *recipe, uint64_t steps, const char *path);

/* The receipt. */
void hash(mlp_cl_network *network, char hex[65]);

#endif
