/* The reference behind the backend's interface: values against the double-precision oracle, orders of sums against a
 * second, recursive statement of them, fused operations against unfused ones, gradients against finite differences. */
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exact_math.h"
#include "oracle.h"
#include "philox.h"
#include "reference/reference.h"
#include "test.h"

static backend *device;
static test_random noise;

/* ---- Tools ----------------------------------------------------------------------------------------------------- */

enum { MOST_TENSORS = 64 };
static tensor *made[MOST_TENSORS];
static size_t made_count;

static void open_device(void) {
  noise = (test_random){.state = 7};
  made_count = 0;
  ck_ok(reference_open(&device, &test_error));
}

static void close_device(void) {
  for (size_t i = 0; i < made_count; i++) device->op->tensor_destroy(device, made[i]);
  device->op->close(device);
}

/* A tensor that holds `values`, or canaries for NULL; destroyed at the end of the test. */
static tensor *new_tensor(tensor_role role, tensor_element element, size_t rows, size_t cols, const void *values) {
  ck_assert(made_count < MOST_TENSORS);
  tensor *t;
  ck_ok(device->op->tensor_create(device, role, element, rows, cols, &t, &test_error));
  made[made_count++] = t;
  if (values != NULL) {
    ck_ok(device->op->tensor_write(device, t, 0, rows, values, &test_error));
  } else if (tensor_element_bytes(element) == 4) {
    float *canary = test_floats(rows * cols);
    ck_ok(device->op->tensor_write(device, t, 0, rows, canary, &test_error));
    free(canary);
  }
  return t;
}

static tensor *new_float(tensor_role role, size_t rows, size_t cols, const float *values) {
  return new_tensor(role, TENSOR_FLOAT32, rows, cols, values);
}

static tensor *new_random(tensor_role role, size_t rows, size_t cols, float limit) {
  float *values = test_floats(rows * cols);
  test_random_fill(&noise, values, rows * cols, limit);
  tensor *t = new_float(role, rows, cols, values);
  free(values);
  return t;
}

static float *read_floats(const tensor *t) {
  float *values = test_floats(t->rows * t->cols);
  ck_ok(device->op->tensor_read(device, t, 0, t->rows, values, &test_error));
  return values;
}

static double *read_doubles(const tensor *t) {
  float *values = read_floats(t);
  double *converted = malloc(t->rows * t->cols * sizeof *converted);
  ck_assert(converted != NULL);
  oracle_from_floats(values, t->rows * t->cols, converted);
  free(values);
  return converted;
}

static void same_tensors(const tensor *got, const tensor *wanted, const char *what) {
  float *a = read_floats(got), *b = read_floats(wanted);
  ck_same_bits(a, b, got->rows * got->cols, what);
  free(a);
  free(b);
}

static void close_tensor(const tensor *got, const double *wanted, double tolerance, const char *what) {
  float *values = read_floats(got);
  ck_close(values, wanted, got->rows * got->cols, tolerance, what);
  free(values);
}

/* ---- Products -------------------------------------------------------------------------------------------------- */

/* a(l), b(l): the factors of one element of a product, at distance `step` in memory. */
typedef struct factors {
  const float *a, *b;
  size_t a_step, b_step;
} factors;

static float chain(factors f, size_t first, size_t end) {
  float sum = 0;
  for (size_t l = first; l < end; l++) sum = fmaf(f.a[l * f.a_step], f.b[l * f.b_step], sum);
  return sum;
}

static float sum_over_features(factors f, size_t k) {
  float sum = 0;
  for (size_t first = 0; first < k; first += 256) sum += chain(f, first, first + 256 < k ? first + 256 : k);
  return sum;
}

/* Node `j` of level `i` covers the leaves [j·2^i, (j+1)·2^i); the caller makes sure that the first of them exists. */
static float tree_node(factors f, size_t k, size_t level, size_t j) {
  if (level == 0) return chain(f, j * 256, (j + 1) * 256 < k ? (j + 1) * 256 : k);
  size_t right_leaf = (2 * j + 1) << (level - 1);
  float left = tree_node(f, k, level - 1, 2 * j);
  return right_leaf * 256 < k ? left + tree_node(f, k, level - 1, 2 * j + 1) : left;
}

static float sum_over_batch(factors f, size_t k) {
  size_t level = 0;
  while ((size_t)256 << level < k) level++;
  return tree_node(f, k, level, 0);
}

