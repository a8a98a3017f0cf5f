/* Checkpoints: a resumed run has the bits and metrics of one that was never stopped, wherever it stopped and wherever
 * it goes on; what does not belong to the run, or is damaged, is refused and changes nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "test.h"

enum { WIDTH = 9, CLASSES = 3, ROWS = 50, TEST_ROWS = 33, EPOCHS = 4, EPOCH_STEPS = 4, STEPS = EPOCHS * EPOCH_STEPS };

static mlp_cl_context *device, *reference;
static float features[(ROWS + TEST_ROWS) * WIDTH];
static int32_t labels[ROWS + TEST_ROWS];
static mlp_cl_dataset *train, *test;

static mlp_cl_dataset *make_data(const float *from, const int32_t *classes, size_t rows, float scale) {
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(from, MLP_CL_FLOAT32, rows, WIDTH, scale, classes, CLASSES, &data, &test_error));
  return data;
}

static void open_all(void) {
  test_folder_create();
  if (device != NULL) return;
  device = test_open_device();
  reference = test_open_reference();
  test_random r = {.state = 5};
  test_random_fill(&r, features, sizeof features / sizeof *features, 1.0f);
  for (size_t i = 0; i < ROWS + TEST_ROWS; i++) {
    labels[i] = (int32_t)(test_random_bits(&r) % CLASSES);
    features[i * WIDTH + (size_t)labels[i]] += 1.0f;
  }
  train = make_data(features, labels, ROWS, 1.0f);
  test = make_data(features + ROWS * WIDTH, labels + ROWS, TEST_ROWS, 1.0f);
}

static void close_all(void) {
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(test);
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
}

static mlp_cl_network *make_network(mlp_cl_context *context, uint64_t seed) {
  static const size_t widths[] = {WIDTH, 17, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true, .init = MLP_CL_INIT_HE};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(context, &shape, seed, &network, &test_error));
  return network;
}

static mlp_cl_recipe plain_recipe(void) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = EPOCHS;
  recipe.batch = 16; /* the last step of an epoch has 2 rows */
  recipe.dropout = 0.2f;
  return recipe;
}

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

/* A network with its trainer. */
typedef struct training {
  mlp_cl_network *network;
  mlp_cl_trainer *trainer;
} training;

static training begin(mlp_cl_context *context, uint64_t seed, const mlp_cl_recipe *recipe) {
  training t = {.network = make_network(context, seed)};
  ck_ok(mlp_cl_trainer_create(t.network, train, test, recipe, &t.trainer, &test_error));
  return t;
}

static void end(training *t) {
  mlp_cl_trainer_destroy(t->trainer);
  mlp_cl_network_destroy(t->network);
}

static void hash(const training *t, char hex[65]) {
  ck_ok(mlp_cl_network_sha256(t->network, hex, &test_error));
}

static void run_whole(mlp_cl_context *context, const mlp_cl_recipe *recipe, seen *s, char hex[65]) {
  training whole = begin(context, 1, recipe);
  ck_ok(mlp_cl_trainer_run(whole.trainer, watch, s, &test_error));
  ck_assert_uint_eq(s->count, EPOCHS);
  hash(&whole, hex);
  end(&whole);
}

static bool stop_after_epochs(const mlp_cl_event *event, void *user) {
  return event->kind != MLP_CL_EVENT_EPOCH || event->epoch < *(const uint32_t *)user;
}

/* Runs the first `steps` steps on `context` and leaves a checkpoint. */
static void run_first(mlp_cl_context *context, const mlp_cl_recipe *recipe, uint64_t steps, const char *path) {
  training first = begin(context, 1, recipe);
  uint32_t epochs = (uint32_t)(steps / EPOCH_STEPS);
  if (epochs > 0)
    ck_fails(mlp_cl_trainer_run(first.trainer, stop_after_epochs, &epochs, &test_error), MLP_CL_CANCELLED, "");
  ck_ok(mlp_cl_trainer_steps(first.trainer, steps % EPOCH_STEPS, NULL, &test_error));
  ck_ok(mlp_cl_trainer_save(first.trainer, path, &test_error));
  end(&first);
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
  training rest = begin(on, 99, recipe); /* other weights before */
  ck_ok(mlp_cl_trainer_resume(rest.trainer, path, watch, &s, &test_error));
  ck_ok(mlp_cl_trainer_run(rest.trainer, watch, &s, &test_error));
  hash(&rest, hex);
  ck_assert_str_eq(hex, wanted);
  check_same_run(&s, whole);
  end(&rest);
}

