/* Evaluations of a network: by its predictions, and what is refused or found to be wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "context/context.h"
#include "network/evaluate.h"
#include "twins.h"

START_TEST(evaluation_agrees_with_predictions) {
  size_t rows = twin_rows();
  float *features = test_floats(rows * 17), *probabilities = test_floats(rows * 5);
  int32_t *labels = calloc(rows, sizeof *labels);
  mlp_cl_dataset *data = twin_data(rows, features, labels);
  mlp_cl_network *network = twin_make(device, 3, twin_widths, true, MLP_CL_INIT_HE, 5);
  ck_ok(mlp_cl_network_predict(network, features, rows, probabilities, &test_error));
  uint64_t wanted[25] = {0}, confusion[25];
  memset(confusion, 0xee, sizeof confusion);
  double loss = 0;
  size_t right = 0;
  for (size_t i = 0; i < rows; i++) {
    size_t best = 0;
    for (size_t j = 1; j < 5; j++)
      if (probabilities[i * 5 + j] > probabilities[i * 5 + best]) best = j;
    wanted[(size_t)labels[i] * 5 + best]++;
    right += best == (size_t)labels[i];
    loss -= log((double)probabilities[i * 5 + (size_t)labels[i]]);
  }
  mlp_cl_evaluation got = {0};
  ck_ok(mlp_cl_network_evaluate(network, data, &got, confusion, &test_error));
  ck_assert_uint_eq(got.rows, rows);
  ck_assert_double_eq_tol(got.loss, loss / (double)rows, 1e-6);
  ck_assert_double_eq(got.accuracy, (double)right / (double)rows);
  ck_assert_mem_eq(confusion, wanted, sizeof wanted);
  evaluator resident;
  mlp_cl_evaluation again = {0};
  ck_ok(evaluator_begin(&resident, network, data, true, &test_error));
  ck_ok(evaluator_run(&resident, &again, NULL, NULL, NULL, &test_error));
  evaluator_end(&resident);
  ck_assert_mem_eq(&again.loss, &got.loss, sizeof got.loss);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  free(features);
  free(probabilities);
  free(labels);
}
END_TEST

static const backend_operations *right;

/* The last prediction is a class that there is not. */
static mlp_cl_status read_wrong_class(backend *self, const tensor *source, size_t first, size_t rows, void *target,
                                      mlp_cl_error *error) {
  mlp_cl_status status = right->tensor_read(self, source, first, rows, target, error);
  if (source->element == TENSOR_INT32) ((int32_t *)target)[rows * source->cols - 1] = 5;
  return status;
}

START_TEST(evaluation_trusts_no_class) {
  enum { ROWS = 3 };
  static const int32_t labels[ROWS] = {0, 4, 2};
  static const float features[ROWS * 17] = {1.0f};
  uint64_t confusion[25];
  mlp_cl_evaluation result;
  mlp_cl_dataset *data = NULL;
  mlp_cl_network *network = twin_make(device, 3, twin_widths, true, MLP_CL_INIT_HE, 1);
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, 17, 1.0f, labels, 5, &data, &test_error));
  right = device->backend->op;
  backend_operations wrong = *right;
  wrong.tensor_read = read_wrong_class;
  device->backend->op = &wrong;
  mlp_cl_status status = mlp_cl_network_evaluate(network, data, &result, confusion, &test_error);
  device->backend->op = right;
  ck_assert_int_eq(status, MLP_CL_OPENCL);
  ck_assert_msg(strstr(test_error.text, "gave row 2 class 5 of 5") != NULL, "%s", test_error.text);
  mlp_cl_dataset_destroy(data);
  mlp_cl_network_destroy(network);
}
END_TEST

START_TEST(evaluation_refuses_data_that_does_not_fit) {
  const float features[4] = {1, 2, 3, 4};
  const int32_t labels[2] = {0, 2};
  mlp_cl_dataset *narrow = NULL, *classes = NULL, *bare = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 4, 1, 1, NULL, 0, &narrow, &test_error));
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 2, 2, 1, labels, 3, &classes, &test_error));
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, 2, 2, 1, NULL, 0, &bare, &test_error));
  const size_t small[] = {2, 2};
  mlp_cl_network *network = twin_make(device, 2, small, true, MLP_CL_INIT_HE, 1);
  mlp_cl_evaluation got;
  ck_fails(mlp_cl_network_evaluate(network, narrow, &got, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no labels");
  ck_fails(mlp_cl_network_evaluate(network, classes, &got, NULL, &test_error), MLP_CL_BAD_SHAPE, "3 classes");
  ck_fails(mlp_cl_network_evaluate(network, bare, &got, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "no labels");
  float out[8];
  ck_fails(mlp_cl_network_predict_dataset(network, narrow, 0, 4, out, &test_error), MLP_CL_BAD_SHAPE, "1 features");
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(narrow);
  mlp_cl_dataset_destroy(classes);
  mlp_cl_dataset_destroy(bare);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("evaluate");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, twins_open, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, evaluation_agrees_with_predictions);
  tcase_add_test(tests, evaluation_trusts_no_class);
  tcase_add_test(tests, evaluation_refuses_data_that_does_not_fit);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  twins_close();
  return result;
}
