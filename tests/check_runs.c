/* Training runs of random shapes, data and recipes, on the device and on the reference: the same receipt, metrics and
 * ending. A few hundred steps in CI; ci/bits.sh asks for tens of thousands:
 *   MLP_CL_TEST_STEPS=10000 MLP_CL_TEST_SEED=1 MLP_CL_TEST_DEVICE=0 CK_FORK=no build/tests/check_runs
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context/trial.h"
#include "test.h"

enum { LAYERS_MOST = 5 };

static mlp_cl_context *device, *reference;

typedef struct run {
  size_t widths[LAYERS_MOST + 1], layers, rows, test_rows;
  mlp_cl_shape shape;
  mlp_cl_element element;
  bool zeros;    /* in the same places of several rows of the data */
  uint64_t seed; /* of initial weights and data */
  mlp_cl_recipe recipe;
} run;

static size_t below(test_random *r, size_t end) {
  return test_random_bits(r) % end;
}

/* One in `n`. */
static bool one_in(test_random *r, size_t n) {
  return below(r, n) == 0;
}

/* Around the sizes of vectors, tiles, blocks and leaves, or anything up to `most`. */
static size_t draw_size(test_random *r, size_t most) {
  static const size_t edges[] = {1,  2,  3,   15,  16,  17,  31,  32,  33,  47, 48,
                                 49, 64, 127, 128, 129, 255, 256, 257, 513, 600};
  size_t size = one_in(r, 2) ? edges[below(r, sizeof edges / sizeof *edges)] : 1 + below(r, most);
  return size <= most ? size : 1 + below(r, most);
}

static double step_flops(const run *drawn) {
  double flops = 0;
  for (size_t i = 0; i < drawn->layers; i++)
    flops += 6.0 * (double)drawn->recipe.batch * (double)drawn->widths[i] * (double)drawn->widths[i + 1];
  return flops;
}

static mlp_cl_recipe draw_recipe(test_random *r, size_t batch) {
  static const float rates[] = {0.0f, 0.1f, 0.5f, 0.7f, 0.9f}, momenta[] = {0.0f, 0.5f, 0.9f},
                     decays[] = {0.0f, 0.001f};
  mlp_cl_recipe recipe = {.seed = ((uint64_t)test_random_bits(r) << 32) | test_random_bits(r),
                          .epochs = 1 + (uint32_t)below(r, 6),
                          .batch = (uint32_t)batch,
                          .learning_rate = one_in(r, 8) ? 0.3f : 0.001f * (float)(1 + below(r, 50)),
                          .momentum = momenta[below(r, 3)],
                          .weight_decay = decays[below(r, 2)],
                          .dropout = rates[below(r, 5)],
                          .dropout_unscaled = one_in(r, 4),
                          .reduction = one_in(r, 4) ? MLP_CL_SUM : MLP_CL_MEAN,
                          .no_shuffle = one_in(r, 4)};
  recipe.nesterov = recipe.momentum > 0 && one_in(r, 2);
  if (one_in(r, 6)) recipe.clip_norm = one_in(r, 2) ? 0.1f : 2.0f;
  if (one_in(r, 4)) {
    recipe.optimiser = one_in(r, 2) ? MLP_CL_ADAM : MLP_CL_ADAMW;
    recipe.momentum = 0;
    recipe.nesterov = false;
    recipe.beta1 = 0.9f;
    recipe.beta2 = 0.999f;
    recipe.epsilon = 1e-8f;
  }
  return recipe;
}