static float by_definition(mlp_cl_product product, size_t m, size_t n, size_t k, size_t i, size_t j, const float *a,
                           const float *b) {
  float sum = 0;
  if (product == MLP_CL_A_B) sum = sum_over_features((factors){a + i * k, b + j, 1, n}, k);
  if (product == MLP_CL_A_BT) sum = sum_over_features((factors){a + i * k, b + j * k, 1, 1}, k);
  if (product == MLP_CL_AT_B) sum = sum_over_batch((factors){a + i, b + j, m, n}, k);
  return canonical(sum, product == MLP_CL_A_B ? FLOOR_VALUE : FLOOR_GRADIENT);
}

static void check_product(mlp_cl_product product, size_t m, size_t n, size_t k) {
  bool a_t = product == MLP_CL_AT_B, b_t = product == MLP_CL_A_BT;
  tensor_role result = product == MLP_CL_A_B ? TENSOR_ACTIVATION : TENSOR_GRADIENT;
  tensor *a = new_random(b_t ? TENSOR_GRADIENT : TENSOR_ACTIVATION, a_t ? k : m, a_t ? m : k, 1.0f);
  tensor *b = new_random(a_t ? TENSOR_GRADIENT : TENSOR_WEIGHT, b_t ? n : k, b_t ? k : n, 1.0f);
  tensor *c = new_float(result, m, n, NULL);
  ck_ok(device->op->matmul(device, product, a, b, c, &test_error));

  float *a_values = read_floats(a), *b_values = read_floats(b), *c_values = read_floats(c);
  float *wanted = test_floats(m * n);
  for (size_t i = 0; i < m * n; i++) wanted[i] = by_definition(product, m, n, k, i / n, i % n, a_values, b_values);
  ck_same_bits(c_values, wanted, m * n, "product, by definition");

  double *left = read_doubles(a), *right = read_doubles(b), *other = malloc((m + n) * k * sizeof(double));
  double *exact = malloc(m * n * sizeof *exact);
  if (a_t) oracle_transpose(k, m, left, other);
  if (b_t) oracle_transpose(n, k, right, other);
  oracle_multiply(m, n, k, a_t ? other : left, b_t ? other : right, exact);
  ck_close(c_values, exact, m * n, 0x1p-24 * (double)(256 + k / 256), "product, oracle");

  double *doubles[] = {left, right, other, exact};
  for (size_t i = 0; i < 4; i++) free(doubles[i]);
  float *floats[] = {a_values, b_values, c_values, wanted};
  for (size_t i = 0; i < 4; i++) free(floats[i]);
}

