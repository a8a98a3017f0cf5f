/* Training runs: they learn, they are functions of data, recipe and seed, and they say where they diverged. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "small_run.h"

/* Ragged, with weight decay. */
static mlp_cl_recipe ragged_recipe(void) {
  mlp_cl_recipe recipe = small_recipe(8);
  recipe.weight_decay = 0.001f;
  return recipe;
}

typedef struct seen {
  mlp_cl_event epochs[64];
  size_t count;
} seen;

static bool watch(const mlp_cl_event *event, void *user) {
  seen *s = user;
  ck_assert_uint_ge(event->epoch, 1);
  if (event->kind == MLP_CL_EVENT_STEP) {
    ck_assert(isnan(event->train_loss));
    return true;
  }
  s->epochs[s->count++] = *event;
  return true;
}

START_TEST(learns) {
  mlp_cl_network *network = small_network(device, 1);
  mlp_cl_recipe recipe = ragged_recipe();
  float before[WIDTH * HIDDEN], after[WIDTH * HIDDEN];
  ck_ok(mlp_cl_network_get(network, 0, before, NULL, &test_error));
  seen s = {.count = 0};
  ck_ok(mlp_cl_train(network, train, test, &recipe, watch, &s, &test_error));
  ck_ok(mlp_cl_network_get(network, 0, after, NULL, &test_error));
  ck_alive(after, WIDTH * HIDDEN, "weights");
  size_t changed = 0;
  for (size_t i = 0; i < WIDTH * HIDDEN; i++) changed += before[i] != after[i];
  ck_assert_uint_gt(changed, WIDTH * HIDDEN * 9 / 10);
  ck_assert_uint_eq(s.count, 8);
  for (size_t i = 0; i < 8; i++) {
    const mlp_cl_event *e = &s.epochs[i];
    ck_assert_uint_eq(e->epoch, i + 1);
    ck_assert_uint_eq(e->epochs, 8);
    ck_assert_uint_eq(e->step, (i + 1) * 4);
    ck_assert_uint_eq(e->steps, 32);
    ck_assert_uint_eq(e->samples, (i + 1) * ROWS);
    ck_assert(e->has_test && isfinite(e->train_loss) && isfinite(e->test_loss));
  }
  ck_assert_double_lt(s.epochs[7].train_loss, 0.5 * s.epochs[0].train_loss);
  ck_assert_double_lt(s.epochs[7].test_loss, 0.5 * s.epochs[0].test_loss);
  ck_assert_double_gt(s.epochs[7].train_accuracy, 0.85);
  ck_assert_double_gt(s.epochs[7].test_accuracy, 0.9);
  mlp_cl_evaluation evaluation;
  ck_ok(mlp_cl_network_evaluate(network, test, &evaluation, NULL, &test_error));
  ck_assert_double_eq(evaluation.loss, s.epochs[7].test_loss);
  ck_assert_double_eq(evaluation.accuracy, s.epochs[7].test_accuracy);
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(has_the_bits_of_the_reference) {
  mlp_cl_recipe recipes[4] = {ragged_recipe(), ragged_recipe(), ragged_recipe(), ragged_recipe()};
  recipes[1].nesterov = true;
  recipes[1].reduction = MLP_CL_SUM;
  recipes[1].learning_rate = 0.003f;
  recipes[2].momentum = 0;
  recipes[2].dropout_unscaled = true;
  recipes[2].no_shuffle = true;
  recipes[3].batch = 1000; /* more than there are rows */
  recipes[3].dropout = 0;
  char previous[65] = "";
  for (size_t i = 0; i < 4; i++) {
    mlp_cl_context *contexts[] = {device, reference};
    char hex[2][65];
    seen s[2] = {{.count = 0}, {.count = 0}};
    for (size_t c = 0; c < 2; c++) {
      mlp_cl_network *network = small_network(contexts[c], 1);
      ck_ok(mlp_cl_train(network, train, test, &recipes[i], watch, &s[c], &test_error));
      hash(network, hex[c]);
      mlp_cl_network_destroy(network);
    }
    ck_assert_str_eq(hex[0], hex[1]);
    ck_assert_str_ne(hex[0], previous);
    memcpy(previous, hex[0], sizeof previous);
    for (size_t e = 0; e < s[0].count; e++) {
      ck_assert_double_eq(s[0].epochs[e].train_loss, s[1].epochs[e].train_loss);
      ck_assert_double_eq(s[0].epochs[e].train_accuracy, s[1].epochs[e].train_accuracy);
      ck_assert_double_eq(s[0].epochs[e].test_loss, s[1].epochs[e].test_loss);
    }
  }
}
END_TEST

/* Rows that pass through the device a few at a time give what resident ones give, also on the way. */
START_TEST(streamed_rows_have_the_same_bits) {
  enum { EPOCHS = 3 };
  /* Of the 36 bytes of a row: one batch at a time; chunks of three batches; all but resident. */
  static const uint64_t limits[] = {1, 2 * 36 * 50, 36 * ROWS - 1};
  static const uint32_t batches[] = {16, 1, 1000};
  size_t cases = test_small() ? 1 : 3;
  for (size_t b = 0; b < cases; b++) {
    mlp_cl_recipe recipe = ragged_recipe();
    recipe.epochs = EPOCHS;
    recipe.batch = batches[b];
    recipe.no_shuffle = b == 1;
    seen wanted = {.count = 0};
    char hex[2][65];
    mlp_cl_network *network = small_network(device, 1);
    ck_ok(mlp_cl_train(network, train, test, &recipe, watch, &wanted, &test_error));
    hash(network, hex[0]);
    mlp_cl_network_destroy(network);
    for (size_t i = 0; i < cases; i++) {
      const mlp_cl_context_options options = {.kernels = getenv("MLP_CL_TEST_KERNELS"), .data_bytes = limits[i]};
      mlp_cl_context *small = NULL;
      seen got = {.count = 0};
      ck_ok(mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &small, &test_error));
      network = small_network(small, 1);
      ck_ok(mlp_cl_train(network, train, test, &recipe, watch, &got, &test_error));
      hash(network, hex[1]);
      ck_assert_str_eq(hex[0], hex[1]);
      for (size_t e = 0; e < EPOCHS; e++) {
        ck_assert_double_eq(got.epochs[e].train_loss, wanted.epochs[e].train_loss);
        ck_assert_double_eq(got.epochs[e].test_loss, wanted.epochs[e].test_loss);
      }
      mlp_cl_network_destroy(network);
      mlp_cl_context_destroy(small);
    }
  }
}
END_TEST

