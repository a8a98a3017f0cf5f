/* A run that may be stopped at any moment, with Ctrl-C or by pulling the plug, and goes on when the program is started
 * again: it ends with the same weights. Usage: stop_and_go CHECKPOINT [DEVICE [EPOCHS]] */
#include <mlp_cl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  stop = number;
}

static bool on_event(const mlp_cl_event *event, void *user) {
  (void)user;
  if (event->kind == MLP_CL_EVENT_CHECKPOINT && event->failure != NULL)
    fprintf(stderr, "no checkpoint: %s\n", event->failure->text); /* the run goes on, the old file stays */
  else if (event->kind == MLP_CL_EVENT_CHECKPOINT)
    fprintf(stderr, "checkpoint of step %llu of %llu\n", (unsigned long long)event->step,
            (unsigned long long)event->steps);
  return stop == 0;
}

/* Goes on from the file if there is one, writes it every 10 s, and when it is stopped. */
static mlp_cl_status run(mlp_cl_trainer *trainer, const char *path, mlp_cl_error *error) {
  const mlp_cl_checkpoints when = {.path = path, .every_s = 10};
  mlp_cl_status status = MLP_CL_OK;
  if (access(path, F_OK) == 0) status = mlp_cl_trainer_resume(trainer, path, on_event, NULL, error);
  if (status == MLP_CL_OK) status = mlp_cl_trainer_checkpoints(trainer, &when, error);
  if (status == MLP_CL_OK) status = mlp_cl_trainer_run(trainer, on_event, NULL, error);
  if (status == MLP_CL_CANCELLED && mlp_cl_trainer_save(trainer, path, NULL) == MLP_CL_OK)
    fprintf(stderr, "%s keeps it: start again to go on\n", path);
  return status;
}

int main(int argc, char **argv) {
  static const size_t widths[] = {64, 32, 10};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true, .init = MLP_CL_INIT_HE};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  char sha256[65];
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_dataset *digits = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_trainer *trainer = NULL;
  if (argc < 2) {
    fprintf(stderr, "usage: stop_and_go CHECKPOINT [DEVICE [EPOCHS]]\n");
    return 2;
  }
  recipe.epochs = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 2000;
  recipe.dropout = 0.2f;
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  mlp_cl_status status = mlp_cl_context_create(argc > 2 ? argv[2] : NULL, NULL, &context, &error);
  if (status == MLP_CL_OK) status = mlp_cl_dataset_open("digits", &digits, NULL, &error);
  if (status == MLP_CL_OK) status = mlp_cl_network_create(context, &shape, recipe.seed, &network, &error);
  if (status == MLP_CL_OK) status = mlp_cl_trainer_create(network, digits, NULL, &recipe, &trainer, &error);
  if (status == MLP_CL_OK) status = run(trainer, argv[1], &error);
  if (status == MLP_CL_OK) status = mlp_cl_network_sha256(network, sha256, &error);
  if (status == MLP_CL_OK) printf("%s\n", sha256);
  if (status != MLP_CL_OK) fprintf(stderr, "stop_and_go: %s\n", error.text);
  mlp_cl_trainer_destroy(trainer); /* before its network, and that before its context */
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(digits);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? 0 : 1;
}
