/* See attempt.h. */
#include "command/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "terminal/interrupt.h"
#include "terminal/now.h"
#include "terminal/report.h"

extern char **environ;

/* ---- The process that tries -------------------------------------------------------------------------------------- */

static const measured_network usual_networks[] = {
    {64, 3, {784, 128, 10}}, {128, 3, {784, 512, 10}}, {256, 4, {784, 1024, 1024, 10}}};

static mlp_cl_status measure(mlp_cl_context *context, const measured_network *network, json_t *steps,
                             mlp_cl_error *error) {
  static const double seconds = 0.5;
  const mlp_cl_shape shape = {.widths_count = network->count, .widths = network->widths, .bias = true};
  const mlp_cl_bench_work work = {.kind = MLP_CL_BENCH_TRAIN, .shape = &shape, .batch = network->batch};
  mlp_cl_bench *bench = NULL;
  mlp_cl_bench_result result;
  mlp_cl_status status = mlp_cl_bench_create(context, &work, &bench, error);
  if (status == MLP_CL_OK) status = mlp_cl_bench_run(bench, seconds, &result, error);
  mlp_cl_bench_destroy(bench);
  if (status == MLP_CL_OK) json_array_append_new(steps, report_number(result.best_s * 1e6));
  return status;
}

static mlp_cl_status measure_all(mlp_cl_context *context, const measured_network *own, json_t *steps,
                                 mlp_cl_error *error) {
  if (own->count > 0) return measure(context, own, steps, error);
  mlp_cl_status status = MLP_CL_OK;
  for (size_t i = 0; i < sizeof usual_networks / sizeof *usual_networks && status == MLP_CL_OK; i++)
    status = measure(context, &usual_networks[i], steps, error);
  return status;
}

static mlp_cl_status compare_and_keep(mlp_cl_context *context, mlp_cl_error *error) {
  const mlp_cl_validate_options quick = {.quick = true};
  mlp_cl_status status = mlp_cl_validate(context, &quick, NULL, NULL, error);
  return status == MLP_CL_OK ? mlp_cl_tuning_keep(context, error) : status;
}

int attempt_answer(const options *o, const measured_network *own) {
  const mlp_cl_context_options how = {.kernels = options_text(o, OPTION_KERNELS, NULL),
                                      .tuning = options_text(o, OPTION_TRY, "")};
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  json_t *steps = json_array();
  mlp_cl_status status = mlp_cl_context_create(options_text(o, OPTION_DEVICE, NULL), &how, &context, &error);
  if (status == MLP_CL_OK && mlp_cl_context_fallback(context)) {
    snprintf(error.text, sizeof error.text, "%s", mlp_cl_context_fallback(context));
    status = error.status = MLP_CL_BUILD;
  }
  if (status == MLP_CL_OK)
    status = options_has(o, OPTION_KEEP) ? compare_and_keep(context, &error) : measure_all(context, own, steps, &error);
  mlp_cl_context_destroy(context);
  json_t *object = report_object();
  json_object_set_new(object, "step_us", steps);
  if (status == MLP_CL_OK) return report_json(object, STATUS_OK);
  json_decref(object);
  return report_failure(&error);
}

/* ---- The process that waits -------------------------------------------------------------------------------------- */

/* This program: "mlp_cl" where the system does not tell. */
static void find_program(char *path, size_t size) {
  ssize_t length = readlink("/proc/self/exe", path, size - 1);
  if (length > 0)
    path[length] = '\0';
  else
    snprintf(path, size, "mlp_cl");
}

static int spawn(const options *o, const char *tuning, bool keep, int output, pid_t *process) {
  char program[4096];
  const char *arguments[20] = {"mlp_cl", "tune", "--json", "--quiet", "--try", tuning};
  static const option_id passed[] = {OPTION_DEVICE, OPTION_KERNELS, OPTION_LAYERS, OPTION_BATCH};
  static const char *const names[] = {"--device", "--kernels", "--layers", "--batch"};
  size_t count = 6;
  for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
    if (!options_has(o, passed[i])) continue;
    arguments[count++] = names[i];
    arguments[count++] = options_text(o, passed[i], "");
  }
  if (keep) arguments[count++] = "--keep";
  find_program(program, sizeof program);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  int code = posix_spawnp(process, program, &files, NULL, (char *const *)arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  return code;
}

/* Reads what the process writes until it ends; false when it took too long or the user has stopped. */
static bool read_answer(int input, double limit_s, char *text, size_t size) {
  double end = now_s() + limit_s;
  for (size_t used = 0; used + 1 < size;) {
    double left = end - now_s();
    if (left <= 0 || interrupt_signal()) return false;
    struct pollfd waiting = {.fd = input, .events = POLLIN};
    int ready = poll(&waiting, 1, left < 0.1 ? (int)(left * 1000) + 1 : 100);
    if (ready <= 0) continue;
    ssize_t got = read(input, text + used, size - 1 - used);
    if (got < 0 && errno != EINTR) return true;
    if (got == 0) return true;
    if (got > 0) used += (size_t)got;
  }
  return true;
}

static void read_object(const char *text, attempt *result) {
  json_t *object = json_loads(text, 0, NULL);
  const char *message = json_string_value(json_object_get(json_object_get(object, "error"), "message"));
  json_t *steps = json_object_get(object, "step_us"), *step;
  size_t i;
  json_array_foreach(steps, i, step) {
    if (result->count < ATTEMPT_NETWORKS_MAX) result->step_us[result->count++] = json_number_value(step);
  }
  if (message) snprintf(result->failure, sizeof result->failure, "%.*s", (int)strcspn(message, "\n"), message);
  if (!message && !steps) snprintf(result->failure, sizeof result->failure, "it gave no answer");
  json_decref(object);
}

void attempt_run(const options *o, const char *tuning, bool keep, double limit_s, attempt *result) {
  char text[8192] = "";
  int ends[2], status = 0;
  pid_t process;
  *result = (attempt){.count = 0};
  if (pipe2(ends, O_CLOEXEC) != 0) {
    snprintf(result->failure, sizeof result->failure, "no pipe: %s", strerror(errno));
    return;
  }
  int code = spawn(o, tuning, keep, ends[1], &process);
  close(ends[1]);
  bool answered = code == 0 && read_answer(ends[0], limit_s, text, sizeof text);
  close(ends[0]);
  if (code != 0) {
    snprintf(result->failure, sizeof result->failure, "the process did not start: %s", strerror(code));
    return;
  }
  if (!answered) kill(process, SIGKILL);
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  if (!answered)
    snprintf(result->failure, sizeof result->failure, "it took longer than %.0f s", limit_s);
  else if (WIFSIGNALED(status))
    snprintf(result->failure, sizeof result->failure, "it was ended by signal %d: %s", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
  else
    read_object(text, result);
}
