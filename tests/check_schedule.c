/* Learning-rate schedules against their formulas and against runs put together by hand; early stopping. */
#include "training/schedule.h"

#include <math.h>
#include <string.h>

#include "test.h"
#include "training/trainer.h"

static mlp_cl_context *device;

static void open_device(void) {
  if (device == NULL) device = test_open_device();
}

START_TEST(cosine) {
  mlp_cl_recipe r = {.epochs = 37, .learning_rate = 0.5f, .schedule = MLP_CL_COSINE};
  for (uint32_t e = 0; e < 37; e++)
    ck_assert_double_eq_tol((double)schedule_rate(&r, 10, e * 10 + e % 10), 0.25 * (1 + cos(acos(-1) * e / 37)), 1e-7);
  ck_assert_float_eq(schedule_rate(&r, 10, 0), 0.5f);
  r.learning_rate = 0x1p-29f;
  ck_assert_float_eq(schedule_rate(&r, 1, 36), 0.0f); /* below what an update could use */
}
END_TEST

START_TEST(steps_and_warm_up) {
  const mlp_cl_recipe r = {.epochs = 12,
                           .learning_rate = 1.0f,
                           .schedule = MLP_CL_STEP,
                           .decay_epochs = 3,
                           .decay_factor = 0.5f,
                           .warmup_epochs = 2};
  for (uint64_t step = 0; step < 10; step++) {
    ck_assert_float_eq(schedule_rate(&r, 5, step), (float)((double)(step + 1) / 10));
    ck_assert(schedule_warms_up(&r, 5, step));
  }
  const float wanted[] = {1, 1, 1, 0.5f, 0.5f, 0.5f, 0.25f, 0.25f, 0.25f, 0.125f};
  for (uint64_t e = 2; e < 12; e++) ck_assert_float_eq(schedule_rate(&r, 5, e * 5 + 4), wanted[e - 2]);
  ck_assert(!schedule_warms_up(&r, 5, 10));
}
END_TEST

static mlp_cl_network *make_network(void) {
  static const size_t widths[] = {64, 16, 10};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(device, &shape, 5, &network, &test_error));
  return network;
}

/* Without momentum and shuffles, epochs at falling rates are runs of one epoch each. */
START_TEST(a_schedule_is_its_epochs) {
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_open("digits", &data, NULL, &test_error));
  mlp_cl_recipe r = mlp_cl_recipe_default();
  r.momentum = 0;
  r.no_shuffle = true;
  r.epochs = 3;
  r.schedule = MLP_CL_STEP;
  r.decay_epochs = 1;
  r.decay_factor = 0.5f;
  mlp_cl_network *whole = make_network(), *parts = make_network();
  ck_ok(mlp_cl_train(whole, data, NULL, &r, NULL, NULL, &test_error));
  r.schedule = MLP_CL_CONSTANT;
  r.epochs = 1;
  for (int i = 0; i < 3; i++, r.learning_rate *= 0.5f)
    ck_ok(mlp_cl_train(parts, data, NULL, &r, NULL, NULL, &test_error));
  ck_same_networks(whole, parts);
  mlp_cl_network_destroy(parts);
  mlp_cl_network_destroy(whole);
  mlp_cl_dataset_destroy(data);
}
END_TEST

static bool keep_last(const mlp_cl_event *event, void *user) {
  if (event->kind == MLP_CL_EVENT_EPOCH) *(mlp_cl_event *)user = *event;
  return true;
}

/* The network comes out as a run to the best epoch leaves it. */
START_TEST(patience) {
  mlp_cl_dataset *data = NULL, *test = NULL;
  ck_ok(mlp_cl_dataset_open("digits", &data, &test, &test_error));
  mlp_cl_recipe r = mlp_cl_recipe_default();
  r.optimiser = MLP_CL_ADAM;
  r.learning_rate = 0.03f;
  r.epochs = test_small() ? 4 : 60;
  r.patience = 2;
  mlp_cl_event last = {0};
  mlp_cl_network *stopped = make_network(), *best = make_network();
  ck_ok(mlp_cl_train(stopped, data, test, &r, keep_last, &last, &test_error));
  ck_assert_uint_ge(last.best_epoch, 1);
  ck_assert(last.epoch == r.epochs || last.epoch == last.best_epoch + 2);
  if (!test_small()) ck_assert_uint_lt(last.epoch, r.epochs);
  r.patience = 0;
  r.epochs = last.best_epoch;
  ck_ok(mlp_cl_train(best, data, NULL, &r, NULL, NULL, &test_error));
  ck_same_networks(stopped, best);
  r.patience = 1;
  ck_fails(mlp_cl_train(best, data, NULL, &r, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "patience is 1");
  mlp_cl_network_destroy(best);
  mlp_cl_network_destroy(stopped);
  mlp_cl_dataset_destroy(test);
  mlp_cl_dataset_destroy(data);
}
END_TEST

/* However many epochs ago it was; of the others the last ones are kept. */
START_TEST(the_best_epoch_is_not_forgotten) {
  enum { EPOCHS = 12000, BEST = 7 };
  epoch_history history = {0};
  for (uint32_t epoch = 1; epoch <= EPOCHS; epoch++) {
    const mlp_cl_event event = {.epoch = epoch, .has_test = true, .test_loss = epoch == BEST ? 1.0 : 2.0};
    ck_ok(history_add(&history, &event, &test_error));
  }
  ck_assert_uint_eq(history.count, 10000);
  ck_assert_uint_eq(history.epochs[history_best(&history)].epoch, BEST);
  for (size_t i = 1; i < history.count; i++) ck_assert_uint_eq(history.epochs[i].epoch, EPOCHS - history.count + 1 + i);
  history_release(&history);
}
END_TEST

START_TEST(refuses_bad_schedules) {
  mlp_cl_recipe r = mlp_cl_recipe_default();
  r.schedule = MLP_CL_STEP;
  r.decay_factor = 1.5f;
  ck_fails(schedule_check(&r, &test_error), MLP_CL_BAD_ARGUMENT, "decay_factor is 1.5");
  r.decay_epochs = 0;
  ck_fails(schedule_check(&r, &test_error), MLP_CL_BAD_ARGUMENT, "decay_epochs is 0");
  r = mlp_cl_recipe_default();
  r.warmup_epochs = 11;
  ck_fails(schedule_check(&r, &test_error), MLP_CL_BAD_ARGUMENT, "warmup_epochs is 11");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("schedule");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_device, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, cosine);
  tcase_add_test(tests, steps_and_warm_up);
  tcase_add_test(tests, a_schedule_is_its_epochs);
  tcase_add_test(tests, patience);
  tcase_add_test(tests, the_best_epoch_is_not_forgotten);
  tcase_add_test(tests, refuses_bad_schedules);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  return result;
}
