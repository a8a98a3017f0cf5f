/* A short run in which one OpenCL call fails, for many choices of that call; and one in which the device is lost from a
 * call on. Each case must end in time, with a clear error or else with the same result as the run without a fault, with
 * no object left and no file but a whole one.
 *
 * By default some calls of each function fail, with one code. MLP_CL_TORTURE=1 tries every call with every code that it
 * may have, for long; the device's verdicts are remembered then, so that its self-test is not part of the run.
 * MLP_CL_FAULT="panel clFinish 3" tries one, "panel clFinish 3 -6" with that code, and "panel any 3" the device lost
 * from the third call on. */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context/context.h"
#include "files.h"
#include "layer.h"
#include "test.h"

enum { WIDTH = 20, CLASSES = 5, ROWS = 40, BATCH = 16, STEPS = 3, FUNCTIONS_MAX = 64 };
enum { CASE_SECONDS = 20, TORTURE_SECONDS = 200, CHILD_CASES = 100 };

typedef struct outcome {
  bool complete;
  mlp_cl_status status;
  mlp_cl_error error;
  char sha256[65];
  int64_t objects;
  double loss;
  uint64_t opening[FUNCTIONS_MAX], opening_in_all; /* calls up to the open context */
  uint64_t calls[FUNCTIONS_MAX], calls_in_all;
} outcome;

/* What a child leaves for its parent: in shared memory, so that a crash leaves what was there before. */
static struct shared {
  outcome outcome; /* of the last case */
  size_t next;     /* case of the list */
  size_t errors;   /* cases that ended with one */
  size_t complaints;
} * shared;

static outcome expected;
static char cache[32];
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

static void count_calls(uint64_t calls[FUNCTIONS_MAX], uint64_t *in_all) {
  for (size_t i = 0; i < layer_functions_count(); i++) *in_all += calls[i] = layer_calls_at(i);
}

static void run(const char *kernels, const char *path, outcome *o) {
  const mlp_cl_context_options options = {.allow_inexact = true, .kernels = kernels};
  mlp_cl_dataset *data = make_data();
  mlp_cl_context *context = NULL;
  o->status = mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &context, &o->error);
  count_calls(o->opening, &o->opening_in_all);
  if (o->status == MLP_CL_OK) o->status = train_and_save(context, data, path, o);
  mlp_cl_context_destroy(context);
  mlp_cl_dataset_destroy(data);
  o->objects = layer_objects(NULL);
  count_calls(o->calls, &o->calls_in_all);
  o->complete = layer_active();
}

/* ---- One case --------------------------------------------------------------------------------------------------- */

typedef struct fault {
  const char *kernels;
  const char *function; /* NULL: the device is lost */
  uint64_t nth;         /* 0: no fault */
  int code;             /* 0: one that fits the function */
} fault;

static bool torture(void) {
  return getenv("MLP_CL_TORTURE") != NULL;
}

static const char *describe(const fault *f) {
  static char text[128];
  snprintf(text, sizeof text, "%s, %s at call %" PRIu64 ", code %d", f->kernels,
           f->function == NULL ? "device lost" : f->function, f->nth, f->code);
  return text;
}

/* Counts, so that a long run tells all that it finds. */
__attribute__((format(printf, 2, 3))) static bool complain(const fault *f, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s: ", describe(f));
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  shared->complaints++;
  return false;
}

static volatile sig_atomic_t seconds; /* left */

/* Low priority on a machine that has other work is no fault. */
static int seconds_allowed(void) {
  return torture() ? TORTURE_SECONDS : CASE_SECONDS;
}

/* A process that is stopped for a while has one alarm of that time, so only time in which it could go on counts. */
static void on_alarm(int number) {
  if (--seconds > 0) return;
  signal(number, SIG_DFL);
  raise(number);
}

static void watch(void) {
  const struct itimerval every_second = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
  seconds = seconds_allowed();
  signal(SIGALRM, on_alarm);
  setitimer(ITIMER_REAL, &every_second, NULL);
}

/* A run on which the layer has its eye from its first call to its last. */
static bool run_case(const fault *f) {
  outcome *o = &shared->outcome;
  *o = (outcome){0};
  layer_reset();
  layer_mend();
  if (f->nth > 0 && f->function != NULL) layer_fail(f->function, f->nth, f->code);
  if (f->nth > 0 && f->function == NULL) layer_lose_device(f->nth);
  watch();
  run(f->kernels, test_path("model.safetensors"), o);
  return o->complete || complain(f, "not complete, or the loader did not take the layer");
}