START_TEST(resumes_exactly_from_any_step_on_any_device) {
  mlp_cl_recipe recipes[4] = {plain_recipe(), plain_recipe(), plain_recipe(), plain_recipe()};
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
      run_first(first_on_device ? device : reference, &recipes[r], steps, path);
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
  mlp_cl_recipe recipe = plain_recipe();
  recipe.warmup_epochs = 1;
  recipe.schedule = MLP_CL_STEP;
  recipe.decay_epochs = 1;
  recipe.decay_factor = 0.5f;
  run_whole(reference, &recipe, &whole, wanted);
  mlp_cl_recipe fewer = recipe;
  fewer.epochs = 2;
  for (uint64_t steps = 0; steps <= 2 * EPOCH_STEPS; steps += EPOCH_STEPS) {
    run_first(device, &fewer, steps, path);
    check_resumed(steps == EPOCH_STEPS ? reference : device, &recipe, path, &whole, wanted);
  }
  recipe.epochs = 20; /* and back */
  run_first(device, &recipe, 6, path);
  recipe.epochs = EPOCHS;
  check_resumed(device, &recipe, path, &whole, wanted);
}
END_TEST

START_TEST(resumes_again_and_again) {
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("run.safetensors");
  char wanted[65];
  seen whole = {.count = 0};
  run_whole(reference, &recipe, &whole, wanted);
  run_first(device, &recipe, 0, path);
  for (uint64_t step = 0; step < 3; step++) { /* all in one epoch */
    training part = begin(device, step, &recipe);
    ck_ok(mlp_cl_trainer_resume(part.trainer, path, NULL, NULL, &test_error));
    ck_ok(mlp_cl_trainer_steps(part.trainer, 1, NULL, &test_error));
    ck_ok(mlp_cl_trainer_save(part.trainer, path, &test_error));
    end(&part);
  }
  check_resumed(device, &recipe, path, &whole, wanted);
  ck_assert_uint_eq(test_folder_count(), 1);
}
END_TEST

START_TEST(saves_when_told) {
  const mlp_cl_checkpoints schedules[] = {{.every_steps = 3}, {.every_epochs = 2}, {.every_s = 1e-9}, {.every_s = 0}};
  const size_t least[] = {2, 2, 2, 1};
  for (size_t i = 0; i < 4; i++) {
    mlp_cl_recipe recipe = plain_recipe();
    const char *path = test_path("run.safetensors");
    char wanted[65], hex[65];
    seen whole = {.count = 0}, s = {.count = 0};
    run_whole(device, &recipe, &whole, wanted);
    mlp_cl_checkpoints when = schedules[i];
    when.path = path;
    training kept = begin(device, 1, &recipe);
    ck_ok(mlp_cl_trainer_checkpoints(kept.trainer, &when, &test_error));
    ck_ok(mlp_cl_trainer_run(kept.trainer, watch, &s, &test_error));
    hash(&kept, hex);
    ck_assert_str_eq(hex, wanted);
    check_same_run(&s, &whole);
    ck_assert_uint_ge(s.written, least[i]);
    ck_assert_uint_eq(s.failed, 0);
    ck_assert_uint_eq(s.steps[s.written - 1], STEPS);
    for (size_t c = 0; i < 2 && c + 1 < s.written; c++) ck_assert_uint_gt(s.steps[c + 1], s.steps[c]);
    end(&kept);
    check_resumed(reference, &recipe, path, &whole, wanted);
    ck_assert_uint_eq(test_folder_count(), 1);
  }
}
END_TEST