START_TEST(products) {
  static const size_t shapes[][3] = {{1, 1, 1},   {1, 1, 17},   {17, 1, 15},   {1, 16, 255}, {3, 17, 256},
                                     {2, 5, 257}, {5, 33, 512}, {17, 15, 513}, {3, 2, 769},  {2, 3, 1793}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    check_product((mlp_cl_product)_i, shapes[i][0], shapes[i][1], shapes[i][2]);
}
END_TEST

/* If another order gave the same bits, comparing bits would show nothing. */
START_TEST(order_matters) {
  enum { K = 1793 };
  float *a = test_floats(K), *b = test_floats(K), *reversed = test_floats(K);
  size_t features_differ = 0, batch_differs = 0;
  for (size_t trial = 0; trial < 32; trial++) {
    test_random_fill(&noise, a, K, 1.0f);
    test_random_fill(&noise, b, K, 1.0f);
    for (size_t l = 0; l < K; l++) reversed[l] = b[K - 1 - l];
    float *a_reversed = test_floats(K);
    for (size_t l = 0; l < K; l++) a_reversed[l] = a[K - 1 - l];
    factors straight = {a, b, 1, 1}, backwards = {a_reversed, reversed, 1, 1};
    features_differ += sum_over_features(straight, K) != sum_over_features(backwards, K);
    batch_differs += sum_over_batch(straight, K) != sum_over_features(straight, K);
    free(a_reversed);
  }
  ck_assert_uint_gt(features_differ, 16);
  ck_assert_uint_gt(batch_differs, 8);
  free(a);
  free(b);
  free(reversed);
}
END_TEST

/* ---- Elementwise ----------------------------------------------------------------------------------------------- */

START_TEST(writes_are_canonical) {
  static const float values[] = {-0.0f, 0x1p-149f, -0x1.8p-31f, 0x1p-30f, 0x1p-51f, -0x1p-50f, 1.0f, -2.0f};
  static const float as_value[] = {0, 0, 0, 0x1p-30f, 0, 0, 1.0f, -2.0f};
  static const float as_gradient[] = {0, 0, -0x1.8p-31f, 0x1p-30f, 0, -0x1p-50f, 1.0f, -2.0f};
  static const struct {
    tensor_role role;
    const float *wanted;
  } cases[] = {{TENSOR_PLAIN, values},
               {TENSOR_ACTIVATION, as_value},
               {TENSOR_WEIGHT, as_value},
               {TENSOR_GRADIENT, as_gradient},
               {TENSOR_STATE, as_gradient}};
  for (size_t i = 0; i < 5; i++) {
    tensor *t = new_float(cases[i].role, 4, 2, NULL);
    ck_ok(device->op->tensor_write(device, t, 0, 1, values, &test_error));
    ck_ok(device->op->tensor_write(device, t, 1, 3, values + 2, &test_error));
    float *got = read_floats(t);
    ck_same_bits(got, cases[i].wanted, 8, "written");
    float part[2];
    ck_ok(device->op->tensor_read(device, t, 2, 1, part, &test_error));
    ck_same_bits(part, cases[i].wanted + 4, 2, "one row");
    free(got);
  }
}
END_TEST

START_TEST(bias_and_relu) {
  static const float x[] = {-1.0f, 0x1.8p-30f, 2.0f, 0x1p-29f, -0x1p-29f, NAN};
  static const float bias_values[] = {0.5f, -0x1p-30f, -0x1.8p-30f};
  static const float summed[] = {-0.5f, 0.0f, 2.0f, 0x1p-1f, -0x1.8p-29f, NAN};
  static const float rectified[] = {0.0f, 0.0f, 2.0f, 0x1p-1f, 0.0f, NAN};
  tensor *y = new_float(TENSOR_ACTIVATION, 3, 3, NULL);
  tensor *in = new_float(TENSOR_ACTIVATION, 2, 3, x), *bias = new_float(TENSOR_WEIGHT, 1, 3, bias_values);
  ck_ok(device->op->bias(device, 2, in, bias, y, &test_error));
  float *got = read_floats(y);
  for (size_t i = 0; i < 5; i++) ck_assert_msg(got[i] == (float)summed[i], "bias %zu: %a", i, (double)got[i]);
  ck_assert(isnan(got[5]));
  ck_assert_msg(isnan(got[6]), "the row behind the last one was written");
  tensor *r = new_float(TENSOR_ACTIVATION, 3, 3, NULL);
  ck_ok(device->op->relu(device, 2, y, r, &test_error));
  float *after = read_floats(r);
  ck_same_bits(after, rectified, 5, "relu");
  ck_assert(isnan(after[5]) && isnan(after[6]));

  tensor *d_y = new_random(TENSOR_GRADIENT, 2, 3, 1.0f), *d_x = new_float(TENSOR_GRADIENT, 2, 3, NULL);
  ck_ok(device->op->relu_backward(device, 2, r, d_y, d_x, &test_error));
  float *d = read_floats(d_x), *given = read_floats(d_y);
  for (size_t i = 0; i < 6; i++) ck_assert(d[i] == (rectified[i] > 0 ? given[i] : 0.0f));
  float *arrays[] = {got, after, d, given};
  for (size_t i = 0; i < 4; i++) free(arrays[i]);
}
END_TEST

static bool kept(const dropout *mask, size_t row, size_t col, size_t cols) {
  uint64_t index = (mask->first_row + row) * ((cols + 3) / 4) + col / 4;
  uint32_t words[4] = {(uint32_t)index, (uint32_t)(index >> 32), mask->step, mask->layer};
  philox4x32_10(words, (uint32_t)mask->seed, (uint32_t)(mask->seed >> 32));
  return words[col % 4] >= mask->threshold;
}

static const dropout some_mask = {.threshold = 0x66666666u,
                                  .scale = 0x1.aaaaaap0f,
                                  .seed = 0x123456789abcdef0u,
                                  .step = 3,
                                  .layer = 2,
                                  .first_row = 0xfffffffffu};

START_TEST(dropout_masks) {
  static const size_t widths[] = {1, 3, 4, 5, 16, 17};
  for (size_t w = 0; w < 6; w++) {
    size_t cols = widths[w], rows = 40;
    tensor *x = new_random(TENSOR_ACTIVATION, rows, cols, 1.0f), *y = new_float(TENSOR_ACTIVATION, rows, cols, NULL);
    ck_ok(device->op->dropout(device, rows, &some_mask, x, y, &test_error));
    float *in = read_floats(x), *got = read_floats(y);
    size_t count = 0;
    for (size_t i = 0; i < rows * cols; i++) {
      bool keep = kept(&some_mask, i / cols, i % cols, cols);
      float wanted = keep ? canonical(in[i] * some_mask.scale, FLOOR_VALUE) : 0.0f;
      ck_same_bits(&got[i], &wanted, 1, "dropout");
      count += keep;
    }
    double expected = 0.6 * (double)(rows * cols), deviation = sqrt(0.24 * (double)(rows * cols));
    ck_assert_msg(fabs((double)count - expected) < 5 * deviation, "%zu of %zu kept", count, rows * cols);

    /* The mask of rows taken apart is the mask of the whole. */
    dropout later = some_mask;
    later.first_row += rows - 1;
    tensor *row = new_float(TENSOR_ACTIVATION, 1, cols, in + (rows - 1) * cols);
    tensor *part = new_float(TENSOR_ACTIVATION, 1, cols, NULL);
    ck_ok(device->op->dropout(device, 1, &later, row, part, &test_error));
    float *alone = read_floats(part);
    ck_same_bits(alone, got + (rows - 1) * cols, cols, "last row alone");

    dropout all = {.threshold = 0, .scale = 1.0f};
    ck_ok(device->op->dropout(device, rows, &all, x, y, &test_error));
    same_tensors(y, x, "threshold 0");
    free(in);
    free(got);
    free(alone);
  }
}
END_TEST

START_TEST(gathers) {
  static const uint8_t bytes[] = {0, 255, 7, 128, 1, 3};
  static const int8_t small[] = {-128, 127, -1, 0, 5, 6};
  static const int16_t words[] = {-32768, 32767, -1, 0, 300, 5};
  static const float floats[] = {-0.0f, 1.5f, 0x1p-31f, -7.25f, 0x1p-149f, 3.0f};
  static const double scale = 1.0 / 255;
  static const struct {
    tensor_element element;
    const void *values;
  } sources[] = {{TENSOR_UINT8, bytes}, {TENSOR_INT8, small}, {TENSOR_INT16, words}, {TENSOR_FLOAT32, floats}};
  static const int32_t order[] = {0, 2, 1, 0};
  for (size_t s = 0; s < 4; s++)
    for (int ordered = 0; ordered < 2; ordered++) {
      gather g = {.source = new_tensor(TENSOR_PLAIN, sources[s].element, 3, 2, sources[s].values),
                  .order = ordered ? new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, 4, order) : NULL,
                  .first = 1,
                  .rows = 2,
                  .scale = (float)scale,
                  .y = new_float(TENSOR_ACTIVATION, 3, 2, NULL)};
      ck_ok(device->op->gather(device, &g, &test_error));
      float *got = read_floats(g.y);
      for (size_t i = 0; i < 4; i++) {
        size_t row = ordered ? (size_t)order[1 + i / 2] : 1 + i / 2, at = row * 2 + i % 2;
        float value = s == 0 ? (float)bytes[at] : s == 1 ? (float)small[at] : s == 2 ? (float)words[at] : floats[at];
        float wanted = canonical(value * (float)scale, FLOOR_VALUE);
        ck_same_bits(&got[i], &wanted, 1, "gather");
      }
      ck_assert_msg(isnan(got[4]), "gather wrote behind its rows");
      free(got);
    }
}
END_TEST

