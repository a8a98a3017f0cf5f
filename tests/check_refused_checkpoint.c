/* Checkpoints that a run does not go on from: what does not belong to it, or is damaged, is refused and changes
 * nothing. */
#include <stdlib.h>

#include "files.h"
#include "small_run.h"

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
  mlp_cl_recipe recipe = small_recipe(4);
  const char *path = test_path("run.safetensors");
  small_run_save(reference, &recipe, 6, path);
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
  mlp_cl_network *network = small_network(reference, 1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_refused(network, train, test, &cases[i].recipe, path, MLP_CL_BAD_ARGUMENT, cases[i].part);
  recipe.schedule = MLP_CL_COSINE; /* whose rate depends on how many epochs there are */
  small_run_save(reference, &recipe, 6, path);
  recipe.epochs = 5;
  check_refused(network, train, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "epochs is 5 here and 4");
  recipe = small_recipe(4);
  recipe.patience = 3; /* which may have put the best parameters in the last ones' place */
  small_run_save(reference, &recipe, 6, path);
  recipe.epochs = 5;
  check_refused(network, train, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "epochs is 5 here and 4");
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(names_the_difference_of_data_and_networks) {
  mlp_cl_recipe recipe = small_recipe(4);
  const char *path = test_path("run.safetensors");
  small_run_save(reference, &recipe, 6, path);
  mlp_cl_network *network = small_network(reference, 1);
  float features[ROWS * WIDTH];
  int32_t labels[ROWS];
  clusters_fill(1, ROWS, features, labels);
  float value = features[7];
  features[7] += 0.5f;
  mlp_cl_dataset *changed = clusters_of(features, labels, ROWS, 1.0f);
  features[7] = value;
  int32_t label = labels[ROWS - 1];
  labels[ROWS - 1] = (label + 1) % CLASSES;
  mlp_cl_dataset *relabelled = clusters_of(features, labels, ROWS, 1.0f);
  labels[ROWS - 1] = label;
  mlp_cl_dataset *scaled = clusters_of(features, labels, ROWS, 0.5f),
                 *fewer = clusters_of(features, labels, ROWS - 1, 1.0f);
  check_refused(network, changed, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "the training data are not those ");
  check_refused(network, relabelled, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "the training data are not those ");
  check_refused(network, fewer, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "the training data are not those ");
  check_refused(network, scaled, test, &recipe, path, MLP_CL_BAD_ARGUMENT, "the training data are not those ");
  check_refused(network, train, NULL, &recipe, path, MLP_CL_BAD_ARGUMENT, "their SHA-256 is absent here");
  check_refused(network, train, fewer, &recipe, path, MLP_CL_BAD_ARGUMENT, "the test data are not those ");
  mlp_cl_dataset_destroy(changed);
  mlp_cl_dataset_destroy(relabelled);
  mlp_cl_dataset_destroy(scaled);
  mlp_cl_dataset_destroy(fewer);
  mlp_cl_network_destroy(network);

  static const size_t wide[] = {WIDTH, HIDDEN + 1, CLASSES}, deep[] = {WIDTH, HIDDEN, 4, CLASSES};
  const mlp_cl_shape shapes[] = {{.widths_count = 3, .widths = wide, .bias = true},
                                 {.widths_count = 4, .widths = deep, .bias = true},
                                 {.widths_count = 3, .widths = (const size_t[]){WIDTH, HIDDEN, CLASSES}}};
  const char *const parts[] = {"\"0.weight\" is 17×9 here and 16×9", "\"3.weight\" is 4×16 here and 3×16",
                               "bias is absent here"};
  for (size_t i = 0; i < 3; i++) {
    ck_ok(mlp_cl_network_create(reference, &shapes[i], 1, &network, &test_error));
    check_refused(network, train, test, &recipe, path, MLP_CL_BAD_ARGUMENT, parts[i]);
    mlp_cl_network_destroy(network);
  }
}
END_TEST

START_TEST(refuses_what_is_no_checkpoint) {
  mlp_cl_recipe recipe = small_recipe(4);
  const char *path = test_path("model.safetensors");
  mlp_cl_network *network = small_network(reference, 1);
  ck_ok(mlp_cl_network_save(network, path, &recipe, train, &test_error));
  check_refused(network, train, test, &recipe, path, MLP_CL_BAD_FILE, "is not a checkpoint");
  check_refused(network, train, test, &recipe, test_path("none"), MLP_CL_IO, "cannot open");
  check_refused(network, train, test, &recipe, test_path(""), MLP_CL_BAD_FILE, "not a regular file");
  mlp_cl_network_destroy(network);
}
END_TEST

/* Cut anywhere, or with any byte changed, it is refused. */
START_TEST(refuses_damage) {
  mlp_cl_recipe recipe = small_recipe(4);
  const char *path = test_path("run.safetensors");
  small_run_save(reference, &recipe, 6, path);
  size_t count;
  unsigned char *bytes = test_file_read(path, &count);
  small_run t = small_run_begin(reference, 1, &recipe);
  char before[65], after[65];
  hash(t.network, before);
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
  hash(t.network, after);
  ck_assert_str_eq(before, after);
  test_file_write(path, bytes, count);
  ck_ok(mlp_cl_trainer_resume(t.trainer, path, NULL, NULL, &test_error));
  free(bytes);
  small_run_end(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("refused_checkpoint");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, small_run_open_in_folder, test_folder_remove);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, names_the_difference_of_recipes);
  tcase_add_test(tests, names_the_difference_of_data_and_networks);
  tcase_add_test(tests, refuses_what_is_no_checkpoint);
  tcase_add_test(tests, refuses_damage);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  small_run_close();
  return result;
}