/* What is left of another epoch's rows is not taken for this one's by a trainer that goes back. */
START_TEST(streamed_rows_follow_their_epoch) {
  mlp_cl_recipe recipe = ragged_recipe();
  recipe.epochs = 4;
  recipe.batch = 12; /* two of which are a chunk */
  const mlp_cl_context_options options = {.kernels = getenv("MLP_CL_TEST_KERNELS"), .data_bytes = 36 * ROWS - 1};
  mlp_cl_context *small = NULL;
  mlp_cl_trainer *trainer = NULL;
  char hex[2][65];
  test_folder_create();
  ck_ok(mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &small, &test_error));
  mlp_cl_network *network = small_network(small, 1);
  ck_ok(mlp_cl_trainer_create(network, train, NULL, &recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_steps(trainer, 1, NULL, &test_error));
  ck_ok(mlp_cl_trainer_save(trainer, test_path("run"), &test_error));
  ck_ok(mlp_cl_trainer_run(trainer, NULL, NULL, &test_error));
  hash(network, hex[0]);
  mlp_cl_trainer_destroy(trainer);
  ck_ok(mlp_cl_trainer_create(network, train, NULL, &recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_steps(trainer, 6, NULL, &test_error)); /* the same place in the second epoch */
  ck_ok(mlp_cl_trainer_resume(trainer, test_path("run"), NULL, NULL, &test_error));
  ck_ok(mlp_cl_trainer_run(trainer, NULL, NULL, &test_error));
  hash(network, hex[1]);
  ck_assert_str_eq(hex[0], hex[1]);
  mlp_cl_trainer_destroy(trainer);
  mlp_cl_network_destroy(network);
  mlp_cl_context_destroy(small);
  test_folder_remove();
}
END_TEST

/* Work, and an epoch's order, may then still be on their way to the device. */
START_TEST(a_trainer_may_go_at_any_step) {
  mlp_cl_recipe recipe = ragged_recipe();
  for (uint64_t steps = 1; steps <= 9; steps++) {
    mlp_cl_network *networks[] = {small_network(device, 1), small_network(reference, 1)};
    char hex[2][65];
    for (size_t i = 0; i < 2; i++) {
      mlp_cl_trainer *trainer = NULL;
      ck_ok(mlp_cl_trainer_create(networks[i], train, NULL, &recipe, &trainer, &test_error));
      ck_ok(mlp_cl_trainer_steps(trainer, steps, NULL, &test_error));
      mlp_cl_trainer_destroy(trainer);
      hash(networks[i], hex[i]);
      mlp_cl_network_destroy(networks[i]);
    }
    ck_assert_str_eq(hex[0], hex[1]);
  }
}
END_TEST

START_TEST(steps_in_pieces_equal_a_run) {
  mlp_cl_recipe recipe = ragged_recipe();
  mlp_cl_network *whole = small_network(device, 1), *pieces = small_network(device, 1),
                 *mixed = small_network(device, 1);
  ck_ok(mlp_cl_train(whole, train, NULL, &recipe, NULL, NULL, &test_error));
  mlp_cl_trainer *trainer = NULL;
  ck_ok(mlp_cl_trainer_create(pieces, train, NULL, &recipe, &trainer, &test_error));
  uint64_t done = 99, total = 0;
  for (uint64_t asked = 1; total < 32; asked++, total += done) {
    ck_ok(mlp_cl_trainer_steps(trainer, asked, &done, &test_error));
    ck_assert_uint_eq(done, total + asked <= 32 ? asked : 32 - total);
  }
  ck_ok(mlp_cl_trainer_steps(trainer, 5, &done, &test_error));
  ck_assert_uint_eq(done, 0);
  mlp_cl_trainer_destroy(trainer);
  ck_ok(mlp_cl_trainer_create(mixed, train, test, &recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_steps(trainer, 7, NULL, &test_error)); /* into the second epoch */
  seen s = {.count = 0};
  ck_ok(mlp_cl_trainer_run(trainer, watch, &s, &test_error));
  ck_assert_uint_eq(s.count, 7);
  ck_assert_uint_eq(s.epochs[0].epoch, 2);
  ck_assert_uint_eq(s.epochs[6].samples, 8 * ROWS - (ROWS + 3 * 16));
  mlp_cl_trainer_destroy(trainer);
  char hex[3][65];
  hash(whole, hex[0]);
  hash(pieces, hex[1]);
  hash(mixed, hex[2]);
  ck_assert_str_eq(hex[0], hex[1]);
  ck_assert_str_eq(hex[0], hex[2]);
  mlp_cl_network_destroy(whole);
  mlp_cl_network_destroy(pieces);
  mlp_cl_network_destroy(mixed);
}
END_TEST

START_TEST(seeds_matter) {
  mlp_cl_recipe recipe = ragged_recipe();
  char hex[2][65];
  for (size_t i = 0; i < 2; i++) {
    recipe.seed = 10 + i;
    mlp_cl_network *network = small_network(device, 1);
    ck_ok(mlp_cl_train(network, train, NULL, &recipe, NULL, NULL, &test_error));
    hash(network, hex[i]);
    mlp_cl_network_destroy(network);
  }
  ck_assert_str_ne(hex[0], hex[1]);
}
END_TEST

START_TEST(tells_where_it_diverged) {
  mlp_cl_recipe recipe = ragged_recipe();
  recipe.learning_rate = 0x1p30f;
  mlp_cl_network *network = small_network(device, 1);
  seen s = {.count = 0};
  ck_fails(mlp_cl_train(network, train, test, &recipe, watch, &s, &test_error), MLP_CL_DIVERGED, "in epoch ");
  ck_assert_ptr_nonnull(strstr(test_error.text, "lower the learning rate"));
  char hex[65];
  ck_fails(mlp_cl_network_sha256(network, hex, &test_error), MLP_CL_DIVERGED, "no receipt");
  mlp_cl_network_destroy(network);
  network = small_network(device, 1);
  mlp_cl_trainer *trainer = NULL;
  ck_ok(mlp_cl_trainer_create(network, train, NULL, &recipe, &trainer, &test_error));
  uint64_t done = 0;
  ck_fails(mlp_cl_trainer_steps(trainer, UINT64_MAX, &done, &test_error), MLP_CL_DIVERGED, "at step ");
  mlp_cl_trainer_destroy(trainer);
  mlp_cl_network_destroy(network);
}
END_TEST

/* The loss is finite still; the label's weights are not any more, all others are large. */
START_TEST(notices_the_step_that_made_weights_infinite) {
  enum { IN = 48, OUT = 16 }; /* whole tiles */
  static const size_t widths[] = {IN, OUT};
  const mlp_cl_shape shape = {.widths_count = 2, .widths = widths};
  const int32_t label = 3;
  float x[IN], zeros[IN * OUT] = {0};
  for (size_t i = 0; i < IN; i++) x[i] = 0x1p99f;
  const mlp_cl_recipe recipe = {.epochs = 1, .batch = 1, .learning_rate = 0x1p30f};
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_trainer *trainer = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(x, MLP_CL_FLOAT32, 1, IN, 1.0f, &label, OUT, &data, &test_error));
  ck_ok(mlp_cl_network_create(device, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_network_set(network, 0, zeros, NULL, &test_error));
  ck_ok(mlp_cl_trainer_create(network, data, NULL, &recipe, &trainer, &test_error));
  uint64_t done = 0;
  ck_fails(mlp_cl_trainer_steps(trainer, 1, &done, &test_error), MLP_CL_DIVERGED, "at step 1");
  mlp_cl_trainer_destroy(trainer);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

START_TEST(refuses_recipes_out_of_range) {
#define CASE(part, ...) \
  { {__VA_ARGS__}, part }
#define GOOD .epochs = 1, .batch = 1
  const struct {
    mlp_cl_recipe recipe;
    const char *part;
  } cases[] = {
      CASE("learning_rate is inf", GOOD, .learning_rate = INFINITY),
      CASE("learning_rate is nan", GOOD, .learning_rate = NAN),
      CASE("learning_rate is -0.1", GOOD, .learning_rate = -0.1f),
      CASE("2^-30 to 2^30", GOOD, .learning_rate = 0x1p-31f),
      CASE("momentum is 1", GOOD, .momentum = 1.0f),
      CASE("momentum is nan", GOOD, .momentum = NAN),
      CASE("nesterov", GOOD, .nesterov = true),
      CASE("weight_decay is 1.5", GOOD, .weight_decay = 1.5f),
      CASE("dropout is 1", GOOD, .dropout = 1.0f),
      CASE("dropout is nan", GOOD, .dropout = NAN),
      CASE("reduction", GOOD, .reduction = (mlp_cl_reduction)7),
      CASE("batch is 0", .epochs = 1),
      CASE("epochs is 0", .batch = 1),
      CASE("epochs is 4294967295", .epochs = UINT32_MAX, .batch = 1),
  };
  mlp_cl_network *network = small_network(device, 1);
  mlp_cl_trainer *trainer = NULL;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ck_fails(mlp_cl_trainer_create(network, train, NULL, &cases[i].recipe, &trainer, &test_error), MLP_CL_BAD_ARGUMENT,
             cases[i].part);
    ck_assert_ptr_null(trainer);
  }
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(refuses_data_that_does_not_fit) {
  const float features[] = {1, 2};
  const int32_t labels[] = {0, 0};
  mlp_cl_dataset *narrow = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 2, 1, 1, labels, 1, &narrow, &test_error));
  mlp_cl_recipe recipe = ragged_recipe();
  mlp_cl_network *network = small_network(device, 1);
  ck_fails(mlp_cl_train(network, narrow, NULL, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_SHAPE, "training data");
  ck_fails(mlp_cl_train(network, train, narrow, &recipe, NULL, NULL, &test_error), MLP_CL_BAD_SHAPE, "test data");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(narrow);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("training");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, small_run_open, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, learns);
  tcase_add_test(tests, has_the_bits_of_the_reference);
  tcase_add_test(tests, streamed_rows_have_the_same_bits);
  tcase_add_test(tests, streamed_rows_follow_their_epoch);
  tcase_add_test(tests, a_trainer_may_go_at_any_step);
  tcase_add_test(tests, steps_in_pieces_equal_a_run);
  tcase_add_test(tests, seeds_matter);
  tcase_add_test(tests, tells_where_it_diverged);
  tcase_add_test(tests, notices_the_step_that_made_weights_infinite);
  tcase_add_test(tests, refuses_recipes_out_of_range);
  tcase_add_test(tests, refuses_data_that_does_not_fit);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  small_run_close();
  return result;
}
