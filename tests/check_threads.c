/* Threads as mlp_cl.h allows them: several at once, a context each and data sets shared; and one context that goes from
 * thread to thread. The bits are those of one thread. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { THREADS = 4, ROWS = 83, WIDTH = 17, CLASSES = 3 };

typedef struct work {
  const mlp_cl_dataset *data;
  uint64_t seed;
  mlp_cl_context *context; /* NULL: opens its own */
  mlp_cl_status status;
  mlp_cl_error error;
  char receipt[65];
  float probabilities[ROWS][CLASSES];
} work;

static mlp_cl_dataset *make_data(void) {
  static float features[ROWS][WIDTH];
  static int32_t labels[ROWS];
  test_random random = {.state = 5};
  test_random_fill(&random, &features[0][0], (size_t)ROWS * WIDTH, 1.0f);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % CLASSES);
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1.0f, labels, CLASSES, &data, &test_error));
  return data;
}

static mlp_cl_status train(mlp_cl_context *context, work *w) {
  static const size_t widths[] = {WIDTH, 33, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.seed = w->seed;
  recipe.epochs = 3;
  recipe.batch = 20;
  recipe.dropout = 0.2f;
  mlp_cl_network *network = NULL;
  mlp_cl_status status = mlp_cl_network_create(context, &shape, w->seed, &network, &w->error);
  if (status == MLP_CL_OK) status = mlp_cl_train(network, w->data, w->data, &recipe, NULL, NULL, &w->error);
  if (status == MLP_CL_OK) status = mlp_cl_network_sha256(network, w->receipt, &w->error);
  if (status == MLP_CL_OK)
    status = mlp_cl_network_predict_dataset(network, w->data, 0, ROWS, &w->probabilities[0][0], &w->error);
  mlp_cl_network_destroy(network);
  return status;
}

/* Assertions are for the test's own thread: this one only records. */
static void *run(void *user) {
  work *w = user;
  mlp_cl_context *own = NULL;
  const mlp_cl_context_options options = {.kernels = getenv("MLP_CL_TEST_KERNELS")};
  w->status = MLP_CL_OK;
  if (w->context == NULL) w->status = mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &own, &w->error);
  if (w->status == MLP_CL_OK) w->status = train(own != NULL ? own : w->context, w);
  mlp_cl_context_destroy(own);
  return NULL;
}

static void expect_same(const work *got, const work *wanted) {
  if (got->status != MLP_CL_OK) ck_abort_msg("seed %d: %s", (int)got->seed, got->error.text);
  ck_assert_str_eq(got->receipt, wanted->receipt);
  ck_same_bits(&got->probabilities[0][0], &wanted->probabilities[0][0], (size_t)ROWS * CLASSES, "probabilities");
}

/* Each seed's result on one thread, on the reference. */
static work *expected(const mlp_cl_dataset *data) {
  work *all = calloc(THREADS, sizeof *all);
  ck_assert_ptr_nonnull(all);
  mlp_cl_context *reference = test_open_reference();
  for (size_t i = 0; i < THREADS; i++) {
    all[i] = (work){.data = data, .seed = 1 + i};
    ck_assert_int_eq(train(reference, &all[i]), MLP_CL_OK);
  }
  mlp_cl_context_destroy(reference);
  ck_assert_str_ne(all[0].receipt, all[1].receipt);
  return all;
}

START_TEST(several_at_once_share_a_data_set) {
  mlp_cl_dataset *data = make_data();
  work *wanted = expected(data), *got = calloc(THREADS, sizeof *got);
  ck_assert_ptr_nonnull(got);
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) {
    got[i] = (work){.data = data, .seed = 1 + i};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, run, &got[i]), 0);
  }
  for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (size_t i = 0; i < THREADS; i++) expect_same(&got[i], &wanted[i]);
  free(wanted);
  free(got);
  mlp_cl_dataset_destroy(data);
}
END_TEST

START_TEST(a_context_goes_from_thread_to_thread) {
  mlp_cl_dataset *data = make_data();
  work *wanted = expected(data), *got = calloc(THREADS, sizeof *got);
  ck_assert_ptr_nonnull(got);
  mlp_cl_context *context = test_open_device();
  for (size_t i = 0; i < THREADS; i++) {
    got[i] = (work){.data = data, .seed = 1 + i, .context = context};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, run, &got[i]), 0);
    pthread_join(thread, NULL);
    expect_same(&got[i], &wanted[i]);
  }
  mlp_cl_context_destroy(context);
  free(wanted);
  free(got);
  mlp_cl_dataset_destroy(data);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("threads");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 240);
  tcase_add_test(tests, several_at_once_share_a_data_set);
  tcase_add_test(tests, a_context_goes_from_thread_to_thread);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
