/* Predicting in a loop allocates nothing in the library once its buffers are there. The linker hands the library's
 * calls of malloc, calloc and realloc to the functions below (--wrap), and the driver's to the C library. */
#include <stdlib.h>

#include "test.h"

static size_t allocations;

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);

void *__wrap_malloc(size_t bytes) {
  allocations++;
  return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
  allocations++;
  return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) {
  allocations++;
  return __real_realloc(memory, bytes);
}

START_TEST(predicting_allocates_once) {
  enum { ROWS = 17, INPUTS = 65, CLASSES = 3 };
  static const size_t widths[] = {INPUTS, 33, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  float features[ROWS * INPUTS], probabilities[ROWS * CLASSES], again[ROWS * CLASSES];
  test_random random = {.state = 3};
  test_random_fill(&random, features, (size_t)ROWS * INPUTS, 1.0f);
  mlp_cl_context *context = test_open_device();
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(context, &shape, 1, &network, &test_error));

  size_t before = allocations;
  ck_ok(mlp_cl_network_predict(network, features, ROWS, probabilities, &test_error));
  ck_assert_msg(allocations > before, "the first call is not seen to allocate: nothing is counted");
  before = allocations;
  for (size_t rows = ROWS; rows > 0; rows--) {
    test_canary_fill(again, (size_t)ROWS * CLASSES);
    ck_ok(mlp_cl_network_predict(network, features, rows, again, &test_error));
    ck_same_bits(again, probabilities, rows * CLASSES, "fewer rows");
  }
  ck_assert_uint_eq(allocations - before, 0);
  mlp_cl_network_destroy(network);
  mlp_cl_context_destroy(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("allocations");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, predicting_allocates_once);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
