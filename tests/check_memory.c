/* The memory plan of a run: on the reference to the byte what the shapes say, and elsewhere not less. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { ROWS = 40, WIDTH = 17, HIDDEN = 33, CLASSES = 3, BATCH = 16 };
enum { PARAMETERS = WIDTH * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES };

static mlp_cl_context *device;
static mlp_cl_dataset *data;

static void open_all(void) {
  static float features[ROWS * WIDTH];
  static int32_t labels[ROWS];
  if (device != NULL) return;
  device = test_open_device();
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1, labels, CLASSES, &data, &test_error));
}

static mlp_cl_memory plan(float momentum) {
  static const size_t widths[] = {WIDTH, HIDDEN, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.batch = BATCH;
  recipe.momentum = momentum;
  mlp_cl_memory memory;
  ck_ok(mlp_cl_plan_memory(device, &shape, data, NULL, &recipe, &memory, &test_error));
  return memory;
}

static void check_bytes(uint64_t got, uint64_t elements) {
  if (mlp_cl_context_device(device)->index < 0) ck_assert_uint_eq(got, 4 * elements);
  ck_assert_uint_ge(got, 4 * elements);
}

/* The reference and the kernels for CPUs read the host's memory. */
static bool copies_data(void) {
  const char *kernels = getenv("MLP_CL_TEST_KERNELS");
  if (mlp_cl_context_device(device)->type == MLP_CL_DEVICE_GPU) return true;
  return kernels != NULL && strcmp(kernels, "panel") != 0;
}

START_TEST(counts_what_shapes_say) {
  mlp_cl_memory with = plan(0.9f), without = plan(0);
  check_bytes(with.parameter_bytes, PARAMETERS);
  check_bytes(with.state_bytes, PARAMETERS);
  check_bytes(with.gradient_bytes, BATCH * (HIDDEN + CLASSES));
  ck_assert_uint_ge(with.activation_bytes, 4 * BATCH * (WIDTH + HIDDEN + CLASSES));
  /* Two orders, losses and predictions, a flag; rows and labels where they are not read in place. */
  check_bytes(with.data_bytes, 4 * ROWS + 1 + (copies_data() ? ROWS * (WIDTH + 1) : 0));
  if (!copies_data()) ck_assert_uint_lt(with.data_bytes, 4 * ROWS * WIDTH);
  ck_assert_uint_eq(with.device_bytes, with.data_bytes + with.parameter_bytes + with.state_bytes +
                                           with.activation_bytes + with.gradient_bytes);
  ck_assert(with.fits);
  ck_assert_uint_ge(with.largest_bytes, 4 * WIDTH * HIDDEN);
  ck_assert_uint_eq(without.state_bytes, 0);
  ck_assert_uint_eq(with.device_bytes - without.device_bytes, with.state_bytes);
}
END_TEST

START_TEST(tells_of_what_cannot_be) {
  static const size_t widths[] = {WIDTH, 1 << 24, 1 << 24, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 4, .widths = widths, .bias = true};
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  mlp_cl_memory memory;
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_plan_memory(device, &shape, data, NULL, &recipe, &memory, &test_error));
  ck_assert(!memory.fits);
  ck_assert_uint_ge(memory.parameter_bytes, (uint64_t)1 << 50);
  ck_fails(mlp_cl_network_create(device, &shape, 1, &network, &test_error), MLP_CL_NO_MEMORY, "weights");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("memory");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_all, NULL);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, counts_what_shapes_say);
  tcase_add_test(tests, tells_of_what_cannot_be);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_dataset_destroy(data);
  mlp_cl_context_destroy(device);
  return result;
}
