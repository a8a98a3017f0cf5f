/* Checkpoints: a resumed run has the bits and metrics of one that was never stopped, wherever it stopped and wherever
 * it goes on; they are written when they are told to, and leave what others wrote. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "small_run.h"

enum { EPOCHS = 4, STEPS = EPOCHS * EPOCH_STEPS };

typedef struct seen {
  mlp_cl_event epochs[EPOCHS];
  size_t count, written, failed;
  uint64_t steps[STEPS + 1]; /* of checkpoints */
} seen;

static bool watch(const mlp_cl_event *event, void *user) {
  seen *s = user;
  if (event->kind == MLP_CL_EVENT_CHECKPOINT && event->failure != NULL) {
    ck_assert_int_ne(event->failure->status, MLP_CL_OK);
    s->failed++;
  } else if (event->kind == MLP_CL_EVENT_CHECKPOINT) {
    s->steps[s->written++] = event->step;
  } else if (event->kind == MLP_CL_EVENT_EPOCH) {
    ck_assert_uint_lt(s->count, EPOCHS);
    s->epochs[s->count++] = *event;
  }
  return true;
}

static void run_whole(mlp_cl_context *context, const mlp_cl_recipe *recipe, seen *s, char hex[65]) {
  small_run whole = small_run_begin(context, 1, recipe);
  ck_ok(mlp_cl_trainer_run(whole.trainer, watch, s, &test_error));
  ck_assert_uint_eq(s->count, EPOCHS);
  hash(whole.network, hex);
  small_run_end(&whole);
}

static void check_same_run(const seen *got, const seen *wanted) {
  ck_assert_uint_eq(got->count, wanted->count);
  for (size_t i = 0; i < wanted->count; i++) {
    const mlp_cl_event *g = &got->epochs[i], *w = &wanted->epochs[i];
    ck_assert_uint_eq(g->epoch, w->epoch);
    ck_assert_uint_eq(g->step, w->step);
    ck_assert_double_eq(g->train_loss, w->train_loss);
    ck_assert_double_eq(g->train_accuracy, w->train_accuracy);
    ck_assert_double_eq(g->test_loss, w->test_loss);
    ck_assert_double_eq(g->test_accuracy, w->test_accuracy);
  }
}

static void check_resumed(mlp_cl_context *on, const mlp_cl_recipe *recipe, const char *path, const seen *whole,
                          const char *wanted) {
  char hex[65];
  seen s = {.count = 0};
  small_run rest = small_run_begin(on, 99, recipe); /* other weights before */
  ck_ok(mlp_cl_trainer_resume(rest.trainer, path, watch, &s, &test_error));
  ck_ok(mlp_cl_trainer_run(rest.trainer, watch, &s, &test_error));
  hash(rest.network, hex);
  ck_assert_str_eq(hex, wanted);
  check_same_run(&s, whole);
  small_run_end(&rest);
}

START_TEST(resumes_exactly_from_any_step_on_any_device) {
  mlp_cl_recipe recipes[4] = {small_recipe(EPOCHS), small_recipe(EPOCHS), small_recipe(EPOCHS), small_recipe(EPOCHS)};
  recipes[1].momentum = 0;
  recipes[2].nesterov = true;
  recipes[2].weight_decay = 0.01f;
  recipes[2].no_shuffle = true;
  recipes[3].seed = UINT64_MAX;
  recipes[3].reduction = MLP_CL_SUM;
  recipes[3].learning_rate = 0.003f;
  for (size_t r = 0; r < 4; r++) {
    char wanted[65];
    seen whole = {.count = 0};
    run_whole(reference, &recipes[r], &whole, wanted);
    for (uint64_t steps = 0; steps < STEPS; steps += test_small() || r > 0 ? 5 : 1) {
      const char *path = test_path("run.safetensors");
      bool first_on_device = steps % 2 == 0;
      small_run_save(first_on_device ? device : reference, &recipes[r], steps, path);
      check_resumed(first_on_device ? reference : device, &recipes[r], path, &whole, wanted);
    }
  }
}
END_TEST

