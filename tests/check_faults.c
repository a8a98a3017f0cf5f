/* A short run in which one OpenCL call fails, for many choices of that call; and one in which the device is lost from a
 * call on. Each case is a process of its own, which must end in time, with a clear error or else with the same result
 * as the run without a fault, with no object left and no file but a whole one.
 *
 * MLP_CL_TORTURE=1 tries every call of the run: hours. Otherwise some of each function. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "layer.h"
#include "test.h"

enum { WIDTH = 20, CLASSES = 5, ROWS = 40, BATCH = 16, STEPS = 3, FUNCTIONS_MAX = 64, CASE_SECONDS = 20 };

/* What a run leaves for the parent: in shared memory, so that a crash leaves what was there before. */
typedef struct outcome {
  bool complete;
  mlp_cl_status status;
  mlp_cl_error error;
  char sha256[65];
  int64_t objects;
  double loss;
  uint64_t calls[FUNCTIONS_MAX], calls_in_all;
} outcome;

static outcome *shared, expected;
static unsigned char *expected_file;
static size_t expected_bytes;

/* ---- The run ---------------------------------------------------------------------------------------------------- */

static mlp_cl_dataset *make_data(void) {
  float features[ROWS * WIDTH];
  int32_t labels[ROWS];
  test_random r = {.state = 3};
  test_random_fill(&r, features, ROWS * WIDTH, 0.5f);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % CLASSES);
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1.0f, labels, CLASSES, &data, &test_error));
  return data;
}

static mlp_cl_status train(mlp_cl_network *network, const mlp_cl_dataset *data, mlp_cl_error *error) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.batch = BATCH;
  recipe.epochs = 2;
  recipe.dropout = 0.25f;
  mlp_cl_trainer *trainer = NULL;
  uint64_t done;
  mlp_cl_status status = mlp_cl_trainer_create(network, data, NULL, &recipe, &trainer, error);
  if (status == MLP_CL_OK) status = mlp_cl_trainer_steps(trainer, STEPS, &done, error);
  if (status == MLP_CL_OK) ck_assert_uint_eq(done, STEPS);
  mlp_cl_trainer_destroy(trainer);
  return status;
}

static mlp_cl_status train_and_save(mlp_cl_context *context, const mlp_cl_dataset *data, const char *path, outcome *o) {
  static const size_t widths[] = {WIDTH, 33, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_network *network = NULL;
  mlp_cl_evaluation evaluation;
  mlp_cl_status status = mlp_cl_network_create(context, &shape, 1, &network, &o->error);
  if (status == MLP_CL_OK) status = train(network, data, &o->error);
  if (status == MLP_CL_OK) status = mlp_cl_network_sha256(network, o->sha256, &o->error);
  if (status == MLP_CL_OK) status = mlp_cl_network_evaluate(network, data, &evaluation, NULL, &o->error);
  if (status == MLP_CL_OK) o->loss = evaluation.loss;
  if (status == MLP_CL_OK) status = mlp_cl_network_save(network, path, NULL, NULL, &o->error);
  mlp_cl_network_destroy(network);
  return status;
}

static void run(const char *kernels, const char *path, outcome *o) {
  const mlp_cl_context_options options = {.allow_inexact = true, .kernels = kernels};
  mlp_cl_dataset *data = make_data();
  mlp_cl_context *context = NULL;
  o->status = mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &context, &o->error);
  if (o->status == MLP_CL_OK) o->status = train_and_save(context, data, path, o);
  mlp_cl_context_destroy(context);
  mlp_cl_dataset_destroy(data);
  o->objects = layer_objects(NULL);
  for (size_t i = 0; i < layer_functions_count(); i++) o->calls_in_all += o->calls[i] = layer_calls_at(i);
  o->complete = layer_active();
}

/* ---- One case --------------------------------------------------------------------------------------------------- */

typedef struct fault {
  const char *kernels;
  const char *function; /* NULL: the device is lost */
  uint64_t nth;         /* 0: no fault */
} fault;

static const char *describe(const fault *f) {
  static char text[128];
  snprintf(text, sizeof text, "%s, %s %s %" PRIu64, f->kernels, f->function == NULL ? "device lost" : f->function,
           "at call", f->nth);
  return text;
}

/* Runs in a child of a parent that never calls OpenCL: its threads would not be there. */
static void run_child(const fault *f) {
  memset(shared, 0, sizeof *shared);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    alarm(CASE_SECONDS);
    if (f->nth > 0 && f->function != NULL) layer_fail(f->function, f->nth);
    if (f->nth > 0 && f->function == NULL) layer_lose_device(f->nth);
    run(f->kernels, test_path("model.safetensors"), shared);
    exit(EXIT_SUCCESS);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status))
    ck_abort_msg("%s: ended by signal %d%s", describe(f), WTERMSIG(status),
                 WTERMSIG(status) == SIGALRM ? ": it hung" : "");
  ck_assert_msg(WEXITSTATUS(status) == 0, "%s: exit status %d", describe(f), WEXITSTATUS(status));
  ck_assert_msg(shared->complete, "%s: not complete, or the loader did not take the layer", describe(f));
}