/* ---- Softmax and cross-entropy --------------------------------------------------------------------------------- */

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

static uint32_t read_flag(const tensor *flag) {
  uint32_t value;
  ck_ok(device->op->tensor_read(device, flag, 0, 1, &value, &test_error));
  return value;
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
    for (size_t i = made_count; i > made_count - 6; i--) device->op->tensor_destroy(device, made[i - 1]);
    made_count -= 6;
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
      for (; made_count > 0; made_count--) device->op->tensor_destroy(device, made[made_count - 1]);
    }
  static const float far[] = {0x1.8p127f, -0x1.8p127f};
  static const int32_t label = 1;
  loss_case c = new_loss_case(1, 2, far, 0);
  run_loss_case(&c, &label, 1.0f, 2);
  ck_assert_uint_eq(read_flag(c.flag), 2);
}
END_TEST

/* ---- Updates --------------------------------------------------------------------------------------------------- */

START_TEST(sgd_variants) {
  static const sgd variants[] = {
      {.learning_rate = 0.1f},
      {.learning_rate = 0.1f, .weight_decay = 0.01f},
      {.learning_rate = 0.1f, .momentum = 0.9f},
      {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f},
      {.learning_rate = 0.1f, .momentum = 0.9f, .nesterov = true},
      {.learning_rate = 0.1f, .momentum = 0.9f, .nesterov = true, .weight_decay = 0.01f},
  };
  const sgd *u = &variants[_i];
  size_t rows = 17, cols = 5, count = rows * cols;
  tensor *w = new_random(TENSOR_WEIGHT, rows, cols, 1.0f), *g = new_random(TENSOR_GRADIENT, rows, cols, 1.0f);
  tensor *v = u->momentum != 0 ? new_float(TENSOR_STATE, rows, cols, NULL) : NULL;
  if (v != NULL) ck_ok(device->op->tensor_zero(device, v, &test_error));
  double *wanted = read_doubles(w), *gradient = read_doubles(g), *velocity = calloc(count, sizeof *velocity);
  for (size_t step = 0; step < 3; step++) {
    ck_ok(device->op->sgd(device, u, g, w, v, NULL, 0, &test_error));
    for (size_t i = 0; i < count; i++) {
      double d = gradient[i] + (double)u->weight_decay * wanted[i];
      velocity[i] = (double)u->momentum * velocity[i] + d;
      if (u->momentum != 0) d = u->nesterov ? d + (double)u->momentum * velocity[i] : velocity[i];
      wanted[i] -= (double)u->learning_rate * d;
    }
    close_tensor(w, wanted, 1e-6, "weight");
    if (v != NULL) close_tensor(v, velocity, 1e-6, "velocity");
  }
  free(wanted);
  free(gradient);
  free(velocity);
}
END_TEST