/* A run of fewer epochs, whether it came to its end or not, goes on to more as if it had been told to. */
START_TEST(goes_on_to_more_epochs) {
  const char *path = test_path("run.safetensors");
  char wanted[65];
  seen whole = {.count = 0};
  mlp_cl_recipe recipe = small_recipe(EPOCHS);
  recipe.warmup_epochs = 1;
  recipe.schedule = MLP_CL_STEP;
  recipe.decay_epochs = 1;
  recipe.decay_factor = 0.5f;
  run_whole(reference, &recipe, &whole, wanted);
  mlp_cl_recipe fewer = recipe;
  fewer.epochs = 2;
  for (uint64_t steps = 0; steps <= 2 * EPOCH_STEPS; steps += EPOCH_STEPS) {
    small_run_save(device, &fewer, steps, path);
    check_resumed(steps == EPOCH_STEPS ? reference : device, &recipe, path, &whole, wanted);
  }
  recipe.epochs = 20; /* and back */
  small_run_save(device, &recipe, 6, path);
  recipe.epochs = EPOCHS;
  check_resumed(device, &recipe, path, &whole, wanted);
}
END_TEST

START_TEST(resumes_again_and_again) {
  mlp_cl_recipe recipe = small_recipe(EPOCHS);
  const char *path = test_path("run.safetensors");
  char wanted[65];
  seen whole = {.count = 0};
  run_whole(reference, &recipe, &whole, wanted);
  small_run_save(device, &recipe, 0, path);
  for (uint64_t step = 0; step < 3; step++) { /* all in one epoch */
    small_run part = small_run_begin(device, step, &recipe);
    ck_ok(mlp_cl_trainer_resume(part.trainer, path, NULL, NULL, &test_error));
    ck_ok(mlp_cl_trainer_steps(part.trainer, 1, NULL, &test_error));
    ck_ok(mlp_cl_trainer_save(part.trainer, path, &test_error));
    small_run_end(&part);
  }
  check_resumed(device, &recipe, path, &whole, wanted);
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(saves_when_told) {
  const mlp_cl_checkpoints schedules[] = {{.every_steps = 3}, {.every_epochs = 2}, {.every_s = 1e-9}, {.every_s = 0}};
  const size_t least[] = {2, 2, 2, 1};
  for (size_t i = 0; i < 4; i++) {
    mlp_cl_recipe recipe = small_recipe(EPOCHS);
    const char *path = test_path("run.safetensors");
    char wanted[65], hex[65];
    seen whole = {.count = 0}, s = {.count = 0};
    run_whole(device, &recipe, &whole, wanted);
    mlp_cl_checkpoints when = schedules[i];
    when.path = path;
    small_run kept = small_run_begin(device, 1, &recipe);
    ck_ok(mlp_cl_trainer_checkpoints(kept.trainer, &when, &test_error));
    ck_ok(mlp_cl_trainer_run(kept.trainer, watch, &s, &test_error));
    hash(kept.network, hex);
    ck_assert_str_eq(hex, wanted);
    check_same_run(&s, &whole);
    ck_assert_uint_ge(s.written, least[i]);
    ck_assert_uint_eq(s.failed, 0);
    ck_assert_uint_eq(s.steps[s.written - 1], STEPS);
    for (size_t c = 0; i < 2 && c + 1 < s.written; c++) ck_assert_uint_gt(s.steps[c + 1], s.steps[c]);
    small_run_end(&kept);
    check_resumed(reference, &recipe, path, &whole, wanted);
    ck_assert_uint_eq(test_folder_count(), 1);
  }
}
END_TEST

START_TEST(goes_on_when_a_checkpoint_cannot_be_written) {
  mlp_cl_recipe recipe = small_recipe(EPOCHS);
  char folder[512], path[600], wanted[65], hex[65];
  seen whole = {.count = 0}, s = {.count = 0};
  snprintf(folder, sizeof folder, "%s", test_path("gone"));
  snprintf(path, sizeof path, "%s/run.safetensors", folder);
  ck_assert_int_eq(mkdir(folder, 0700), 0);
  run_whole(device, &recipe, &whole, wanted);
  small_run kept = small_run_begin(device, 1, &recipe);
  const mlp_cl_checkpoints when = {.path = path, .every_epochs = 1};
  ck_ok(mlp_cl_trainer_checkpoints(kept.trainer, &when, &test_error));
  ck_assert_int_eq(rmdir(folder), 0);
  ck_ok(mlp_cl_trainer_run(kept.trainer, watch, &s, &test_error));
  ck_assert_uint_ge(s.failed, 1);
  ck_assert_uint_eq(s.written, 0);
  hash(kept.network, hex);
  ck_assert_str_eq(hex, wanted);
  ck_fails(mlp_cl_trainer_save(kept.trainer, path, &test_error), MLP_CL_IO, "run.safetensors");
  ck_fails(mlp_cl_trainer_checkpoints(kept.trainer, &when, &test_error), MLP_CL_IO, "run.safetensors");
  small_run_end(&kept);
}
END_TEST

/* Two runs that began with one new file: the second leaves it to the first, and goes beside it. */
START_TEST(leaves_the_checkpoints_of_others) {
  mlp_cl_recipe recipe = small_recipe(EPOCHS);
  char path[512], wanted[65], hex[65];
  seen whole = {.count = 0}, first_seen = {.count = 0}, second_seen = {.count = 0};
  snprintf(path, sizeof path, "%s", test_path("run.safetensors"));
  run_whole(device, &recipe, &whole, wanted);
  const mlp_cl_checkpoints when = {.path = path, .every_epochs = 1};
  small_run first = small_run_begin(device, 1, &recipe), second = small_run_begin(device, 2, &recipe);
  ck_ok(mlp_cl_trainer_checkpoints(first.trainer, &when, &test_error));
  ck_ok(mlp_cl_trainer_checkpoints(second.trainer, &when, &test_error));
  ck_ok(mlp_cl_trainer_save(first.trainer, path, &test_error));
  ck_ok(mlp_cl_trainer_run(second.trainer, watch, &second_seen, &test_error));
  ck_assert_uint_eq(second_seen.failed, 0);
  ck_assert_uint_ge(second_seen.written, 1);
  ck_assert_str_eq(mlp_cl_trainer_checkpoint_path(first.trainer), path);
  const char *beside = mlp_cl_trainer_checkpoint_path(second.trainer);
  ck_assert_msg(strncmp(beside, path, strlen(path)) == 0 && strlen(beside) == strlen(path) + 9, "%s", beside);
  ck_assert_int_eq(remove(beside), 0);
  ck_ok(mlp_cl_trainer_save(second.trainer, path, &test_error));
  ck_assert_int_eq(access(beside, F_OK), 0);
  ck_ok(mlp_cl_trainer_run(first.trainer, watch, &first_seen, &test_error));
  ck_assert_uint_eq(first_seen.failed, 0);
  ck_assert_uint_ge(first_seen.written, 1);
  hash(first.network, hex);
  ck_assert_str_eq(hex, wanted);
  small_run_end(&first);
  small_run_end(&second);
  check_resumed(reference, &recipe, path, &whole, wanted);
}
END_TEST

START_TEST(is_a_model) {
  mlp_cl_recipe recipe = small_recipe(EPOCHS);
  const char *path = test_path("run.safetensors");
  small_run t = small_run_begin(device, 1, &recipe);
  ck_ok(mlp_cl_trainer_steps(t.trainer, 5, NULL, &test_error));
  ck_ok(mlp_cl_trainer_save(t.trainer, path, &test_error));
  char wanted[65], hex[65];
  hash(t.network, wanted);
  small_run_end(&t);
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_load(reference, path, &network, NULL, &test_error));
  ck_ok(mlp_cl_network_sha256(network, hex, &test_error));
  ck_assert_str_eq(hex, wanted);
  mlp_cl_network_destroy(network);
}
END_TEST

