/* What a run tells on its way, and that it stops where it is told to. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "small_run.h"

typedef struct losses {
  double at[16]; /* by step */
  size_t count;
} losses;

static bool take_losses(const mlp_cl_event *event, void *user) {
  losses *l = user;
  if (event->kind != MLP_CL_EVENT_STEP || isnan(event->train_loss)) return true;
  ck_assert_uint_lt(event->step, 16);
  l->at[event->step] = event->train_loss;
  l->count++;
  return true;
}

/* The mean cross-entropy of some rows before any step. */
static double loss_of_rows(size_t first, size_t end) {
  mlp_cl_network *network = small_network(device, 1);
  float *probabilities = test_floats(ROWS * CLASSES);
  ck_ok(mlp_cl_network_predict_dataset(network, train, 0, ROWS, probabilities, &test_error));
  double sum = 0;
  for (size_t i = first; i < end; i++)
    sum -= log((double)probabilities[i * CLASSES + (size_t)mlp_cl_dataset_labels(train)[i]]);
  free(probabilities);
  mlp_cl_network_destroy(network);
  return sum / (double)(end - first);
}

/* Four steps of 16, 16, 16 and 2 rows in an epoch, told every third: after steps 3, 6, 9; the twelfth ends an epoch. */
START_TEST(losses_are_told_within_epochs) {
  mlp_cl_recipe recipe = small_recipe(3);
  mlp_cl_network *told = small_network(device, 1), *untold = small_network(device, 1),
                 *still = small_network(device, 1);
  mlp_cl_trainer *trainer;
  char hex[2][65];
  losses l = {.count = 0};
  ck_ok(mlp_cl_trainer_create(told, train, NULL, &recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_losses_every(trainer, 3, &test_error));
  ck_ok(mlp_cl_trainer_run(trainer, take_losses, &l, &test_error));
  mlp_cl_trainer_destroy(trainer);
  ck_assert_uint_eq(l.count, 3);
  ck_ok(mlp_cl_train(untold, train, NULL, &recipe, NULL, NULL, &test_error));
  hash(told, hex[0]);
  hash(untold, hex[1]);
  ck_assert_str_eq(hex[0], hex[1]);

  recipe = (mlp_cl_recipe){.seed = 1, .epochs = 3, .batch = 16, .learning_rate = 0, .no_shuffle = true};
  l = (losses){.count = 0};
  ck_ok(mlp_cl_trainer_create(still, train, NULL, &recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_losses_every(trainer, 3, &test_error));
  ck_ok(mlp_cl_trainer_run(trainer, take_losses, &l, &test_error));
  mlp_cl_trainer_destroy(trainer);
  ck_assert_double_eq_tol(l.at[3], loss_of_rows(0, 48), 1e-5);
  ck_assert_double_eq_tol(l.at[6], loss_of_rows(0, 32), 1e-5); /* since the epoch began */
  ck_assert_double_eq_tol(l.at[9], loss_of_rows(0, 16), 1e-5);
  mlp_cl_network_destroy(told);
  mlp_cl_network_destroy(untold);
  mlp_cl_network_destroy(still);
}
END_TEST

static bool stop_after_three_epochs(const mlp_cl_event *event, void *user) {
  size_t *epochs = user;
  *epochs += event->kind == MLP_CL_EVENT_EPOCH;
  return *epochs < 3;
}

START_TEST(cancels_when_asked) {
  mlp_cl_recipe recipe = small_recipe(8), shorter = small_recipe(3);
  size_t epochs = 0;
  mlp_cl_network *stopped = small_network(device, 1), *complete = small_network(device, 1);
  ck_fails(mlp_cl_train(stopped, train, NULL, &recipe, stop_after_three_epochs, &epochs, &test_error), MLP_CL_CANCELLED,
           "12 of 32");
  ck_assert_uint_eq(epochs, 3);
  ck_ok(mlp_cl_train(complete, train, NULL, &shorter, NULL, NULL, &test_error));
  char hex[2][65];
  hash(stopped, hex[0]);
  hash(complete, hex[1]);
  ck_assert_str_eq(hex[0], hex[1]); /* the parameters reached */
  mlp_cl_network_destroy(stopped);
  mlp_cl_network_destroy(complete);
}
END_TEST

static bool stop_within_epoch(const mlp_cl_event *event, void *user) {
  *(mlp_cl_event *)user = *event;
  return event->kind != MLP_CL_EVENT_STEP && event->epoch < 5;
}

START_TEST(cancels_within_an_epoch) {
  mlp_cl_dataset *many = clusters_make(3, 2000000); /* an epoch of seconds beside 0.1 s of work in flight */
  mlp_cl_network *network = small_network(device, 1);
  mlp_cl_recipe recipe = small_recipe(200);
  recipe.batch = 1;
  recipe.learning_rate = 0.001f;
  mlp_cl_event last;
  ck_fails(mlp_cl_train(network, many, NULL, &recipe, stop_within_epoch, &last, &test_error), MLP_CL_CANCELLED,
           "of 400000000 steps");
  ck_assert_int_eq(last.kind, MLP_CL_EVENT_STEP);
  ck_assert_uint_gt(last.step, 0);
  ck_assert_uint_eq(last.samples, last.step);
  ck_assert_double_ge(last.seconds, 0.1);
  char hex[65];
  hash(network, hex);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(many);
}
END_TEST

/* Steps of a tenth of a second and more are told one by one, from the first on. */
START_TEST(slow_steps_are_told) {
  static const size_t widths[] = {WIDTH, 1024, 1024, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 4, .widths = widths, .init = MLP_CL_INIT_HE};
  mlp_cl_dataset *data = clusters_make(4, 8 * 256);
  mlp_cl_recipe recipe = {.epochs = 1, .batch = 256, .learning_rate = 0.01f};
  mlp_cl_network *network = NULL;
  mlp_cl_event last;
  ck_ok(mlp_cl_network_create(reference, &shape, 1, &network, &test_error));
  ck_fails(mlp_cl_train(network, data, NULL, &recipe, stop_within_epoch, &last, &test_error), MLP_CL_CANCELLED,
           "of 8 steps");
  ck_assert_int_eq(last.kind, MLP_CL_EVENT_STEP);
  ck_assert_uint_lt(last.step, 8);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
}
END_TEST

typedef struct lull {
  size_t evaluating, epochs;
} lull;

/* So slow within the epoch that a sign of life is due when it is evaluated, where the run is to stop. */
static bool stop_while_evaluating(const mlp_cl_event *event, void *user) {
  lull *l = user;
  l->epochs += event->kind == MLP_CL_EVENT_EPOCH;
  if (event->kind != MLP_CL_EVENT_STEP) return true;
  l->evaluating += event->step == EPOCH_STEPS;
  if (event->step < EPOCH_STEPS) usleep(150000);
  return event->step < EPOCH_STEPS;
}

/* The epoch comes to its end, and the run goes on from there. */
START_TEST(cancels_after_an_evaluation) {
  mlp_cl_recipe recipe = small_recipe(8);
  mlp_cl_network *stopped = small_network(device, 1), *whole = small_network(device, 1);
  mlp_cl_trainer *trainer;
  lull l = {0};
  ck_ok(mlp_cl_trainer_create(stopped, train, test, &recipe, &trainer, &test_error));
  ck_ok(mlp_cl_trainer_losses_every(trainer, 1, &test_error));
  ck_fails(mlp_cl_trainer_run(trainer, stop_while_evaluating, &l, &test_error), MLP_CL_CANCELLED, "after 4 of 32");
  ck_assert_uint_eq(l.evaluating, 1);
  ck_assert_uint_eq(l.epochs, 1);
  ck_ok(mlp_cl_trainer_run(trainer, NULL, NULL, &test_error));
  mlp_cl_trainer_destroy(trainer);
  ck_ok(mlp_cl_train(whole, train, test, &recipe, NULL, NULL, &test_error));
  char hex[2][65];
  hash(stopped, hex[0]);
  hash(whole, hex[1]);
  ck_assert_str_eq(hex[0], hex[1]);
  mlp_cl_network_destroy(stopped);
  mlp_cl_network_destroy(whole);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("events");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, small_run_open, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, losses_are_told_within_epochs);
  tcase_add_test(tests, slow_steps_are_told);
  tcase_add_test(tests, cancels_when_asked);
  tcase_add_test(tests, cancels_within_an_epoch);
  tcase_add_test(tests, cancels_after_an_evaluation);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  small_run_close();
  return result;
}
