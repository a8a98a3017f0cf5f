/* What training asks of a device, counted by a layer between the library and the driver: that it launches the kernels
 * it should and no others, that a step does not wait, and that every object is released. */
#include <stdlib.h>
#include <string.h>

#include "context/context.h"
#include "files.h"
#include "layer.h"
#include "test.h"

enum { WIDTH = 20, CLASSES = 5, ROWS = 70, BATCH = 16, EPOCH_STEPS = 5, LAYERS = 3 };

typedef struct run {
  mlp_cl_context *context;
  mlp_cl_network *network;
  mlp_cl_dataset *data;
  mlp_cl_trainer *trainer;
} run;

static mlp_cl_dataset *make_data(mlp_cl_task task) {
  static float features[ROWS * WIDTH], targets[ROWS * CLASSES];
  int32_t labels[ROWS];
  test_random r = {.state = 3};
  test_random_fill(&r, features, ROWS * WIDTH, 0.5f);
  for (size_t i = 0; i < ROWS; i++) {
    labels[i] = (int32_t)(i % CLASSES);
    features[i * WIDTH + i % CLASSES] += 1.0f;
  }
  mlp_cl_dataset *data = NULL;
  if (task != MLP_CL_CLASSIFICATION) {
    for (size_t i = 0; i < ROWS; i++) targets[i * CLASSES + i % CLASSES] = 1.0f;
    ck_ok(
        mlp_cl_dataset_from_targets(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1.0f, targets, CLASSES, &data, &test_error));
    return data;
  }
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1.0f, labels, CLASSES, &data, &test_error));
  return data;
}

/* What begin() takes where a test has no other wish. */
static mlp_cl_recipe plain_recipe(float rate) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.batch = BATCH;
  recipe.dropout = rate;
  return recipe;
}

/* Three layers on the device under test, with `kernels`, and all counts at 0. */
static run begin_task(const char *kernels, mlp_cl_task task, const mlp_cl_recipe *recipe) {
  static const size_t widths[LAYERS + 1] = {WIDTH, 33, 18, CLASSES};
  const mlp_cl_shape shape = {.widths_count = LAYERS + 1, .widths = widths, .bias = true, .task = task};
  const mlp_cl_context_options options = {.kernels = kernels};
  run r = {.data = make_data(task)};
  ck_ok(mlp_cl_context_create(getenv("MLP_CL_TEST_DEVICE"), &options, &r.context, &test_error));
  ck_assert_msg(layer_active(), "the OpenCL loader did not take the layer: run with ctest");
  ck_ok(mlp_cl_network_create(r.context, &shape, 1, &r.network, &test_error));
  ck_ok(mlp_cl_trainer_create(r.network, r.data, NULL, recipe, &r.trainer, &test_error));
  layer_reset();
  return r;
}

static run begin(const char *kernels, float rate) {
  const mlp_cl_recipe recipe = plain_recipe(rate);
  return begin_task(kernels, MLP_CL_CLASSIFICATION, &recipe);
}

static void end(run *r) {
  mlp_cl_trainer_destroy(r->trainer);
  mlp_cl_network_destroy(r->network);
  mlp_cl_dataset_destroy(r->data);
  mlp_cl_context_destroy(r->context);
  ck_assert_int_eq(layer_objects(NULL), 0);
}

static void take(run *r, uint64_t steps) {
  uint64_t done = 0;
  ck_ok(mlp_cl_trainer_steps(r->trainer, steps, &done, &test_error));
  ck_assert_uint_eq(done, steps);
}

typedef struct launches {
  const char *kernel;
  unsigned count;
} launches;

/* These kernels were launched so many times, and no others. */
static void expect(const launches *wanted, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    ck_assert_msg(layer_launches(wanted[i].kernel) == wanted[i].count, "%s was launched %u times, not %u",
                  wanted[i].kernel, (unsigned)layer_launches(wanted[i].kernel), wanted[i].count);
    sum += wanted[i].count;
  }
  ck_assert_uint_eq(layer_launches(NULL), sum);
}
#define EXPECT(list) expect((list), sizeof(list) / sizeof *(list))