/* ---- Fused against unfused ------------------------------------------------------------------------------------- */

/* Sums around the floor and small biases make a missing canonical() show. */
START_TEST(forward_is_its_parts) {
  static const float limits[] = {1.0f, 0x1p-15f, 0x1p-16f};
  for (size_t trial = 0; trial < 3; trial++)
    for (int variant = 0; variant < 8; variant++) {
      size_t rows = 33, in = 257, out = 17;
      tensor *x = new_random(TENSOR_ACTIVATION, rows, in, limits[trial]);
      tensor *w = new_random(TENSOR_WEIGHT, in, out, limits[trial]);
      tensor *bias = new_random(TENSOR_WEIGHT, 1, out, limits[trial] * 0x1p4f);
      tensor *fused = new_float(TENSOR_ACTIVATION, rows, out, NULL), *y = new_float(TENSOR_ACTIVATION, rows, out, NULL);
      dense_forward d = {.rows = rows,
                         .x = x,
                         .weight = w,
                         .bias = variant & 1 ? bias : NULL,
                         .relu = (variant & 2) != 0,
                         .dropout = variant & 4 ? &some_mask : NULL,
                         .y = fused};
      ck_ok(device->op->dense_forward(device, &d, &test_error));
      ck_ok(device->op->matmul(device, MLP_CL_A_B, x, w, y, &test_error));
      if (d.bias != NULL) ck_ok(device->op->bias(device, rows, y, bias, y, &test_error));
      if (d.relu) ck_ok(device->op->relu(device, rows, y, y, &test_error));
      if (d.dropout != NULL) ck_ok(device->op->dropout(device, rows, d.dropout, y, y, &test_error));
      same_tensors(fused, y, "dense_forward");
      float *values = read_floats(fused);
      ck_alive(values, rows * out, "dense_forward");
      free(values);
      for (; made_count > 0; made_count--) device->op->tensor_destroy(device, made[made_count - 1]);
    }
}
END_TEST

START_TEST(backward_is_its_parts) {
  size_t rows = 600, in = 33, out = 17;
  tensor *x = new_random(TENSOR_ACTIVATION, rows, in, 1.0f), *y = new_float(TENSOR_ACTIVATION, rows, in, NULL);
  tensor *relu = new_float(TENSOR_ACTIVATION, rows, in, NULL);
  ck_ok(device->op->relu(device, rows, x, relu, &test_error));
  ck_ok(device->op->dropout(device, rows, &some_mask, relu, y, &test_error));
  tensor *w = new_random(TENSOR_WEIGHT, in, out, 1.0f),
         *d_y = new_random(TENSOR_GRADIENT, rows, out, 0x1p-48f); /* near the floor */
  tensor *d_x = new_float(TENSOR_GRADIENT, rows, in, NULL), *parts = new_float(TENSOR_GRADIENT, rows, in, NULL);
  dense_backward_input call = {.rows = rows, .d_y = d_y, .weight = w, .y = y, .scale = some_mask.scale, .d_x = d_x};
  ck_ok(device->op->dense_backward_input(device, &call, &test_error));
  ck_ok(device->op->matmul(device, MLP_CL_A_BT, d_y, w, parts, &test_error));
  ck_ok(device->op->dropout(device, rows, &some_mask, parts, parts, &test_error));
  ck_ok(device->op->relu_backward(device, rows, relu, parts, parts, &test_error));
  same_tensors(d_x, parts, "dense_backward_input");
  call.y = NULL;
  ck_ok(device->op->dense_backward_input(device, &call, &test_error));
  ck_ok(device->op->matmul(device, MLP_CL_A_BT, d_y, w, parts, &test_error));
  same_tensors(d_x, parts, "dense_backward_input, plain");
}
END_TEST