static void check_file(const fault *f) {
  size_t bytes, wanted = shared->status == MLP_CL_OK ? 1 : 0;
  ck_assert_msg(test_folder_count() == wanted, "%s: %zu files were left", describe(f), test_folder_count());
  if (wanted == 0) return;
  const char *path = test_path("model.safetensors");
  unsigned char *file = test_file_read(path, &bytes);
  ck_assert_msg(bytes == expected_bytes && memcmp(file, expected_file, bytes) == 0, "%s: another file", describe(f));
  free(file);
  ck_assert_int_eq(remove(path), 0);
}

/* One line, of more than a few words; after it, only a build log. */
static void check_text(const fault *f) {
  const mlp_cl_error *e = &shared->error;
  ck_assert_msg(e->status == shared->status, "%s: the error says %s, the call %s", describe(f),
                mlp_cl_status_name(e->status), mlp_cl_status_name(shared->status));
  const char *newline = strchr(e->text, '\n');
  ck_assert_msg(strlen(e->text) >= 20 && (newline == NULL || e->status == MLP_CL_BUILD), "%s: \"%s\"", describe(f),
                e->text);
}

/* True when the run failed, false when it went on to the right result. */
static bool try(const fault *f) {
  run_child(f);
  ck_assert_msg(shared->objects == 0, "%s: %d objects were left", describe(f), (int)shared->objects);
  if (getenv("MLP_CL_FAULTS_VERBOSE") != NULL)
    printf("%s: %s\n", describe(f), shared->status == MLP_CL_OK ? "recovered" : shared->error.text);
  check_file(f);
  if (shared->status == MLP_CL_OK) {
    ck_assert_msg(strcmp(shared->sha256, expected.sha256) == 0, "%s: succeeds with other weights", describe(f));
    ck_assert_msg(shared->loss == expected.loss, "%s: succeeds with another loss", describe(f));
    return false;
  }
  check_text(f);
  return true;
}

/* ---- All of them ------------------------------------------------------------------------------------------------ */

static void try_without_fault(const char *kernels) {
  const fault none = {.kernels = kernels};
  run_child(&none);
  expected = *shared;
  ck_assert_msg(expected.status == MLP_CL_OK, "%s: %s", kernels, expected.error.text);
  ck_assert_int_eq(expected.objects, 0);
  free(expected_file);
  expected_file = test_file_read(test_path("model.safetensors"), &expected_bytes);
  ck_assert_int_eq(remove(test_path("model.safetensors")), 0);
}

/* Of `calls`: all, or the first two and the last, and of the others every seventh or what is far enough apart. */
static uint64_t next_call(uint64_t call, uint64_t calls) {
  enum { MOST = 8 };
  if (getenv("MLP_CL_TORTURE") != NULL || call < 2) return call + 1;
  if (call == calls) return calls + 1;
  uint64_t step = calls / MOST > 7 ? calls / MOST : 7;
  return call + step < calls ? call + step : calls;
}

static void try_calls(const char *kernels, const char *function, uint64_t calls) {
  size_t failed = 0, recovered = 0;
  for (uint64_t nth = 1; nth <= calls; nth = next_call(nth, calls)) {
    const fault f = {.kernels = kernels, .function = function, .nth = nth};
    if (try(&f))
      failed++;
    else
      recovered++;
  }
  printf("%s, %s: of %" PRIu64 " calls %zu failed: %zu errors, %zu went on\n", kernels,
         function == NULL ? "device lost" : function, calls, failed + recovered, failed, recovered);
}

static void try_all(const char *kernels) {
  try_without_fault(kernels);
  for (size_t i = 0; i < layer_functions_count(); i++) try_calls(kernels, layer_function_name(i), expected.calls[i]);
  try_calls(kernels, NULL, expected.calls_in_all);
}

START_TEST(plain) {
  try_all("plain");
}
END_TEST

START_TEST(panel) {
  try_all("panel");
}
END_TEST

static void set_up(void) {
  ck_assert_uint_le(layer_functions_count(), FUNCTIONS_MAX);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ck_assert(shared != MAP_FAILED);
  test_folder_create();
}

static void tear_down(void) {
  test_folder_remove();
  munmap(shared, sizeof *shared);
  free(expected_file);
  expected_file = NULL;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  Suite *suite = suite_create("faults");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, getenv("MLP_CL_TORTURE") != NULL ? 0 : 280);
  tcase_add_checked_fixture(all, set_up, tear_down);
  tcase_add_test(all, plain);
  tcase_add_test(all, panel);
  suite_add_tcase(suite, all);
  return test_run(suite);
}
