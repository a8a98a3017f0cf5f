/* Softmax and cross-entropy. */
#include <math.h>
#include <stdlib.h>

#include "exact_math.h"
#include "tools.h"

typedef struct loss_case {
  size_t rows, cols;
  tensor *logits, *losses, *predictions, *d_logits, *flag;
} loss_case;

static loss_case new_loss_case(size_t rows, size_t cols, const float *logits, float limit) {
  static const uint32_t unset = UINT32_MAX;
  loss_case c = {.rows = rows, .cols = cols};
  c.logits = logits != NULL ? new_float(TENSOR_ACTIVATION, rows, cols, logits)
                            : new_random(TENSOR_ACTIVATION, rows, cols, limit);
  c.losses = new_float(TENSOR_PLAIN, 1, rows + 2, NULL);
  c.predictions = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, rows + 2, NULL);
  c.d_logits = new_float(TENSOR_GRADIENT, rows, cols, NULL);
  c.flag = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, 1, &unset);
  return c;
}

/* Metrics go to slot 1, between canaries. */
static void run_loss_case(const loss_case *c, const int32_t *labels, float scale, uint32_t step) {
  cross_entropy call = {.rows = c->rows,
                        .logits = c->logits,
                        .labels = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, c->rows, labels),
                        .scale = scale,
                        .slot = 1,
                        .losses = c->losses,
                        .predictions = c->predictions,
                        .d_logits = c->d_logits,
                        .flag = c->flag,
                        .step = step};
  ck_ok(device->op->cross_entropy(device, &call, &test_error));
}

static void check_loss_case(size_t rows, size_t cols, float limit) {
  loss_case c = new_loss_case(rows, cols, NULL, limit);
  int32_t *labels = malloc(rows * sizeof *labels);
  for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)(test_random_bits(&noise) % cols);
  run_loss_case(&c, labels, 0.25f, 5);
  tensor *p = new_float(TENSOR_ACTIVATION, rows, cols, NULL);
  ck_ok(device->op->softmax(device, rows, c.logits, p, &test_error));

  double *x = read_doubles(c.logits), *exact_p = malloc(rows * cols * sizeof(double));
  double *exact_d = malloc(rows * cols * sizeof(double)), *exact_losses = malloc(rows * sizeof(double));
  int32_t *predictions = malloc((rows + 2) * sizeof *predictions);
  ck_ok(device->op->tensor_read(device, c.predictions, 0, 1, predictions, &test_error));
  for (size_t i = 0; i < rows; i++) {
    const double *row = x + i * cols;
    size_t label = (size_t)labels[i], best = 0;
    exact_losses[i] = oracle_softmax(cols, row, exact_p + i * cols) - row[label];
    for (size_t j = 0; j < cols; j++) {
      exact_d[i * cols + j] = (exact_p[i * cols + j] - (j == label)) * 0.25;
      if (row[j] > row[best]) best = j;
    }
    ck_assert_int_eq(predictions[1 + i], (int32_t)best);
  }
  close_tensor(p, exact_p, 4e-7, "softmax");
  close_tensor(c.d_logits, exact_d, 4e-7, "d_logits");
  float *losses = read_floats(c.losses);
  ck_close(losses + 1, exact_losses, rows, 4e-6, "losses");
  ck_assert_msg(isnan(losses[0]) && isnan(losses[rows + 1]), "losses written outside their slots");
  ck_assert_uint_eq(read_flag(c.flag), UINT32_MAX);
  double *doubles[] = {x, exact_p, exact_d, exact_losses};
  for (size_t i = 0; i < 4; i++) free(doubles[i]);
  free(labels);
  free(predictions);
  free(losses);
}

START_TEST(losses_and_probabilities) {
  static const size_t widths[] = {1, 2, 10, 15, 16, 17, 31, 33, 1000};
  for (size_t w = 0; w < 9; w++) check_loss_case(5, widths[w], w % 2 == 0 ? 3.0f : 60.0f);
}
END_TEST

