/* A progress line of one's own, and stopping when good enough: the callback sees each epoch, and its answer ends the
 * run without losing what was learnt. Usage: progress [DEVICE [ACCURACY]]; the accuracy is 0.95 unless given. */
#include <mlp_cl.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct watch {
  double wanted;  /* accuracy on the held-out part */
  double reached; /* the best so far */
} watch;

/* Called on the thread that trains, at most ten times a second within an epoch and once at its end. */
static bool on_event(const mlp_cl_event *event, void *user) {
  watch *w = user;
  double share = event->steps > 0 ? (double)event->step / (double)event->steps : 0;
  fprintf(stderr, "\rtraining %3.0f %%, %.1f s", 100 * share, event->seconds);
  if (event->kind != MLP_CL_EVENT_EPOCH || !event->has_test) return true;
  fprintf(stderr, "\r");
  printf("epoch %2u: loss %.4f, accuracy %.4f\n", (unsigned)event->epoch, event->test_loss, event->test_accuracy);
  if (event->test_accuracy > w->reached) w->reached = event->test_accuracy;
  return w->reached < w->wanted;
}

static mlp_cl_status run(mlp_cl_network *network, const mlp_cl_dataset *train, const mlp_cl_dataset *test, watch *w,
                         mlp_cl_error *error) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.epochs = 50;
  recipe.learning_rate = 0.02f;
  mlp_cl_status status = mlp_cl_train(network, train, test, &recipe, on_event, w, error);
  if (status == MLP_CL_CANCELLED) { /* by our own answer: the network holds what was reached */
    printf("stopped: %.4f is as good as wanted\n", w->reached);
    status = MLP_CL_OK;
  }
  return status;
}

int main(int argc, char **argv) {
  static const size_t widths[] = {64, 32, 10};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true, .init = MLP_CL_INIT_HE};
  watch w = {.wanted = argc > 2 ? strtod(argv[2], NULL) : 0.95};
  mlp_cl_error error;
  mlp_cl_context *context = NULL;
  mlp_cl_dataset *digits = NULL, *train = NULL, *test = NULL;
  mlp_cl_network *network = NULL;
  mlp_cl_status status = mlp_cl_context_create(argc > 1 ? argv[1] : NULL, NULL, &context, &error);
  if (status == MLP_CL_OK) status = mlp_cl_dataset_open("digits", &digits, NULL, &error);
  if (status == MLP_CL_OK) status = mlp_cl_dataset_split(digits, 0.2, 1, &train, &test, &error);
  if (status == MLP_CL_OK) status = mlp_cl_network_create(context, &shape, 1, &network, &error);
  if (status == MLP_CL_OK) status = run(network, train, test, &w, &error);
  if (status != MLP_CL_OK) fprintf(stderr, "progress: %s\n", error.text);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(test);
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(digits);
  mlp_cl_context_destroy(context);
  return status == MLP_CL_OK ? 0 : 1;
}