START_TEST(weight_gradient_is_its_parts) {
  size_t rows = 600, in = 33, out = 17;
  static const sgd update = {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .nesterov = true};
  static const uint32_t unset = UINT32_MAX;
  tensor *x = new_random(TENSOR_ACTIVATION, rows, in, 1.0f), *d_y = new_random(TENSOR_GRADIENT, rows, out, 1.0f);
  float *ones = test_floats(rows);
  for (size_t i = 0; i < rows; i++) ones[i] = 1.0f;
  tensor *g = new_float(TENSOR_GRADIENT, in, out, NULL), *g_bias = new_float(TENSOR_GRADIENT, 1, out, NULL);
  ck_ok(device->op->matmul(device, MLP_CL_AT_B, x, d_y, g, &test_error));
  ck_ok(device->op->matmul(device, MLP_CL_AT_B, new_float(TENSOR_ACTIVATION, rows, 1, ones), d_y, g_bias, &test_error));
  free(ones);

  dense_backward_weight call = {.rows = rows, .x = x, .d_y = d_y};
  call.d_weight = new_float(TENSOR_GRADIENT, in, out, NULL);
  call.d_bias = new_float(TENSOR_GRADIENT, 1, out, NULL);
  ck_ok(device->op->dense_backward_weight(device, &call, &test_error));
  same_tensors(call.d_weight, g, "d_weight");
  same_tensors(call.d_bias, g_bias, "d_bias");

  float *start = test_floats(in * out);
  test_random_fill(&noise, start, in * out, 1.0f);
  tensor *weight[2], *bias[2], *weight_v[2], *bias_v[2];
  for (size_t i = 0; i < 2; i++) {
    weight[i] = new_float(TENSOR_WEIGHT, in, out, start);
    bias[i] = new_float(TENSOR_WEIGHT, 1, out, start);
    weight_v[i] = new_float(TENSOR_STATE, in, out, start);
    bias_v[i] = new_float(TENSOR_STATE, 1, out, start);
  }
  free(start);
  ck_ok(device->op->sgd(device, &update, g, weight[0], weight_v[0], NULL, 0, &test_error));
  ck_ok(device->op->sgd(device, &update, g_bias, bias[0], bias_v[0], NULL, 0, &test_error));
  call.update = &update;
  call.weight = weight[1];
  call.bias = bias[1];
  call.weight_velocity = weight_v[1];
  call.bias_velocity = bias_v[1];
  call.flag = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, 1, &unset);
  call.step = 8;
  ck_ok(device->op->dense_backward_weight(device, &call, &test_error));
  same_tensors(weight[1], weight[0], "weight");
  same_tensors(bias[1], bias[0], "bias");
  same_tensors(weight_v[1], weight_v[0], "weight velocity");
  same_tensors(bias_v[1], bias_v[0], "bias velocity");
  ck_assert_uint_eq(read_flag(call.flag), UINT32_MAX);

  float huge[17] = {[5] = INFINITY};
  ck_ok(device->op->tensor_write(device, call.bias, 0, 1, huge, &test_error));
  ck_ok(device->op->dense_backward_weight(device, &call, &test_error));
  ck_assert_uint_eq(read_flag(call.flag), 8);
}
END_TEST

/* ---- A whole network ------------------------------------------------------------------------------------------- */

enum { NET_LAYERS = 3, NET_ROWS = 7 };
static const size_t net_widths[] = {5, 17, 4, 3};
static const int32_t net_labels[NET_ROWS] = {0, 1, 2, 2, 1, 0, 1};

typedef struct small_network {
  tensor *x, *weight[NET_LAYERS], *bias[NET_LAYERS], *y[NET_LAYERS], *d_y[NET_LAYERS];
  tensor *d_weight[NET_LAYERS], *d_bias[NET_LAYERS], *losses, *predictions;
  dropout mask[NET_LAYERS];
  oracle_network *oracle;
  double *oracle_x;
} small_network;

static void copy_to_oracle(const tensor *t, double *target) {
  double *values = read_doubles(t);
  memcpy(target, values, t->rows * t->cols * sizeof *target);
  free(values);
}