START_TEST(goes_on_when_a_checkpoint_cannot_be_written) {
  mlp_cl_recipe recipe = plain_recipe();
  char folder[512], path[600], wanted[65], hex[65];
  seen whole = {.count = 0}, s = {.count = 0};
  snprintf(folder, sizeof folder, "%s", test_path("gone"));
  snprintf(path, sizeof path, "%s/run.safetensors", folder);
  ck_assert_int_eq(mkdir(folder, 0700), 0);
  run_whole(device, &recipe, &whole, wanted);
  training kept = begin(device, 1, &recipe);
  const mlp_cl_checkpoints when = {.path = path, .every_epochs = 1};
  ck_ok(mlp_cl_trainer_checkpoints(kept.trainer, &when, &test_error));
  ck_assert_int_eq(rmdir(folder), 0);
  ck_ok(mlp_cl_trainer_run(kept.trainer, watch, &s, &test_error));
  ck_assert_uint_ge(s.failed, 1);
  ck_assert_uint_eq(s.written, 0);
  hash(&kept, hex);
  ck_assert_str_eq(hex, wanted);
  ck_fails(mlp_cl_trainer_save(kept.trainer, path, &test_error), MLP_CL_IO, "run.safetensors");
  ck_fails(mlp_cl_trainer_checkpoints(kept.trainer, &when, &test_error), MLP_CL_IO, "run.safetensors");
  end(&kept);
}
END_TEST

/* Two runs that began with one new file: the second leaves it to the first, and goes beside it. */
START_TEST(leaves_the_checkpoints_of_others) {
  mlp_cl_recipe recipe = plain_recipe();
  char path[512], wanted[65], hex[65];
  seen whole = {.count = 0}, first_seen = {.count = 0}, second_seen = {.count = 0};
  snprintf(path, sizeof path, "%s", test_path("run.safetensors"));
  run_whole(device, &recipe, &whole, wanted);
  const mlp_cl_checkpoints when = {.path = path, .every_epochs = 1};
  training first = begin(device, 1, &recipe), second = begin(device, 2, &recipe);
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
  hash(&first, hex);
  ck_assert_str_eq(hex, wanted);
  end(&first);
  end(&second);
  check_resumed(reference, &recipe, path, &whole, wanted);
}
END_TEST

START_TEST(is_a_model) {
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("run.safetensors");
  training t = begin(device, 1, &recipe);
  ck_ok(mlp_cl_trainer_steps(t.trainer, 5, NULL, &test_error));
  ck_ok(mlp_cl_trainer_save(t.trainer, path, &test_error));
  char wanted[65], hex[65];
  hash(&t, wanted);
  end(&t);
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
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("run.safetensors");
  char wanted[] = "{\"d\303\251j\303\240\":\"vu\"}\n";
  mlp_cl_checkpoints when = {.path = path, .note = wanted};
  training t = begin(device, 1, &recipe);
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
  end(&t);
}
END_TEST

START_TEST(keeps_the_last_good_one_when_training_diverges) {
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("run.safetensors");
  recipe.learning_rate = 0x1p30f;
  run_first(device, &recipe, 0, path);
  training t = begin(device, 1, &recipe);
  const mlp_cl_checkpoints when = {.path = path, .every_steps = 1};
  ck_ok(mlp_cl_trainer_checkpoints(t.trainer, &when, &test_error));
  ck_fails(mlp_cl_trainer_run(t.trainer, NULL, NULL, &test_error), MLP_CL_DIVERGED, "diverged");
  ck_fails(mlp_cl_trainer_save(t.trainer, path, &test_error), MLP_CL_DIVERGED, "diverged");
  /* The same trainer goes back to it. */
  ck_ok(mlp_cl_trainer_resume(t.trainer, path, NULL, NULL, &test_error));
  char hex[65];
  hash(&t, hex);
  end(&t);
}
END_TEST

/* ---- What is refused -------------------------------------------------------------------------------------------- */

