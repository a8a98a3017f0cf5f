/* The command in a system that fails: each call to the C library that it makes fails once, or from then on always.
 * Every case ends in time with exit status 1 and one line that says why, or with the same result as without a fault;
 * the model that was there is there, whole, old or new; nothing else is left in the folder, and no memory or file is
 * held.
 *
 * MLP_CL_TORTURE=1 tries every call; otherwise some of each function. MLP_CL_FAULT="write 3 ENOSPC" tries one. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "test.h"

enum { FUNCTIONS_MAX = 40, CASE_SECONDS = 30 };

typedef enum kind {
  WARM,  /* the self-test's verdict is remembered */
  COLD,  /* the self-test is part of the run */
  DRIVER /* as WARM, and a driver is at work, whose calls are its own business */
} kind;

typedef struct scenario {
  const char *name;
  const char *arguments[24];
  kind kind;
} scenario;

#define TRAIN "train", "--data", "data", "--hidden", "3", "--epochs", "2", "--batch", "4", "--quiet", "--force"
#define REFERENCE "--device", "reference"
#define TABLE_MODEL "data/table.safetensors"
static const scenario scenarios[] = {
    {"train", {TRAIN, REFERENCE, "--out", "model.safetensors", NULL}, WARM},
    {"train --json", {TRAIN, REFERENCE, "--out", "model.safetensors", "--json", NULL}, WARM},
    {"evaluate", {"evaluate", "model.safetensors", "--data", "data", REFERENCE, "--json", "--quiet", NULL}, WARM},
    {"predict", {"predict", "model.safetensors", "--data", "data", REFERENCE, "--quiet", NULL}, WARM},
    {"evaluate --part",
     {"evaluate", TABLE_MODEL, "--data", "data/table.csv", "--part", "test", REFERENCE, "--json", "--quiet", NULL},
     WARM},
    {"predict --id",
     {"predict", TABLE_MODEL, "data/table.csv", "--id", "name,size", "--part", "train", REFERENCE, "--quiet", NULL},
     WARM},
    {"predict --json",
     {"predict", TABLE_MODEL, "data/table.csv", "--id", "name", REFERENCE, "--json", "--quiet", NULL},
     WARM},
    {"checkpoint", {TRAIN, REFERENCE, "--checkpoint", "run.safetensors", "--checkpoint-every", "1steps", NULL}, WARM},
    {"resume", {TRAIN, REFERENCE, "--resume", "run.safetensors", "--out", "model.safetensors", NULL}, WARM},
    {"self-test", {"evaluate", "model.safetensors", "--data", "data", REFERENCE, "--json", "--quiet", NULL}, COLD},
    {"device", {TRAIN, "--device", "0", "--out", "model.safetensors", NULL}, DRIVER},
};

/* The errors that each function may have; SHORT is half a transfer. */
static const struct {
  const char *function, *errors[4];
} faults[] = {
    {"malloc", {"ENOMEM"}},
    {"calloc", {"ENOMEM"}},
    {"realloc", {"ENOMEM"}},
    {"aligned_alloc", {"ENOMEM"}},
    {"open", {"EMFILE", "EACCES"}},
    {"openat", {"ENOSPC", "EROFS"}},
    {"read", {"EIO", "EINTR", "SHORT"}},
    {"write", {"ENOSPC", "EIO", "EINTR", "SHORT"}},
    {"fsync", {"EIO", "ENOSPC"}},
    {"close", {"EIO", "EDQUOT"}},
    {"rename", {"EIO", "EACCES"}},
    {"renameat", {"EIO", "ENOSPC"}},
    {"unlink", {"EIO"}},
    {"unlinkat", {"EIO"}},
    {"mkdir", {"EROFS", "ENOSPC"}},
    {"stat", {"EIO", "ENOENT"}},
    {"lstat", {"EIO"}},
    {"fstat", {"EIO"}},
    {"fopen", {"EMFILE", "EACCES"}},
    {"fread", {"EIO", "SHORT"}},
    {"fwrite", {"ENOSPC"}},
    {"fflush", {"ENOSPC"}},
    {"realpath", {"EIO"}},
    {"getentropy", {"EIO"}},
    {"mkstemp", {"EROFS"}},
    {"fdopen", {"ENOMEM"}},
    {"fchmod", {"EIO"}},
    {"scandir", {"EMFILE"}},
    {"pthread_create", {"EAGAIN"}},
    {"ftruncate", {"EIO"}},
    {"linkat", {"EIO", "ENOSPC", "EEXIST"}},
    {"access", {"EACCES"}},
};
enum { FAULTS = sizeof faults / sizeof *faults };