static run draw_run(test_random *r) {
  run drawn;
  size_t most = test_small() ? 40 : one_in(r, 8) ? 700 : 200;
  double flops_most = test_small() ? 1e6 : one_in(r, 16) ? 4e8 : 3e7;
  do {
    drawn = (run){.layers = 1 + below(r, LAYERS_MOST),
                  .element = (mlp_cl_element[]){MLP_CL_UINT8, MLP_CL_INT8, MLP_CL_INT16, MLP_CL_FLOAT32}[below(r, 4)]};
    for (size_t i = 0; i <= drawn.layers; i++) drawn.widths[i] = draw_size(r, most);
    drawn.recipe = draw_recipe(r, one_in(r, 6) && !test_small() ? draw_size(r, 1400) : draw_size(r, 100));
    drawn.rows = drawn.recipe.batch * below(r, 4) + draw_size(r, drawn.recipe.batch + 1);
  } while (step_flops(&drawn) > flops_most);
  drawn.test_rows = one_in(r, 3) ? draw_size(r, 40) : 0;
  drawn.zeros = one_in(r, 3);
  drawn.seed = test_random_bits(r);
  drawn.shape =
      (mlp_cl_shape){.widths_count = drawn.layers + 1,
                     .task = one_in(r, 3) ? (mlp_cl_task)below(r, MLP_CL_MULTI_LABEL + 1) : MLP_CL_CLASSIFICATION,
                     .bias = !one_in(r, 3),
                     .activation = one_in(r, 3) ? (mlp_cl_activation)below(r, MLP_CL_GELU + 1) : MLP_CL_RELU,
                     .init = one_in(r, 3) ? MLP_CL_INIT_PYTORCH : MLP_CL_INIT_HE};
  return drawn;
}

/* In [-1, 1), or 0 and 1. */
static float *make_targets(const run *drawn, size_t rows, test_random *r) {
  size_t count = rows * drawn->widths[drawn->layers];
  float *targets = test_floats(count);
  test_random_fill(r, targets, count, 1.0f);
  for (size_t i = 0; i < count && drawn->shape.task == MLP_CL_MULTI_LABEL; i++) targets[i] = targets[i] > 0.5f;
  return targets;
}

static mlp_cl_dataset *make_data(const run *drawn, size_t rows, uint64_t seed) {
  size_t width = drawn->widths[0], classes = drawn->widths[drawn->layers];
  float *features = test_floats(rows * width);
  int32_t *labels = calloc(rows, sizeof *labels);
  ck_assert_ptr_nonnull(labels);
  test_random r = {.state = seed};
  for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)below(&r, classes);
  if (drawn->element == MLP_CL_FLOAT32) {
    test_random_fill(&r, features, rows * width, 1.0f);
  } else {
    for (size_t i = 0; i < rows * width; i++) {
      uint32_t bits = one_in(&r, 3) ? 0 : test_random_bits(&r);
      memcpy(&features[i], &bits, sizeof bits); /* as integers of any size */
    }
  }
  for (size_t i = 0; drawn->zeros && i < rows * width; i++) {
    size_t bytes = tensor_element_bytes((tensor_element)drawn->element);
    if (trial_is_zero(i / width, i % width)) memset((char *)features + i * bytes, 0, bytes);
  }
  static const float scales[] = {
      [MLP_CL_UINT8] = 1.0f / 255, [MLP_CL_INT8] = 1.0f / 127, [MLP_CL_INT16] = 1.0f / 32767, [MLP_CL_FLOAT32] = 1.0f};
  mlp_cl_dataset *data = NULL;
  if (drawn->shape.task == MLP_CL_CLASSIFICATION) {
    ck_ok(mlp_cl_dataset_from_arrays(features, drawn->element, rows, width, scales[drawn->element], labels, classes,
                                     &data, &test_error));
  } else {
    float *targets = make_targets(drawn, rows, &r);
    ck_ok(mlp_cl_dataset_from_targets(features, drawn->element, rows, width, scales[drawn->element], targets, classes,
                                      &data, &test_error));
    free(targets);
  }
  free(features);
  free(labels);
  return data;
}

/* How a run ended. */
typedef struct ending {
  mlp_cl_status status;
  char text[256], sha256[65];
  uint64_t steps;
  double metrics[4]; /* of the last epoch */
} ending;

static bool keep(const mlp_cl_event *event, void *user) {
  ending *e = user;
  if (event->kind != MLP_CL_EVENT_EPOCH) return true;
  e->steps = event->step;
  e->metrics[0] = event->train_loss;
  e->metrics[1] = event->train_accuracy;
  e->metrics[2] = event->has_test ? event->test_loss : 0;
  e->metrics[3] = event->has_test ? event->test_accuracy : 0;
  return true;
}