/* Each product of a layer is one launch, with bias, ReLU, dropout and update in it. */
START_TEST(panel_launches) {
  enum { STEPS = 4 };
  static const launches wanted[] = {{"gather", STEPS},
                                    {"dense_forward", LAYERS * STEPS},
                                    {"cross_entropy", STEPS},
                                    {"dense_backward_input", (LAYERS - 1) * STEPS},
                                    {"dense_backward_weight", LAYERS * STEPS}};
  run r = begin("panel", 0.25f);
  take(&r, STEPS);
  EXPECT(wanted);
  end(&r);
}
END_TEST

/* On GPUs the last layer, there and back, is one launch, with the next step's rows, and so are the updates of all
 * weights. */
START_TEST(tile_launches) {
  enum { STEPS = 4 };
  static const launches wanted[] = {{"gather", 1},
                                    {"dense_forward", (LAYERS - 1) * STEPS},
                                    {"output_layer", STEPS},
                                    {"dense_backward_input", (LAYERS - 2) * STEPS},
                                    {"dense_backward_weight", STEPS}};
  run r = begin("tile", 0.25f);
  take(&r, STEPS);
  EXPECT(wanted);
  end(&r);
}
END_TEST

/* Adam, too, is part of the weights' gradients. */
START_TEST(adam_launches) {
  enum { STEPS = 3 };
  static const launches panel[] = {{"gather", STEPS},
                                   {"dense_forward", LAYERS * STEPS},
                                   {"cross_entropy", STEPS},
                                   {"dense_backward_input", (LAYERS - 1) * STEPS},
                                   {"dense_backward_weight_adam", LAYERS * STEPS}};
  static const launches tile[] = {{"gather", 1},
                                  {"dense_forward", (LAYERS - 1) * STEPS},
                                  {"output_layer", STEPS},
                                  {"dense_backward_input", (LAYERS - 2) * STEPS},
                                  {"dense_backward_weight_adam", STEPS}};
  mlp_cl_recipe recipe = plain_recipe(0.25f);
  recipe.optimiser = MLP_CL_ADAM;
  run r = begin_task("panel", MLP_CL_CLASSIFICATION, &recipe);
  take(&r, STEPS);
  EXPECT(panel);
  end(&r);
  r = begin_task("tile", MLP_CL_CLASSIFICATION, &recipe);
  take(&r, STEPS);
  EXPECT(tile);
  end(&r);
}
END_TEST

START_TEST(plain_launches) {
  enum { STEPS = 2, HIDDEN = LAYERS - 1 };
  static const launches wanted[] = {{"gather", STEPS},
                                    {"matmul_a_b", LAYERS * STEPS},
                                    {"bias_forward", LAYERS * STEPS},
                                    {"relu_forward", HIDDEN * STEPS},
                                    {"dropout", HIDDEN * STEPS},
                                    {"cross_entropy", STEPS},
                                    {"matmul_a_bt", HIDDEN * STEPS},
                                    {"relu_backward", HIDDEN * STEPS},
                                    {"matmul_at_b", LAYERS * STEPS},
                                    {"bias_gradient", LAYERS * STEPS},
                                    {"sgd", 2 * LAYERS * STEPS}};
  run r = begin("plain", 0.25f);
  take(&r, STEPS);
  EXPECT(wanted);
  end(&r);
}
END_TEST

/* A small network: the steps up to the end of the epoch are one launch. */
START_TEST(whole_steps_launches) {
  static const launches wanted[] = {{"train_steps", 1}};
  run r = begin("steps", 0.25f);
  take(&r, EPOCH_STEPS - 1);
  EXPECT(wanted);
  ck_assert_uint_eq(layer_waits(), 0);
  end(&r);
}
END_TEST

/* On GPUs by one work-group. */
START_TEST(whole_steps_of_a_group) {
  static const launches wanted[] = {{"train_steps", 1}};
  run r = begin("group", 0.25f);
  take(&r, EPOCH_STEPS - 1);
  EXPECT(wanted);
  end(&r);
}
END_TEST