/* A whole file after success, none otherwise. */
static bool check_file(const fault *f) {
  size_t bytes, wanted = shared->outcome.status == MLP_CL_OK ? 1 : 0, count = test_folder_count();
  if (count != wanted) return complain(f, "%zu files were left, not %zu", count, wanted);
  if (wanted == 0) return true;
  unsigned char *file = test_file_read(test_path("model.safetensors"), &bytes);
  bool same = bytes == expected_bytes && memcmp(file, expected_file, bytes) == 0;
  free(file);
  return same || complain(f, "another file");
}

/* A sentence, on one line but for a build log, that speaks to people and not in C. */
static bool check_text(const fault *f) {
  const mlp_cl_error *e = &shared->outcome.error;
  size_t length = strcspn(e->text, "\n");
  if (e->status != shared->outcome.status) return complain(f, "the error and the call have different statuses");
  if (length < 30 || (e->text[length] != '\0' && e->status != MLP_CL_BUILD) || strstr(e->text, "->") != NULL ||
      strstr(e->text, "code:") != NULL)
    return complain(f, "an unclear text: %s", e->text);
  return true;
}

static bool check_result(const fault *f) {
  if (strcmp(shared->outcome.sha256, expected.sha256) != 0) return complain(f, "success with other weights");
  if (shared->outcome.loss != expected.loss) return complain(f, "success with another loss");
  return true;
}

static void try(const fault *f) {
  if (run_case(f)) {
    const outcome *o = &shared->outcome;
    if (o->objects != 0) complain(f, "%d objects were left", (int)o->objects);
    (void)check_file(f);
    (void)(o->status == MLP_CL_OK ? check_result(f) : check_text(f));
    shared->errors += o->status != MLP_CL_OK;
  }
  (void)remove(test_path("model.safetensors"));
}

/* Of LeakSanitizer, where the test is built with it. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

/* Some cases one after the other, since a driver takes longer to start than a case; none after one that went wrong. */
static _Noreturn void try_some(const fault *cases, size_t count) {
  size_t complaints = shared->complaints;
  if (torture()) layer_keep_programs();
  for (size_t i = 0; i < CHILD_CASES && shared->next < count && shared->complaints == complaints; i++) {
    try(&cases[shared->next]);
    shared->next++;
  }
  /* Without the drivers' farewells, in which LeakSanitizer hangs now and then. */
  _exit(__lsan_do_recoverable_leak_check != NULL ? __lsan_do_recoverable_leak_check() : 0);
}

/* In children, whose parent never calls OpenCL: a driver's threads are lost in a fork. The next child goes on behind a
 * case that ended the one before. */
static void try_cases(const fault *cases, size_t count) {
  shared->next = shared->errors = 0;
  while (shared->next < count) {
    fflush(stdout);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) try_some(cases, count);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) && WEXITSTATUS(status) == 0) continue;
    const fault *f = &cases[shared->next < count ? shared->next : count - 1];
    if (!WIFSIGNALED(status))
      complain(f, "exit status %d, of this case or one before it", WEXITSTATUS(status));
    else if (WTERMSIG(status) == SIGALRM)
      complain(f, "no end after %d s", seconds_allowed());
    else
      complain(f, "ended by signal %d", WTERMSIG(status));
    shared->next += WIFSIGNALED(status);
    (void)remove(test_path("model.safetensors"));
  }
}

/* ---- All of them ------------------------------------------------------------------------------------------------ */

/* A device whose verdicts are remembered is open after fewer calls. */
static void find_verdicts(const char *kernels) {
  const mlp_cl_context_options options = {.allow_inexact = true, .kernels = kernels};
  mlp_cl_context *context;
  ck_ok(mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &context, &test_error));
  context_prove_steps(context, NULL, true);
  mlp_cl_context_destroy(context);
}

static void try_without_fault(const char *kernels) {
  const fault none = {.kernels = kernels};
  fflush(stdout);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    if (torture()) find_verdicts(kernels);
    _exit(run_case(&none) ? 0 : 1);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_int_eq(status, 0);
  expected = shared->outcome;
  ck_assert_msg(expected.status == MLP_CL_OK, "%s: %s", kernels, expected.error.text);
  ck_assert_int_eq(expected.objects, 0);
  free(expected_file);
  expected_file = test_file_read(test_path("model.safetensors"), &expected_bytes);
  ck_assert_int_eq(remove(test_path("model.safetensors")), 0);
}

/* All calls where they are several; where they are many, the first two, the last, and in between every seventh or what
 * keeps them few: more of them after the context is open, since its self-test has most of the calls, all of one
 * kind. */