/* What the run without a fault prints and leaves. */
typedef struct result {
  int status;
  unsigned char *out, *model;
  size_t out_bytes, model_bytes;
  uint64_t calls[FAULTS];
  int64_t blocks, descriptors;
} result;

static const scenario *current;
static result expected;
static unsigned char *old_model, *old_run;
static size_t old_bytes, old_run_bytes, complaints, tried, recovered;

/* ---- One run ----------------------------------------------------------------------------------------------------- */

static bool torture(void) {
  return getenv("MLP_CL_TORTURE") != NULL;
}

__attribute__((format(printf, 2, 3))) static void complain(const char *fault, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s, %s: ", current->name, fault == NULL ? "no fault" : fault);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  complaints++;
}

static void redirect(int stream, const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || dup2(file, stream) < 0) _exit(100);
  close(file);
}

static _Noreturn void execute(const scenario *s, const char *fault) {
  const char *words[26] = {getenv("MLP_CL")};
  memcpy(words + 1, s->arguments, sizeof s->arguments);
  if (chdir(test_path("")) != 0) _exit(100);
  redirect(STDOUT_FILENO, "out");
  redirect(STDERR_FILENO, "err");
  setenv("LD_PRELOAD", getenv("FAULT_LIBRARY"), 1);
  setenv("FAULT_REPORT", "report", 1);
  setenv("TMPDIR", "cache", 1); /* where a network goes that has no other place */
  if (s->kind == DRIVER) setenv("FAULT_OWN", "1", 1);
  if (fault != NULL) setenv("FAULT", fault, 1);
  alarm(CASE_SECONDS);
  execv(words[0], (char *const *)(uintptr_t)words);
  _exit(100);
}

/* The status that waitpid tells. */
static int launch(const scenario *s, const char *fault) {
  int status;
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) execute(s, fault);
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  return status;
}

static void read_report(result *r) {
  char name[32];
  int64_t count;
  FILE *stream = fopen(test_path("report"), "r");
  r->blocks = r->descriptors = -1;
  while (stream != NULL && fscanf(stream, "%31s %" SCNd64, name, &count) == 2) {
    for (int i = 0; i < FAULTS; i++)
      if (strcmp(name, faults[i].function) == 0) r->calls[i] = (uint64_t)count;
    if (strcmp(name, "blocks") == 0) r->blocks = count;
    if (strcmp(name, "descriptors") == 0) r->descriptors = count;
  }
  if (stream != NULL) fclose(stream);
}

static void remove_left(const char *pattern) {
  char command[128];
  snprintf(command, sizeof command, "cd \"$TEST_FOLDER\" && rm -rf %s", pattern);
  if (system(command) != 0) complain(NULL, "%s cannot be removed", pattern);
}

/* Each run finds the old model and a checkpoint of the whole run. */
static void run(const char *fault, result *r) {
  if (current->kind == COLD) remove_left("cache/*");
  test_file_write(test_path("model.safetensors"), old_model, old_bytes);
  if (old_run != NULL) test_file_write(test_path("run.safetensors"), old_run, old_run_bytes);
  (void)remove(test_path("report"));
  *r = (result){.status = launch(current, fault)};
  r->out = test_file_read(test_path("out"), &r->out_bytes);
  r->model = test_file_read(test_path("model.safetensors"), &r->model_bytes);
  read_report(r);
}