/* NULL without. */
static char *read_note(const char *path) {
  mlp_cl_model_info *info = NULL;
  const char *key, *value;
  char *note = NULL;
  ck_ok(mlp_cl_model_info_open(path, &info, &test_error));
  for (size_t i = 0; (value = mlp_cl_model_info_metadata(info, i, &key)) != NULL; i++)
    if (strcmp(key, "mlp_cl.note") == 0) note = strdup(value);
  mlp_cl_model_info_destroy(info);
  return note;
}

START_TEST(keeps_the_note_of_a_program) {
  mlp_cl_recipe recipe = small_recipe(EPOCHS);
  const char *path = test_path("run.safetensors");
  char wanted[] = "{\"d\303\251j\303\240\":\"vu\"}\n";
  mlp_cl_checkpoints when = {.path = path, .note = wanted};
  small_run t = small_run_begin(device, 1, &recipe);
  ck_ok(mlp_cl_trainer_checkpoints(t.trainer, &when, &test_error));
  wanted[0] = '['; /* it is copied */
  when.note = "\351";
  ck_fails(mlp_cl_trainer_checkpoints(t.trainer, &when, &test_error), MLP_CL_BAD_ARGUMENT, "not UTF-8");
  ck_ok(mlp_cl_trainer_run(t.trainer, NULL, NULL, &test_error));
  wanted[0] = '{';
  char *note = read_note(path);
  ck_assert_pstr_eq(note, wanted);
  free(note);
  ck_ok(mlp_cl_trainer_resume(t.trainer, path, NULL, NULL, &test_error));
  when.note = NULL;
  ck_ok(mlp_cl_trainer_checkpoints(t.trainer, &when, &test_error));
  ck_ok(mlp_cl_trainer_save(t.trainer, path, &test_error));
  ck_assert_ptr_null(read_note(path));
  small_run_end(&t);
}
END_TEST