static uint64_t next_call(uint64_t call, uint64_t opening, uint64_t calls) {
  enum { FEW = 2, SOME = 6, SEVERAL = 20 };
  if (torture() || calls <= SEVERAL || call < 2 || call == calls) return call + 1;
  bool open = call > opening;
  uint64_t part = open ? (calls - opening) / SOME : opening / FEW, step = part > 7 ? part : 7;
  uint64_t next = call + step, end = open ? calls : opening + 1;
  return next < end ? next : open || calls == opening ? calls : opening + 1;
}

/* `codes` end with 0. */
static void try_calls(const char *kernels, const char *function, const int *codes, uint64_t opening, uint64_t calls) {
  size_t count = 0;
  fault *cases = calloc(calls * LAYER_CODES_MAX + 1, sizeof *cases);
  ck_assert_ptr_nonnull(cases);
  for (uint64_t nth = 1; nth <= calls; nth = next_call(nth, opening, calls))
    for (size_t i = 0; i == 0 || codes[i] != 0; i++)
      cases[count++] = (fault){.kernels = kernels, .function = function, .nth = nth, .code = codes[i]};
  try_cases(cases, count);
  free(cases);
  if (calls > 0)
    printf("%s, %s: %" PRIu64 " calls, %zu faults, %zu errors, %zu went on\n", kernels,
           function == NULL ? "device lost" : function, calls, count, shared->errors, count - shared->errors);
}

static void try_all(const char *kernels) {
  static const int usual[] = {0, 0};
  try_without_fault(kernels);
  for (size_t i = 0; i < layer_functions_count(); i++)
    try_calls(kernels, layer_function_name(i), torture() ? layer_codes(i) : usual, expected.opening[i],
              expected.calls[i]);
  try_calls(kernels, NULL, usual, expected.opening_in_all, expected.calls_in_all);
  ck_assert_uint_eq(shared->complaints, 0);
}

/* "KERNELS FUNCTION N [CODE]" */
START_TEST(one) {
  char kernels[64], function[64];
  fault f = {.kernels = kernels};
  ck_assert_int_ge(sscanf(getenv("MLP_CL_FAULT"), "%63s %63s %" SCNu64 " %d", kernels, function, &f.nth, &f.code), 3);
  f.function = strcmp(function, "any") != 0 ? function : NULL;
  try_without_fault(kernels);
  try_cases(&f, 1);
  const outcome *o = &shared->outcome;
  printf("%s: %s\n", describe(&f), o->status == MLP_CL_OK ? "went on" : o->error.text);
  ck_assert_uint_eq(shared->complaints, 0);
}
END_TEST

START_TEST(plain) {
  try_all("plain");
}
END_TEST

START_TEST(panel) {
  try_all("panel");
}
END_TEST

START_TEST(steps) {
  try_all("steps");
}
END_TEST

START_TEST(tile) {
  try_all("tile");
}
END_TEST

START_TEST(group) {
  try_all("group");
}
END_TEST

static void set_up(void) {
  ck_assert_uint_le(layer_functions_count(), FUNCTIONS_MAX);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ck_assert(shared != MAP_FAILED);
  test_folder_create();
  if (!torture()) return;
  snprintf(cache, sizeof cache, "/tmp/mlp_cl-cache-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(cache));
  setenv("MLP_CL_CACHE", cache, 1);
}

static void remove_cache(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", cache);
  if (torture() && system(command) != 0) fprintf(stderr, "%s cannot be removed\n", cache);
}

static void tear_down(void) {
  remove_cache();
  test_folder_remove();
  munmap(shared, sizeof *shared);
  free(expected_file);
  expected_file = NULL;
}

/* Each apart, so that CK_RUN_CASE="panel" tries one. */
static void add(Suite *suite, const char *kernels, const TTest *test) {
  TCase *all = tcase_create(kernels);
  tcase_set_timeout(all, torture() ? 0 : 280);
  tcase_add_checked_fixture(all, set_up, tear_down);
  tcase_add_test(all, test);
  suite_add_tcase(suite, all);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  Suite *suite = suite_create("faults");
  if (getenv("MLP_CL_FAULT") != NULL) {
    add(suite, "one", one);
    return test_run(suite);
  }
  add(suite, "plain", plain);
  add(suite, "panel", panel);
  if (torture()) {
    add(suite, "steps", steps);
    add(suite, "tile", tile);
    add(suite, "group", group);
  }
  return test_run(suite);
}