/* The lanes' order, written out for 18 columns: lanes 0 and 1 have two elements. */
START_TEST(row_sum_order) {
  enum { COLS = 18 };
  size_t naive_differs = 0;
  for (size_t trial = 0; trial < 64; trial++) {
    loss_case c = new_loss_case(1, COLS, NULL, 2.0f);
    int32_t label = 3;
    run_loss_case(&c, &label, 1.0f, 0);
    float *x = read_floats(c.logits), *d = read_floats(c.d_logits), *losses = read_floats(c.losses);
    float e[COLS], max = x[0], naive = 0;
    for (size_t j = 0; j < COLS; j++) max = x[j] > max ? x[j] : max;
    for (size_t j = 0; j < COLS; j++) naive += e[j] = exact_exp(x[j] - max);
    float l[16];
    for (size_t j = 0; j < 16; j++) l[j] = j < 2 ? e[j] + e[j + 16] : e[j];
    float sum = (((l[0] + l[8]) + (l[4] + l[12])) + ((l[2] + l[10]) + (l[6] + l[14]))) +
                (((l[1] + l[9]) + (l[5] + l[13])) + ((l[3] + l[11]) + (l[7] + l[15])));
    float wanted = exact_log(sum) - (x[label] - max);
    ck_same_bits(&losses[1], &wanted, 1, "loss");
    for (size_t j = 0; j < COLS; j++) {
      float p = exact_divide(e[j], sum) - (j == 3 ? 1.0f : 0.0f);
      ck_same_bits(&d[j], &p, 1, "d_logits");
    }
    naive_differs += naive != sum;
    free(x);
    free(d);
    free(losses);
    destroy_newest(6);
  }
  ck_assert_uint_gt(naive_differs, 16);
}
END_TEST

START_TEST(ties_take_the_first) {
  static const float logits[] = {1, 3, 3, 0, 0, 0, -5, -5, -6};
  static const int32_t labels[] = {1, 0, 2}, wanted[] = {1, 0, 0};
  loss_case c = new_loss_case(3, 3, logits, 0);
  run_loss_case(&c, labels, 1.0f, 0);
  int32_t predictions[5];
  ck_ok(device->op->tensor_read(device, c.predictions, 0, 1, predictions, &test_error));
  for (size_t i = 0; i < 3; i++) ck_assert_int_eq(predictions[1 + i], wanted[i]);
}
END_TEST

START_TEST(logits_that_are_not_finite) {
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  for (size_t kind = 0; kind < 3; kind++)
    for (size_t place = 0; place < 3; place++) {
      float logits[6] = {1, 2, 3, 3, 2, 1};
      logits[place] = bad[kind];
      static const int32_t labels[] = {1, 1};
      loss_case c = new_loss_case(2, 3, logits, 0);
      run_loss_case(&c, labels, 1.0f, 9);
      float *losses = read_floats(c.losses), *d = read_floats(c.d_logits);
      ck_assert(isnan(losses[1]) && isfinite(losses[2]));
      for (size_t j = 0; j < 3; j++) ck_assert(isnan(d[j]) && isfinite(d[3 + j]));
      ck_assert_uint_eq(read_flag(c.flag), 9);
      free(losses);
      free(d);
      run_loss_case(&c, labels, 1.0f, 4);
      ck_assert_uint_eq(read_flag(c.flag), 4);
      run_loss_case(&c, labels, 1.0f, 6);
      ck_assert_uint_eq(read_flag(c.flag), 4);
      destroy_newest(SIZE_MAX);
    }
  static const float far[] = {0x1.8p127f, -0x1.8p127f};
  static const int32_t label = 1;
  loss_case c = new_loss_case(1, 2, far, 0);
  run_loss_case(&c, &label, 1.0f, 2);
  ck_assert_uint_eq(read_flag(c.flag), 2);
}
END_TEST

void add_losses(TCase *cases) {
  tcase_add_test(cases, losses_and_probabilities);
  tcase_add_test(cases, row_sum_order);
  tcase_add_test(cases, ties_take_the_first);
  tcase_add_test(cases, logits_that_are_not_finite);
}