static small_network new_small_network(void) {
  small_network net = {.oracle = oracle_create(NET_LAYERS, net_widths, NET_ROWS)};
  net.x = new_random(TENSOR_ACTIVATION, NET_ROWS, net_widths[0], 1.0f);
  net.oracle_x = read_doubles(net.x);
  net.losses = new_float(TENSOR_PLAIN, 1, NET_ROWS, NULL);
  net.predictions = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, NET_ROWS, NULL);
  for (size_t l = 0; l < NET_LAYERS; l++) {
    size_t in = net_widths[l], out = net_widths[l + 1];
    net.weight[l] = new_random(TENSOR_WEIGHT, in, out, 1.0f);
    net.bias[l] = new_random(TENSOR_WEIGHT, 1, out, 0.5f);
    net.y[l] = new_float(TENSOR_ACTIVATION, NET_ROWS, out, NULL);
    net.d_y[l] = new_float(TENSOR_GRADIENT, NET_ROWS, out, NULL);
    net.d_weight[l] = new_float(TENSOR_GRADIENT, in, out, NULL);
    net.d_bias[l] = new_float(TENSOR_GRADIENT, 1, out, NULL);
    net.mask[l] = (dropout){.threshold = 0x40000000u, .scale = 0x1.555556p0f, .seed = 5, .layer = (uint32_t)l};
    copy_to_oracle(net.weight[l], net.oracle->weight[l]);
    copy_to_oracle(net.bias[l], net.oracle->bias[l]);
    for (size_t i = 0; i < NET_ROWS * out; i++)
      net.oracle->keep[l][i] = kept(&net.mask[l], i / out, i % out, out) ? (double)net.mask[l].scale : 0;
  }
  return net;
}

static void run_small_network(small_network *net) {
  for (size_t l = 0; l < NET_LAYERS; l++) {
    bool hidden = l + 1 < NET_LAYERS;
    dense_forward call = {.rows = NET_ROWS,
                          .x = l == 0 ? net->x : net->y[l - 1],
                          .weight = net->weight[l],
                          .bias = net->bias[l],
                          .relu = hidden,
                          .dropout = hidden ? &net->mask[l] : NULL,
                          .y = net->y[l]};
    ck_ok(device->op->dense_forward(device, &call, &test_error));
  }
  cross_entropy loss = {.rows = NET_ROWS,
                        .logits = net->y[NET_LAYERS - 1],
                        .labels = new_tensor(TENSOR_PLAIN, TENSOR_INT32, 1, NET_ROWS, net_labels),
                        .scale = 1.0f / NET_ROWS,
                        .losses = net->losses,
                        .predictions = net->predictions,
                        .d_logits = net->d_y[NET_LAYERS - 1]};
  ck_ok(device->op->cross_entropy(device, &loss, &test_error));
  for (size_t l = NET_LAYERS; l-- > 0;) {
    dense_backward_weight weight = {.rows = NET_ROWS,
                                    .x = l == 0 ? net->x : net->y[l - 1],
                                    .d_y = net->d_y[l],
                                    .d_weight = net->d_weight[l],
                                    .d_bias = net->d_bias[l]};
    ck_ok(device->op->dense_backward_weight(device, &weight, &test_error));
    if (l == 0) break;
    dense_backward_input input = {.rows = NET_ROWS,
                                  .d_y = net->d_y[l],
                                  .weight = net->weight[l],
                                  .y = net->y[l - 1],
                                  .scale = net->mask[l - 1].scale,
                                  .d_x = net->d_y[l - 1]};
    ck_ok(device->op->dense_backward_input(device, &input, &test_error));
  }
}

/* (loss(p + h) - loss(p - h)) / 2h of the mean loss, for each of `count` parameters. */
static void check_differences(small_network *net, double *parameters, const tensor *gradient, const char *what) {
  static const double h = 1e-6;
  size_t count = gradient->rows * gradient->cols;
  double *slopes = malloc(count * sizeof *slopes);
  for (size_t i = 0; i < count; i++) {
    double kept_value = parameters[i];
    parameters[i] = kept_value + h;
    double above = oracle_losses(net->oracle, net->oracle_x, net_labels, NULL);
    parameters[i] = kept_value - h;
    double below = oracle_losses(net->oracle, net->oracle_x, net_labels, NULL);
    parameters[i] = kept_value;
    slopes[i] = (above - below) / (2 * h * NET_ROWS);
  }
  close_tensor(gradient, slopes, 2e-6, what);
  free(slopes);
}

