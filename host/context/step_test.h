/* Whole training steps in the self-test. What they come to is written down, as code that could do them otherwise lies
 * above this room. */
#ifndef CONTEXT_STEP_TEST_H
#define CONTEXT_STEP_TEST_H

#include "backend/backend.h"

enum { STEP_TESTS_COUNT = 13, STEP_TEST_LAYERS = 3 };

/* An epoch of a network of STEP_TEST_LAYERS layers, or, where the last width is 0, of one fewer. */
typedef struct step_test {
  step_kind kind;
  mlp_cl_activation activation;
  float zeros;   /* among the data, which may be skipped: MANY_ZEROS or MOST_ZEROS */
  float dropout; /* 0: a quarter */
  size_t rows, batch, widths[STEP_TEST_LAYERS + 1];
  uint64_t sum; /* of parameters, what the optimiser keeps, losses and predictions or scores after it */
} step_test;

extern const step_test step_tests[STEP_TESTS_COUNT];

/* *sum gets what the test comes to on this backend; *taken is false, and it is left alone, where the backend leaves
 * such steps to the single operations. */
mlp_cl_status step_test_run(const step_test *test, backend *tested, uint64_t *sum, bool *taken, mlp_cl_error *error);

#endif