/* Resuming fails, and the trainer goes on as if nothing had been. */
static void check_refused(mlp_cl_network *network, const mlp_cl_dataset *data, const mlp_cl_dataset *held_out,
                          const mlp_cl_recipe *recipe, const char *path, mlp_cl_status status, const char *part) {
  mlp_cl_trainer *trainer = NULL;
  char before[65], after[65];
  ck_ok(mlp_cl_trainer_create(network, data, held_out, recipe, &trainer, &test_error));
  ck_ok(mlp_cl_network_sha256(network, before, &test_error));
  ck_fails(mlp_cl_trainer_resume(trainer, path, NULL, NULL, &test_error), status, part);
  ck_ok(mlp_cl_network_sha256(network, after, &test_error));
  ck_assert_str_eq(before, after);
  uint64_t done;
  ck_ok(mlp_cl_trainer_steps(trainer, 1, &done, &test_error));
  ck_assert_uint_eq(done, 1);
  mlp_cl_trainer_destroy(trainer);
}

START_TEST(names_the_difference_of_recipes) {
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("run.safetensors");
  run_first(reference, &recipe, 6, path);
  struct {
    const char *part;
    mlp_cl_recipe recipe;
  } cases[] = {{"seed is \"2\" here and \"1\"", recipe},      {"at step 6, behind the 4 of 1 epochs", recipe},
               {"batch is 15 here and 16", recipe},           {"learning_rate is 0.25 here and 0.1", recipe},
               {"momentum is 0.5 here and 0.9", recipe},      {"nesterov is true here and false", recipe},
               {"weight_decay is 0.25 here and 0", recipe},   {"dropout is 0.5 here and 0.2", recipe},
               {"dropout_unscaled is true here and", recipe}, {"reduction is \"sum\" here and \"mean\"", recipe},
               {"no_shuffle is true here and false", recipe}};
  cases[0].recipe.seed = 2;
  cases[1].recipe.epochs = 1;
  cases[2].recipe.batch = 15;
  cases[3].recipe.learning_rate = 0.25f;
  cases[4].recipe.momentum = 0.5f;
  cases[5].recipe.nesterov = true;
  cases[6].recipe.weight_decay = 0.25f;
  cases[7].recipe.dropout = 0.5f;
  cases[8].recipe.dropout_unscaled = true;
  cases[9].recipe.reduction = MLP_CL_SUM;
  cases[10].recipe.no_shuffle = true;
  mlp_cl_network *network = make_network(reference, 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_refused(network, train, test, &cases[i].recipe, path, MLP_CL_BAD_ARGUMENT, cases[i].part);
  recipe.schedule = MLP_CL_COSINE; /* whose rate depends on how many epochs there are */
  run_first(reference, &recipe, 6, path);
  recipe.epochs = 5;
  check_refused(network, train, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "epochs is 5 here and 4");
  recipe = plain_recipe();
  recipe.patience = 3; /* which may have put the best parameters in the last ones' place */
  run_first(reference, &recipe, 6, path);
  recipe.epochs = 5;
  check_refused(network, train, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "epochs is 5 here and 4");
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(names_the_difference_of_data_and_networks) {
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("run.safetensors");
  run_first(reference, &recipe, 6, path);
  mlp_cl_network *network = make_network(reference, 1);
  float value = features[7];
  features[7] += 0.5f;
  mlp_cl_dataset *changed = make_data(features, labels, ROWS, 1.0f);
  features[7] = value;
  int32_t label = labels[ROWS - 1];
  labels[ROWS - 1] = (label + 1) % CLASSES;
  mlp_cl_dataset *relabelled = make_data(features, labels, ROWS, 1.0f);
  labels[ROWS - 1] = label;
  mlp_cl_dataset *scaled = make_data(features, labels, ROWS, 0.5f),
                 *fewer = make_data(features, labels, ROWS - 1, 1.0f);
  check_refused(network, changed, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "the training data's SHA-256 is ");
  check_refused(network, relabelled, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "the training data's SHA-256 is ");
  check_refused(network, fewer, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "the training data's SHA-256 is ");
  check_refused(network, scaled, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "scale is 0.5 here and 1");
  check_refused(network, train, NULL, &recipe, path, MLP_CL_BAD_ARGUMENT, "the test data's SHA-256 is absent here");
  check_refused(network, train, fewer, &recipe, path, MLP_CL_BAD_ARGUMENT, "the test data's SHA-256 is ");
  mlp_cl_dataset_destroy(changed);
  mlp_cl_dataset_destroy(relabelled);
  mlp_cl_dataset_destroy(scaled);
  mlp_cl_dataset_destroy(fewer);
  mlp_cl_network_destroy(network);

  static const size_t wide[] = {WIDTH, 18, CLASSES}, deep[] = {WIDTH, 17, 4, CLASSES};
  const mlp_cl_shape shapes[] = {{.widths_count = 3, .widths = wide, .bias = true},
                                 {.widths_count = 4, .widths = deep, .bias = true},
                                 {.widths_count = 3, .widths = (const size_t[]){WIDTH, 17, CLASSES}}};
  const char *const parts[] = {"\"0.weight\" is 18×9 here and 17×9", "\"3.weight\" is 4×17 here and 3×17",
                               "bias is absent here"};
  for (size_t i = 0; i < 3; i++) {
    ck_ok(mlp_cl_network_create(reference, &shapes[i], 1, &network, &test_error));
    check_refused(network, train, test, &recipe, path, MLP_CL_BAD_ARGUMENT, parts[i]);
    mlp_cl_network_destroy(network);
  }
}
END_TEST

START_TEST(refuses_what_is_no_checkpoint) {
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("model.safetensors");
  mlp_cl_network *network = make_network(reference, 1);
  ck_ok(mlp_cl_network_save(network, path, &recipe, train, &test_error));
  check_refused(network, train, test, &recipe, path, MLP_CL_BAD_FILE, "is not a checkpoint");
  check_refused(network, train, test, &recipe, test_path("none"), MLP_CL_IO, "cannot open");
  check_refused(network, train, test, &recipe, test_path(""), MLP_CL_BAD_FILE, "not a regular file");
  mlp_cl_network_destroy(network);
}
END_TEST

/* Cut anywhere, or with any byte changed, it is refused. */
START_TEST(refuses_damage) {
  mlp_cl_recipe recipe = plain_recipe();
  const char *path = test_path("run.safetensors");
  run_first(reference, &recipe, 6, path);
  size_t count;
  unsigned char *bytes = test_file_read(path, &count);
  training t = begin(reference, 1, &recipe);
  char before[65], after[65];
  hash(&t, before);
  for (size_t cut = 0; cut < count; cut += cut < 64 || cut + 64 > count ? 1 : 61) {
    test_file_write(path, bytes, cut);
    ck_fails(mlp_cl_trainer_resume(t.trainer, path, NULL, NULL, &test_error), MLP_CL_BAD_FILE, "run.safetensors");
  }
  for (size_t at = 0; at < count; at += 7) {
    unsigned char byte = bytes[at];
    bytes[at] ^= (unsigned char)(1u << at % 8);
    test_file_write(path, bytes, count);
    if (mlp_cl_trainer_resume(t.trainer, path, NULL, NULL, &test_error) == MLP_CL_OK)
      ck_abort_msg("byte %zu of %zu may be changed", at, count);
    bytes[at] = byte;
  }
  hash(&t, after);
  ck_assert_str_eq(before, after);
  test_file_write(path, bytes, count);
  ck_ok(mlp_cl_trainer_resume(t.trainer, path, NULL, NULL, &test_error));
  free(bytes);
  end(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("checkpoint");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_all, test_folder_remove);
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
  tcase_add_test(tests, names_the_difference_of_recipes);
  tcase_add_test(tests, names_the_difference_of_data_and_networks);
  tcase_add_test(tests, refuses_what_is_no_checkpoint);
  tcase_add_test(tests, refuses_damage);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  close_all();
  return result;
}