START_TEST(gradients_of_a_network) {
  small_network net = new_small_network();
  run_small_network(&net);
  double losses[NET_ROWS];
  oracle_losses(net.oracle, net.oracle_x, net_labels, losses);
  close_tensor(net.losses, losses, 2e-6, "losses");
  oracle_gradients(net.oracle, net.oracle_x, net_labels, 1.0 / NET_ROWS);
  for (size_t l = 0; l < NET_LAYERS; l++) {
    close_tensor(net.y[l], net.oracle->y[l], 2e-6, "outputs");
    close_tensor(net.d_weight[l], net.oracle->d_weight[l], 1e-6, "weight gradient");
    close_tensor(net.d_bias[l], net.oracle->d_bias[l], 1e-6, "bias gradient");
    float *gradient = read_floats(net.d_weight[l]);
    ck_alive(gradient, net_widths[l] * net_widths[l + 1], "weight gradient");
    free(gradient);
  }
  for (size_t l = 0; l < NET_LAYERS; l++) {
    check_differences(&net, net.oracle->weight[l], net.d_weight[l], "finite differences, weight");
    check_differences(&net, net.oracle->bias[l], net.d_bias[l], "finite differences, bias");
  }
  oracle_destroy(net.oracle);
  free(net.oracle_x);
}
END_TEST

/* ---- The environment ------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <xmmintrin.h>
static void flush_subnormals(void) {
  _mm_setcsr(_mm_getcsr() | 0x8040);
}
static bool flushes_subnormals(void) {
  return (_mm_getcsr() & 0x8040) == 0x8040;
}
#else
static void flush_subnormals(void) {}
static bool flushes_subnormals(void) {
  return true;
}
#endif

START_TEST(a_hostile_environment) {
  size_t rows = 33, in = 300, out = 17;
  tensor *x = new_random(TENSOR_ACTIVATION, rows, in, 1.0f), *w = new_random(TENSOR_WEIGHT, in, out, 1.0f);
  tensor *calm = new_float(TENSOR_ACTIVATION, rows, out, NULL),
         *hostile = new_float(TENSOR_ACTIVATION, rows, out, NULL);
  ck_ok(device->op->matmul(device, MLP_CL_A_B, x, w, calm, &test_error));
  fenv_t saved;
  fegetenv(&saved);
  fesetround(FE_UPWARD);
  flush_subnormals();
  mlp_cl_status status = device->op->matmul(device, MLP_CL_A_B, x, w, hostile, &test_error);
  bool kept_rounding = fegetround() == FE_UPWARD, kept_flushing = flushes_subnormals();
  fesetenv(&saved);
  ck_ok(status);
  ck_assert_msg(kept_rounding && kept_flushing, "the caller's floating-point environment was changed");
  same_tensors(hostile, calm, "rounding upward, subnormals flushed");
}
END_TEST

START_TEST(device_and_shapes) {
  ck_assert_int_eq(device->device.index, -1);
  ck_assert_str_eq(device->device.name, "reference");
  ck_assert_str_eq(device->device.driver, mlp_cl_version());
  tensor *t = NULL;
  ck_fails(device->op->tensor_create(device, TENSOR_WEIGHT, TENSOR_FLOAT32, SIZE_MAX / 2, 3, &t, &test_error),
           MLP_CL_BAD_SHAPE, "larger than memory");
  ck_fails(device->op->tensor_create(device, TENSOR_WEIGHT, TENSOR_FLOAT32, SIZE_MAX / 4, 2, &t, &test_error),
           MLP_CL_BAD_SHAPE, "larger than memory");
  ck_assert_ptr_null(t);
  device->op->tensor_destroy(device, NULL);
  ck_ok(device->op->finish(device, &test_error));
  ck_ok(device->op->pace(device, &test_error));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("reference");
  TCase *cases = tcase_create("reference");
  tcase_set_timeout(cases, 120);
  tcase_add_checked_fixture(cases, open_device, close_device);
  tcase_add_loop_test(cases, products, MLP_CL_A_B, MLP_CL_AT_B + 1);
  tcase_add_test(cases, order_matters);
  tcase_add_test(cases, writes_are_canonical);
  tcase_add_test(cases, bias_and_relu);
  tcase_add_test(cases, dropout_masks);
  tcase_add_test(cases, gathers);
  tcase_add_test(cases, losses_and_probabilities);
  tcase_add_test(cases, row_sum_order);
  tcase_add_test(cases, ties_take_the_first);
  tcase_add_test(cases, logits_that_are_not_finite);
  tcase_add_loop_test(cases, sgd_variants, 0, 6);
  tcase_add_test(cases, forward_is_its_parts);
  tcase_add_test(cases, backward_is_its_parts);
  tcase_add_test(cases, weight_gradient_is_its_parts);
  tcase_add_test(cases, gradients_of_a_network);
  tcase_add_test(cases, a_hostile_environment);
  tcase_add_test(cases, device_and_shapes);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
