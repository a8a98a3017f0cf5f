/* Steps verified while training: a right run passes and keeps its bits, one wrong bit stops it, and it costs two reads
 * of the parameters for each verified step. */
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "context/context.h"
#include "test.h"

enum { WIDTH = 9, HIDDEN = 17, CLASSES = 3, ROWS = 50, BATCH = 16, EPOCHS = 4, STEPS = 16 };

static mlp_cl_context *device;
static const backend_operations *right;

static void open_all(void) {
  if (device != NULL) return;
  device = test_open_device();
  right = device->backend->op;
}

static mlp_cl_dataset *make_data(void) {
  float features[ROWS * WIDTH];
  int32_t labels[ROWS];
  test_random r = {.state = 5};
  test_random_fill(&r, features, ROWS * WIDTH, 0.5f);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(test_random_bits(&r) % CLASSES);
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1.0f, labels, CLASSES, &data, &test_error));
  return data;
}

static mlp_cl_recipe make_recipe(void) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = EPOCHS;
  recipe.batch = BATCH;
  recipe.dropout = 0.25f;
  return recipe;
}

/* The status of a run with every `every`th step verified; hex (or NULL) gets its receipt. */
static mlp_cl_status train_on(mlp_cl_context *context, const mlp_cl_recipe *recipe, uint64_t every, char *hex) {
  static const size_t widths[] = {WIDTH, HIDDEN, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_dataset *data = make_data();
  mlp_cl_network *network = NULL;
  mlp_cl_trainer *trainer = NULL;
  ck_ok(mlp_cl_network_create(context, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_trainer_create(network, data, NULL, recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_verify_every(trainer, 1, &test_error)); /* the last call counts */
  ck_ok(mlp_cl_trainer_verify_every(trainer, every, &test_error));
  mlp_cl_status status = mlp_cl_trainer_run(trainer, NULL, NULL, &test_error);
  if (hex != NULL) ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  mlp_cl_trainer_destroy(trainer);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  return status;
}

static mlp_cl_status train(const mlp_cl_recipe *recipe, uint64_t every, char *hex) {
  return train_on(device, recipe, every, hex);
}

/* A twin sees few of the epochs: what it streamed of one is not the next one's. */
START_TEST(a_verifier_may_stream_its_rows) {
  mlp_cl_recipe recipe = make_recipe();
  mlp_cl_context *reference = NULL;
  char got[65], wanted[65];
  setenv("MLP_CL_HOST_MEMORY", "0", 1);
  ck_ok(mlp_cl_context_create("reference", NULL, &reference, &test_error));
  ck_ok(train_on(reference, &recipe, 0, wanted));
  ck_ok(train_on(reference, &recipe, EPOCHS, got)); /* the last step of each epoch */
  unsetenv("MLP_CL_HOST_MEMORY");
  ck_assert_str_eq(got, wanted);
  mlp_cl_context_destroy(reference);
}
END_TEST

START_TEST(verified_runs_keep_their_bits) {
  mlp_cl_recipe recipes[] = {make_recipe(), make_recipe(), make_recipe(), make_recipe()};
  recipes[1].momentum = 0;
  recipes[1].no_shuffle = true;
  recipes[2].nesterov = true;
  recipes[2].weight_decay = 0.01f;
  recipes[2].batch = 7;
  recipes[3].optimiser = MLP_CL_ADAM;
  recipes[3].learning_rate = 0.01f;
  for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
    char wanted[65], got[65];
    ck_ok(train(&recipes[i], 0, wanted));
    for (uint64_t every = 1; every <= 7; every += 3) {
      ck_ok(train(&recipes[i], every, got));
      ck_assert_str_eq(got, wanted);
    }
  }
}
END_TEST

/* ---- A device that goes wrong ----------------------------------------------------------------------------------- */

static struct wrong {
  uint32_t step; /* from 0 */
  bool velocity;
} wrong;

/* Flips the last bit of one value that the step has updated: of the last layer, row 2, column 1. */
static mlp_cl_status flip_a_bit(backend *self, const dense_backward_weight *d, size_t count, mlp_cl_error *error) {
  mlp_cl_status status = right->dense_backward_weight(self, d, count, error);
  if (status != MLP_CL_OK || d->step != wrong.step) return status;
  d += count - 1;
  tensor *changed = wrong.velocity ? d->weight_velocity : d->weight;
  float row[CLASSES];
  ck_ok(right->tensor_read(self, changed, 2, 1, row, error));
  uint32_t bits;
  memcpy(&bits, &row[1], sizeof bits);
  bits = bits == 0 ? 0x3f800000u : bits ^ 1;
  memcpy(&row[1], &bits, sizeof bits);
  return right->tensor_write(self, changed, 2, 1, row, error);
}

static mlp_cl_status train_changed(const backend_operations *changed, uint64_t every) {
  mlp_cl_recipe recipe = make_recipe();
  device->backend->op = changed;
  mlp_cl_status status = train(&recipe, every, NULL);
  device->backend->op = right;
  return status;
}

START_TEST(one_wrong_bit_stops_the_run) {
  backend_operations changed = *right;
  changed.train_steps = NULL;
  changed.dense_backward_weight = flip_a_bit;
  wrong = (struct wrong){.step = 5};
  ck_fails(train_changed(&changed, 1), MLP_CL_MISMATCH, "step 6 of the run (epoch 2)");
  ck_assert_ptr_nonnull(strstr(test_error.text, "weight (2, 1) of layer 1 is "));
  ck_assert_ptr_nonnull(strstr(test_error.text, "1 of 51 values differ"));
  ck_fails(train_changed(&changed, 3), MLP_CL_MISMATCH, "step 6 of the run (epoch 2)");
  ck_ok(train_changed(&changed, 4)); /* steps 4, 8, …: each starts from what the device has */
  wrong = (struct wrong){.step = STEPS - 1, .velocity = true};
  ck_fails(train_changed(&changed, 4), MLP_CL_MISMATCH, "step 16 of the run (epoch 4)");
  ck_assert_ptr_nonnull(strstr(test_error.text, "velocity of weight (2, 1) of layer 1"));
}
END_TEST

/* Terms of zeros that the device leaves out would be NaN on the reference. */
START_TEST(diverging_runs_are_no_fault) {
  enum { WIDE = 80, ZEROS = 8 }; /* as many as a tile has rows */
  static const size_t widths[] = {WIDTH, WIDE, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  float features[ROWS * WIDTH];
  const int32_t labels[ROWS] = {1, 2};
  for (size_t i = 0; i < ROWS * WIDTH; i++) features[i] = i % WIDTH < ZEROS ? 0.0f : 1.0f;
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1.0f, labels, CLASSES, &data, &test_error));
  mlp_cl_recipe recipe = make_recipe();
  recipe.learning_rate = 1.0f;
  float weight[WIDE * CLASSES], bias[CLASSES] = {0};
  test_random r = {.state = 6};
  test_random_fill(&r, weight, WIDE * CLASSES, 0x1p66f); /* and after a step those before them are, too */
  for (uint64_t every = 1; every <= 3; every++) {
    mlp_cl_network *network = NULL;
    mlp_cl_trainer *trainer = NULL;
    ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
    ck_ok(mlp_cl_network_set(network, 1, weight, bias, &test_error));
    ck_ok(mlp_cl_trainer_create(network, data, NULL, &recipe, &trainer, &test_error));
    ck_ok(mlp_cl_trainer_verify_every(trainer, every, &test_error));
    ck_fails(mlp_cl_trainer_run(trainer, NULL, NULL, &test_error), MLP_CL_DIVERGED, "diverged in epoch 1 at step 2 ");
    mlp_cl_trainer_destroy(trainer);
    mlp_cl_network_destroy(network);
  }
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* The wrong mask: nearly every value differs. */
static mlp_cl_status drop_others(backend *self, const dense_forward *d, mlp_cl_error *error) {
  dense_forward changed = *d;
  dropout mask;
  if (d->dropout != NULL) {
    mask = *d->dropout;
    mask.seed ^= 1;
    changed.dropout = &mask;
  }
  return right->dense_forward(self, &changed, error);
}

/* Another row of the data. */
static mlp_cl_status gather_others(backend *self, const gather *g, mlp_cl_error *error) {
  gather changed = *g;
  changed.first = g->first > 0 ? g->first - 1 : 0;
  return right->gather(self, &changed, error);
}

START_TEST(wrong_operations_stop_the_run) {
  backend_operations changed = *right;
  changed.train_steps = NULL;
  changed.dense_forward = drop_others;
  ck_fails(train_changed(&changed, 3), MLP_CL_MISMATCH, "step 3 of the run (epoch 1) went wrong: weight (0, ");
  changed.dense_forward = right->dense_forward;
  changed.gather = gather_others;
  ck_fails(train_changed(&changed, 1), MLP_CL_MISMATCH, "step 2 of the run (epoch 1)");
}
END_TEST

/* ---- What it costs ---------------------------------------------------------------------------------------------- */

static size_t reads, values_read;

static mlp_cl_status count_reads(backend *self, const tensor *source, size_t first, size_t rows, void *target,
                                 mlp_cl_error *error) {
  if (source->role == TENSOR_WEIGHT || source->role == TENSOR_STATE) {
    reads++;
    values_read += rows * source->cols;
  }
  return right->tensor_read(self, source, first, rows, target, error);
}

START_TEST(a_verified_step_reads_the_parameters_twice) {
  enum { TENSORS = 8, VALUES = 2 * (WIDTH * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES) };
  backend_operations changed = *right;
  changed.tensor_read = count_reads;
  static const uint64_t every[] = {0, 1, 5, STEPS, STEPS + 1};
  for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
    size_t verified = every[i] > 0 ? STEPS / every[i] : 0;
    reads = values_read = 0;
    ck_ok(train_changed(&changed, every[i]));
    ck_assert_uint_eq(reads, 2 * verified * TENSORS);
    ck_assert_uint_eq(values_read, 2 * verified * VALUES);
  }
}
END_TEST

START_TEST(refuses_no_trainer) {
  ck_fails(mlp_cl_trainer_verify_every(NULL, 1, &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("verify");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_all, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, verified_runs_keep_their_bits);
  tcase_add_test(tests, a_verifier_may_stream_its_rows);
  tcase_add_test(tests, one_wrong_bit_stops_the_run);
  tcase_add_test(tests, diverging_runs_are_no_fault);
  tcase_add_test(tests, wrong_operations_stop_the_run);
  tcase_add_test(tests, a_verified_step_reads_the_parameters_twice);
  tcase_add_test(tests, refuses_no_trainer);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  return result;
}