START_TEST(keeps_the_last_good_one_when_training_diverges) {
  mlp_cl_recipe recipe = small_recipe(EPOCHS);
  const char *path = test_path("run.safetensors");
  recipe.learning_rate = 0x1p22f; /* weights overflow before the loss of the held-out rows does */
  small_run_save(device, &recipe, 0, path);
  small_run t = small_run_begin(device, 1, &recipe);
  const mlp_cl_checkpoints when = {.path = path, .every_steps = 1};
  ck_ok(mlp_cl_trainer_checkpoints(t.trainer, &when, &test_error));
  ck_fails(mlp_cl_trainer_run(t.trainer, NULL, NULL, &test_error), MLP_CL_DIVERGED, "diverged");
  ck_fails(mlp_cl_trainer_save(t.trainer, path, &test_error), MLP_CL_DIVERGED, "diverged");
  /* The same trainer goes back to it. */
  ck_ok(mlp_cl_trainer_resume(t.trainer, path, NULL, NULL, &test_error));
  char hex[65];
  hash(t.network, hex);
  small_run_end(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("checkpoint");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, small_run_open_in_folder, test_folder_remove);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, resumes_exactly_from_any_step_on_any_device);
  tcase_add_test(tests, goes_on_to_more_epochs);
  tcase_add_test(tests, resumes_again_and_again);
  tcase_add_test(tests, saves_when_told);
  tcase_add_test(tests, goes_on_when_a_checkpoint_cannot_be_written);
  tcase_add_test(tests, leaves_the_checkpoints_of_others);
  tcase_add_test(tests, is_a_model);
  tcase_add_test(tests, keeps_the_note_of_a_program);
  tcase_add_test(tests, keeps_the_last_good_one_when_training_diverges);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  small_run_close();
  return result;
}