/* Each kind has a kernel of its own. With Adam a launch takes 16 steps at most. */
START_TEST(whole_steps_of_all_kinds) {
  static const struct {
    mlp_cl_task task;
    mlp_cl_optimiser optimiser;
    const char *kernel;
  } kinds[] = {{MLP_CL_CLASSIFICATION, MLP_CL_ADAMW, "train_steps_adam"},
               {MLP_CL_REGRESSION, MLP_CL_SGD, "train_steps_targets"},
               {MLP_CL_MULTI_LABEL, MLP_CL_ADAM, "train_steps_targets_adam"}};
  for (size_t i = 0; i < 2 * (sizeof kinds / sizeof *kinds); i++) {
    mlp_cl_recipe recipe = plain_recipe(0.25f);
    recipe.optimiser = kinds[i / 2].optimiser;
    recipe.batch = 4;
    run r = begin_task(i % 2 == 0 ? "steps" : "group", kinds[i / 2].task, &recipe);
    take(&r, 17);
    const launches wanted[] = {{kinds[i / 2].kernel, recipe.optimiser == MLP_CL_SGD ? 1 : 2}};
    EXPECT(wanted);
    end(&r);
  }
}
END_TEST

/* Their kernel takes seconds to compile: a short run does without, and is proven in one run for all. */
START_TEST(whole_steps_wait_until_they_are_worth_it) {
  test_folder_create();
  setenv("MLP_CL_CACHE", test_path(""), 1);
  run r = begin("steps", 0.25f);
  take(&r, EPOCH_STEPS);
  ck_assert_uint_eq(layer_launches("train_steps"), 0);
  context_prove_steps(r.context, NULL, true);
  layer_reset();
  take(&r, EPOCH_STEPS);
  ck_assert_uint_eq(layer_launches("train_steps"), 1);
  end(&r);
  r = begin("steps", 0.25f);
  context_prove_steps(r.context, NULL, true);
  take(&r, EPOCH_STEPS);
  ck_assert_uint_eq(layer_launches("train_steps"), 1);
  end(&r);
  /* What compiled then and does not now is done without, and not asked for again. */
  r = begin("steps", 0.25f);
  context_prove_steps(r.context, NULL, true);
  layer_fail("clBuildProgram", 1, 0);
  take(&r, 2);
  ck_assert_uint_eq(layer_launches("train_steps"), 0);
  ck_assert_uint_eq(layer_launches("gather"), 2);
  context_prove_steps(r.context, NULL, true);
  take(&r, 1);
  ck_assert_uint_eq(layer_launches("train_steps"), 0);
  end(&r);
  setenv("MLP_CL_CACHE", "off", 1);
  test_folder_remove();
}
END_TEST

/* Only marks of older work are waited for, and one in an epoch sends the next one's order. */
START_TEST(steps_do_not_wait) {
  run r = begin("panel", 0.25f);
  take(&r, 1); /* which makes buffers that live on */
  layer_reset();
  take(&r, EPOCH_STEPS - 2);
  ck_assert_uint_eq(layer_waits(), 0);
  ck_assert_uint_eq(layer_calls("clCreateBuffer"), 0);
  ck_assert_uint_le(layer_calls("clWaitForEvents"), layer_calls("clEnqueueMarkerWithWaitList"));
  take(&r, 1);
  ck_assert_uint_le(layer_waits(), 1);
  end(&r);
}
END_TEST

START_TEST(memory_does_not_grow) {
  static const char *const variants[] = {"plain", "panel", "steps", "tile", "group"};
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
    run r = begin(variants[i], 0.0f);
    take(&r, EPOCH_STEPS);
    int64_t buffers = layer_objects("cl_mem");
    ck_assert_int_gt(buffers, 0);
    take(&r, 3 * EPOCH_STEPS);
    ck_assert_msg(layer_objects("cl_mem") == buffers, "%s: from %d to %d buffers", variants[i], (int)buffers,
                  (int)layer_objects("cl_mem"));
    end(&r);
  }
}
END_TEST