static ending train(mlp_cl_context *context, const run *drawn) {
  ending e = {.status = MLP_CL_OK};
  mlp_cl_dataset *data = make_data(drawn, drawn->rows, drawn->seed);
  mlp_cl_dataset *test = drawn->test_rows > 0 ? make_data(drawn, drawn->test_rows, drawn->seed + 1) : NULL;
  mlp_cl_shape shape = drawn->shape;
  shape.widths = drawn->widths;
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(context, &shape, drawn->seed, &network, &test_error));
  e.status = mlp_cl_train(network, data, test, &drawn->recipe, keep, &e, &test_error);
  if (e.status != MLP_CL_OK)
    snprintf(e.text, sizeof e.text, "%.255s", test_error.text);
  else
    ck_ok(mlp_cl_network_sha256(network, e.sha256, &test_error));
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(test);
  mlp_cl_dataset_destroy(data);
  return e;
}

static void describe(const run *drawn, char *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i <= drawn->layers && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%zu", i > 0 ? "-" : "", drawn->widths[i]);
  if (used < size)
    used += (size_t)snprintf(text + used, size - used, " %s %s %s", mlp_cl_task_name(drawn->shape.task),
                             mlp_cl_activation_name(drawn->shape.activation),
                             mlp_cl_optimiser_name(drawn->recipe.optimiser));
  const mlp_cl_recipe *r = &drawn->recipe;
  if (used < size)
    snprintf(text + used, size - used,
             ": %zu rows of element %d, batch %u, %u epochs, bias %d, lr %g, momentum %g%s, decay %g, clip %g, dropout "
             "%g%s%s%s",
             drawn->rows, (int)drawn->element, (unsigned)r->batch, (unsigned)r->epochs, drawn->shape.bias,
             (double)r->learning_rate, (double)r->momentum, r->nesterov ? " (Nesterov)" : "", (double)r->weight_decay,
             (double)r->clip_norm, (double)r->dropout, r->dropout_unscaled ? " (unscaled)" : "",
             r->reduction == MLP_CL_SUM ? ", sum" : "", r->no_shuffle ? ", file order" : "");
}

static uint64_t from_environment(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

START_TEST(random_runs_have_the_bits_of_the_reference) {
  device = test_open_device();
  reference = test_open_reference();
  uint64_t steps = 0, runs = 0, diverged = 0;
  uint64_t wanted = from_environment("MLP_CL_TEST_STEPS", test_small() ? 25 : 300);
  test_random r = {.state = from_environment("MLP_CL_TEST_SEED", 1)};
  while (steps < wanted) {
    run drawn = draw_run(&r);
    char what[256];
    describe(&drawn, what, sizeof what);
    ending on_reference = train(reference, &drawn), on_device = train(device, &drawn);
    ck_assert_msg(on_device.status == on_reference.status && strcmp(on_device.text, on_reference.text) == 0,
                  "%s\nends with \"%s\", on the reference with \"%s\"", what, on_device.text, on_reference.text);
    ck_assert_msg(strcmp(on_device.sha256, on_reference.sha256) == 0, "%s\ncomes to %s, on the reference to %s", what,
                  on_device.sha256, on_reference.sha256);
    ck_assert_msg(memcmp(on_device.metrics, on_reference.metrics, sizeof on_device.metrics) == 0,
                  "%s\nhas the loss %.17g, on the reference %.17g", what, on_device.metrics[0],
                  on_reference.metrics[0]);
    steps += on_device.steps;
    runs++;
    diverged += on_device.status == MLP_CL_DIVERGED;
  }
  printf("%llu steps in %llu runs, %llu of which diverged alike\n", (unsigned long long)steps, (unsigned long long)runs,
         (unsigned long long)diverged);
  ck_assert_uint_lt(diverged, runs);
  const char *refusal = mlp_cl_context_steps_refusal(device); /* what is wrong is done without, to the same bits */
  ck_assert_msg(refusal == NULL, "%s", refusal);
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("runs");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 100000);
  tcase_add_test(tests, random_runs_have_the_bits_of_the_reference);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