static void free_result(result *r) {
  free(r->out);
  free(r->model);
}

/* ---- What must hold ---------------------------------------------------------------------------------------------- */

static bool same(const unsigned char *a, size_t a_bytes, const unsigned char *b, size_t b_bytes) {
  return a_bytes == b_bytes && memcmp(a, b, a_bytes) == 0;
}

/* Times differ between runs: so they are taken out of JSON and tables before comparing. */
static void forget_times(result *r) {
  static const char *const keys[] = {"\"seconds\":", "\"samples_per_second\":"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    for (char *at = (char *)r->out; (at = strstr(at, keys[i])) != NULL;)
      for (at += strlen(keys[i]); *at != '\0' && strchr(",}", *at) == NULL; at++) *at = '0';
}

static bool same_output(const result *r) {
  /* Of a table of epochs, the lines that hold no times. */
  const char *mine = strstr((const char *)r->out, "sha256"), *wanted = strstr((const char *)expected.out, "sha256");
  if (wanted != NULL && wanted[-1] == '\n') return mine != NULL && strcmp(mine, wanted) == 0;
  if (strstr((const char *)expected.out, "\"seconds\"") != NULL) return r->out_bytes > expected.out_bytes * 9 / 10;
  return same(r->out, r->out_bytes, expected.out, expected.out_bytes);
}

/* They are lines of their own, before what ended the command. */
static const char *behind_warnings(const char *text) {
  const char *end;
  while (strncmp(text, "mlp_cl: warning: ", 17) == 0 && (end = strchr(text, '\n')) != NULL) text = end + 1;
  return text;
}

/* True when the process has ended while the command line was parsed: popt exits without memory, or loses an
 * argument. */
static bool check_message(const char *fault) {
  size_t bytes;
  char *all = (char *)test_file_read(test_path("err"), &bytes);
  const char *text = behind_warnings(all), *end = strchr(text, '\n');
  bool early = strcmp(text, "virtual memory exhausted.\n") == 0 || strstr(text, "for the command line") != NULL ||
               strstr(text, "which model?") != NULL;
  bool mute = strncmp(fault, "fwrite 1+", 9) == 0;
  if (!early && !mute && (end == NULL || end[1] != '\0' || strncmp(text, "mlp_cl: ", 8) != 0 || bytes < 30))
    complain(fault, "an unclear message: %s", text);
  free(all);
  return early;
}

/* The old one, or another from which the run ends as it would have without the fault. */
static void check_checkpoint(const char *fault) {
  static const scenario resume = {"resume", {TRAIN, REFERENCE, "--resume", "run.safetensors"}, WARM};
  size_t bytes;
  unsigned char *found = test_file_read(test_path("run.safetensors"), &bytes);
  bool old = old_run == NULL || same(found, bytes, old_run, old_run_bytes);
  free(found);
  if (old) return;
  result r = {.status = launch(&resume, NULL)};
  r.out = test_file_read(test_path("out"), &r.out_bytes);
  if (r.status != 0 || !same_output(&r)) complain(fault, "the checkpoint does not resume, or to something else");
  free(r.out);
}

/* Takes away the network of a run that could not write it where it was to be, beside that. */
static void remove_rescued(const char *fault) {
  glob_t found;
  if (glob(test_path("model.safetensors.*"), 0, NULL, &found) != 0) return;
  for (size_t i = 0; i < found.gl_pathc; i++) {
    size_t bytes;
    unsigned char *model = test_file_read(found.gl_pathv[i], &bytes);
    if (!same(model, bytes, expected.model, expected.model_bytes)) complain(fault, "a damaged model was left");
    free(model);
    (void)remove(found.gl_pathv[i]);
  }
  globfree(&found);
}

static void check(const char *fault, result *r) {
  bool removal = strncmp(fault, "unlink", 6) == 0;
  if (WIFSIGNALED(r->status)) {
    complain(fault, "ended by signal %d", WTERMSIG(r->status));
    return;
  }
  int status = WEXITSTATUS(r->status);
  forget_times(r);
  if (status == 0) {
    recovered++;
    if (!same_output(r)) complain(fault, "success, but it printed: %.300s", (char *)r->out);
    if (!same(r->model, r->model_bytes, expected.model, expected.model_bytes))
      complain(fault, "success, but the model is not the same");
  } else {
    if (check_message(fault)) return;
    if (status != 1) complain(fault, "exit status %d", status);
    if (!same(r->model, r->model_bytes, old_model, old_bytes) &&
        !same(r->model, r->model_bytes, expected.model, expected.model_bytes))
      complain(fault, "the model that was there is damaged");
  }
  check_checkpoint(fault);
  remove_rescued(fault);
  if (strncmp(fault, "stat", 4) == 0) remove_left("run.safetensors.*"); /* a file of somebody else's, it seemed */
  if (!removal && test_folder_count() != 7) complain(fault, "a file was left in the folder");
  if (r->descriptors > expected.descriptors && strncmp(fault, "close", 5) != 0)
    complain(fault, "%d files are still open, %d without the fault", (int)r->descriptors, (int)expected.descriptors);
  if (current->kind != DRIVER && r->blocks > expected.blocks + 1)
    complain(fault, "%d blocks of memory are left, %d without the fault", (int)r->blocks, (int)expected.blocks);
}

static void try(const char *fault) {
  result r;
  run(fault, &r);
  check(fault, &r);
  free_result(&r);
  tried++;
  remove_left(".mlp_cl-*");
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

/* Every call where they are few; else about `some`, more of them at the beginning. */
static uint64_t next_call(uint64_t call, uint64_t calls) {
  uint64_t some = current->kind == DRIVER ? 2 : 6;
  if (torture() || calls <= some) return call + 1;
  uint64_t step = 1 + call * 2 / some;
  return call == calls || call + step <= calls ? call + step : calls;
}

static void try_function(int i) {
  size_t before = tried, went_on = recovered;
  size_t errors = current->kind == DRIVER && !torture() ? 1 : 4; /* with a device each run takes longer */
  for (size_t e = 0; e < errors && faults[i].errors[e] != NULL; e++) {
    char fault[64];
    for (uint64_t nth = 1; nth <= expected.calls[i]; nth = next_call(nth, expected.calls[i])) {
      snprintf(fault, sizeof fault, "%s %" PRIu64 " %s", faults[i].function, nth, faults[i].errors[e]);
      try(fault);
    }
    if (expected.calls[i] > 0 && errors > 1 && strcmp(faults[i].errors[e], "EINTR") != 0) {
      snprintf(fault, sizeof fault, "%s %d+ %s", faults[i].function, 1, faults[i].errors[e]);
      try(fault);
    }
  }
  if (tried > before)
    printf("%s, %s: %" PRIu64 " calls, %zu faults, %zu errors, %zu went on\n", current->name, faults[i].function,
           expected.calls[i], tried - before, tried - before - (recovered - went_on), recovered - went_on);
}

START_TEST(faults_of) {
  current = &scenarios[_i];
  complaints = 0;
  run(NULL, &expected); /* finds the verdicts */
  free_result(&expected);
  run(NULL, &expected);
  forget_times(&expected);
  ck_assert_msg(expected.status == 0, "%s fails without a fault: %d", current->name, expected.status);
  if (getenv("MLP_CL_FAULT") != NULL) {
    try(getenv("MLP_CL_FAULT"));
    if (system("cat \"$TEST_FOLDER\"/err") != 0) complain(NULL, "no messages");
  } else {
    for (int i = 0; i < FAULTS; i++) try_function(i);
  }
  free_result(&expected);
  ck_assert_uint_eq(complaints, 0);
}
END_TEST

/* ---- The folder: data/, the old model, what a run writes, its cache --------------------------------------------- */

static void write_data(void) {
  static const unsigned char images[] = {0, 0,   8, 3,   0,   0, 0,   8, 0, 0,   0, 2,   0,   0, 0,   2,
                                         1, 255, 1, 255, 255, 1, 255, 1, 1, 255, 1, 255, 255, 1, 255, 1,
                                         1, 255, 1, 255, 255, 1, 255, 1, 1, 255, 1, 255, 255, 1, 255, 1};
  static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 8, 0, 1, 0, 1, 0, 1, 0, 1};
  ck_assert_int_eq(mkdir(test_path("data"), 0700), 0);
  test_file_write_gz(test_path("data/train-images-idx3-ubyte.gz"), images, sizeof images);
  test_file_write(test_path("data/train-labels-idx1-ubyte"), labels, sizeof labels);
  test_file_write(test_path("data/t10k-images-idx3-ubyte"), images, sizeof images);
  test_file_write(test_path("data/t10k-labels-idx1-ubyte"), labels, sizeof labels);
}

static void set_up(void) {
  static const scenario first = {
      "the old model", {TRAIN, "--seed", "2", REFERENCE, "--out", "model.safetensors"}, WARM};
  static const scenario second = {"the checkpoint", {TRAIN, REFERENCE, "--checkpoint", "run.safetensors"}, WARM};
  test_folder_create();
  setenv("TEST_FOLDER", test_path(""), 1);
  setenv("MLP_CL_CACHE", test_path("cache"), 1);
  ck_assert_int_eq(mkdir(test_path("cache"), 0700), 0);
  write_data();
  static const scenario third = {"the model of a table",
                                 {"train", "--data", "data/table.csv", "--ignore", "name", "--validation", "0.3",
                                  "--hidden", "3", "--epochs", "1", "--quiet", REFERENCE, "--out", TABLE_MODEL},
                                 WARM};
  test_text_write("data/table.csv",
                  "name,size,weight,kind\nAda,1,2,a\nBob,2,1,b\nCy,3,4,a\nDi,4,3,b\nEd,5,6,a\nFay,6,5,b\nGus,7,8,a\n"
                  "Hal,8,7,b\nIda,9,9,a\nJo,9,8,b\n");
  result r;
  old_bytes = old_run_bytes = 0;
  current = &third;
  run(NULL, &r);
  ck_assert_int_eq(r.status, 0);
  free_result(&r);
  current = &first;
  run(NULL, &r);
  ck_assert_int_eq(r.status, 0);
  old_model = r.model;
  old_bytes = r.model_bytes;
  free(r.out);
  current = &second;
  run(NULL, &r);
  ck_assert_int_eq(r.status, 0);
  free_result(&r);
  old_run = test_file_read(test_path("run.safetensors"), &old_run_bytes);
}

static void tear_down(void) {
  free(old_model);
  free(old_run);
  old_model = old_run = NULL;
  if (system("rm -rf \"$TEST_FOLDER\"") != 0) fprintf(stderr, "the folder cannot be removed\n");
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  Suite *suite = suite_create("system faults");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 0);
  tcase_add_checked_fixture(all, set_up, tear_down);
  const char *only = getenv("MLP_CL_SCENARIO");
  int first = only == NULL ? 0 : atoi(only),
      end = only == NULL ? (int)(sizeof scenarios / sizeof *scenarios) : first + 1;
  tcase_add_loop_test(all, faults_of, first, end);
  suite_add_tcase(suite, all);
  int status = test_run(suite);
  printf("system faults: %zu tried, %zu ended with a message, %zu went on\n", tried, tried - recovered, recovered);
  return status;
}