START_TEST(evaluation_and_prediction_run_on_the_device) {
  enum { MANY = 1000, CHUNKS = 2 }; /* of 512 rows on a CPU */
  static const launches wanted[] = {
      {"gather", 1 + CHUNKS}, {"dense_forward", (1 + CHUNKS) * LAYERS}, {"cross_entropy", 1}, {"softmax", CHUNKS}};
  run r = begin("panel", 0.0f);
  mlp_cl_evaluation evaluation;
  float *features = calloc(MANY * WIDTH, sizeof *features), *probabilities = test_floats(MANY * CLASSES);
  ck_ok(context_prove(r.context, "softmax", &test_error));
  r.context->pass_s = 0; /* else the host would predict them */
  layer_reset();
  ck_ok(mlp_cl_network_evaluate(r.network, r.data, &evaluation, NULL, &test_error));
  ck_ok(mlp_cl_network_predict(r.network, features, MANY, probabilities, &test_error));
  EXPECT(wanted);
  free(features);
  free(probabilities);
  end(&r);
}
END_TEST

/* Operations that most runs do without. */
START_TEST(operations_are_proven_on_their_first_use_alone) {
  static const launches wanted[] = {{"relu_forward", 1}};
  run r = begin("panel", 0.0f);
  float x[3] = {1, -2, 3}, y[3];
  ck_ok(mlp_cl_relu(r.context, 1, 3, x, y, &test_error));
  ck_assert_uint_gt(layer_launches("relu_forward"), 1);
  layer_reset();
  ck_ok(mlp_cl_relu(r.context, 1, 3, x, y, &test_error));
  EXPECT(wanted);
  end(&r);
}
END_TEST

START_TEST(few_rows_are_not_worth_a_launch) {
  run r = begin("panel", 0.0f);
  float probabilities[CLASSES];
  ck_ok(mlp_cl_network_predict_dataset(r.network, r.data, 0, 1, probabilities, &test_error));
  ck_assert_uint_eq(layer_calls("clEnqueueNDRangeKernel"), 0);
  end(&r);
}
END_TEST

START_TEST(the_reference_launches_nothing) {
  mlp_cl_context *reference = test_open_reference();
  float x[3] = {1, -2, 3}, y[3];
  layer_reset();
  ck_ok(mlp_cl_relu(reference, 1, 3, x, y, &test_error));
  mlp_cl_context_destroy(reference);
  for (size_t i = 0; i < layer_functions_count(); i++) ck_assert_uint_eq(layer_calls_at(i), 0);
}
END_TEST

/* Memory that was written from or read to may be gone once a call has returned: drivers do use it later. */
START_TEST(transfers_are_complete_when_calls_return) {
  static float weight[WIDTH * 33];
  run r = begin("panel", 0);
  ck_ok(mlp_cl_network_set(r.network, 0, weight, NULL, &test_error));
  ck_assert_uint_gt(layer_calls("clEnqueueWriteBuffer"), 1);
  ck_assert_uint_eq(layer_transfers(), 0);
  ck_ok(mlp_cl_network_get(r.network, 0, weight, NULL, &test_error));
  ck_assert_uint_gt(layer_calls("clEnqueueReadBuffer"), 1);
  ck_assert_uint_eq(layer_transfers(), 0);
  end(&r);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("launches");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, panel_launches);
  tcase_add_test(all, tile_launches);
  tcase_add_test(all, adam_launches);
  tcase_add_test(all, plain_launches);
  tcase_add_test(all, whole_steps_launches);
  tcase_add_test(all, whole_steps_of_a_group);
  tcase_add_test(all, whole_steps_of_all_kinds);
  tcase_add_test(all, whole_steps_wait_until_they_are_worth_it);
  tcase_add_test(all, steps_do_not_wait);
  tcase_add_test(all, memory_does_not_grow);
  tcase_add_test(all, evaluation_and_prediction_run_on_the_device);
  tcase_add_test(all, operations_are_proven_on_their_first_use_alone);
  tcase_add_test(all, few_rows_are_not_worth_a_launch);
  tcase_add_test(all, the_reference_launches_nothing);
  tcase_add_test(all, transfers_are_complete_when_calls_return);
  suite_add_tcase(suite, all);
  return test_run(suite);
}
