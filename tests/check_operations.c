/* The single operations: bits of the device against the reference over edge shapes, known values, and bad arguments. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static mlp_cl_context *device, *reference;

/* Once in a process, since kernels take seconds to build; in the test itself, for the sake of Check's forks. */
static void open_both(void) {
  if (device != NULL) return;
  device = test_open_device();
  reference = test_open_reference();
}

static void close_both(void) {
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
}

typedef struct shape {
  size_t m, n, k;
} shape;

/* The last ones are left out on slow devices. */
static const shape shapes[] = {{1, 1, 1},     {1, 17, 16},   {15, 16, 17},   {16, 1, 33},  {31, 33, 2},
                               {64, 17, 64},  {33, 10, 5},   {1, 70, 19},    {255, 7, 31}, {3, 257, 9},
                               {17, 33, 256}, {5, 255, 257}, {300, 10, 300}, {1, 270, 850}};
#define LARGE_FROM 8

static size_t shapes_count(void) {
  return test_small() ? LARGE_FROM : sizeof shapes / sizeof *shapes;
}

/* Two outputs, of the device and of the reference, canaries at first. */
typedef struct pair {
  float *got, *wanted;
  size_t count;
} pair;

static pair make_pair(size_t count) {
  return (pair){test_floats(count), test_floats(count), count};
}

static void compare_pair(pair p, const char *what) {
  for (size_t i = 0; i < p.count; i++) ck_assert_msg(isfinite(p.wanted[i]), "%s: element %zu was not written", what, i);
  ck_same_bits(p.got, p.wanted, p.count, what);
  free(p.got);
  free(p.wanted);
}

static float *random_floats(size_t count, float limit) {
  test_random r = {.state = count * 31 + 7};
  float *values = test_floats(count);
  test_random_fill(&r, values, count, limit);
  return values;
}

#define ON_BOTH(call_device, call_reference) \
  do {                                       \
    ck_ok(call_device);                      \
    ck_ok(call_reference);                   \
  } while (0)

START_TEST(matmul_bits) {
  static const mlp_cl_product products[] = {MLP_CL_A_B, MLP_CL_A_BT, MLP_CL_AT_B};
  for (size_t s = 0; s < shapes_count(); s++)
    for (size_t p = 0; p < 3; p++) {
      size_t m = shapes[s].m, n = shapes[s].n, k = shapes[s].k;
      float *a = random_floats(m * k, 2.0f), *b = random_floats(k * n, 1.0f);
      pair c = make_pair(m * n);
      ON_BOTH(mlp_cl_matmul(device, products[p], m, n, k, a, b, c.got, &test_error),
              mlp_cl_matmul(reference, products[p], m, n, k, a, b, c.wanted, &test_error));
      compare_pair(c, "matmul");
      free(a);
      free(b);
    }
}
END_TEST

START_TEST(matmul_orientations_agree_with_double) {
  enum { M = 3, N = 5, K = 7 };
  float a[M * K], b[K * N], at[K * M], bt[N * K], c[M * N];
  double wanted[M * N] = {0};
  for (int i = 0; i < M * K; i++) a[i] = (float)(i % 11) - 4.0f;
  for (int i = 0; i < K * N; i++) b[i] = (float)(i % 7) * 0.25f - 1.0f;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < K; k++) {
        wanted[i * N + j] += (double)a[i * K + k] * (double)b[k * N + j];
        at[k * M + i] = a[i * K + k];
        bt[j * K + k] = b[k * N + j];
      }
  ck_ok(mlp_cl_matmul(device, MLP_CL_A_B, M, N, K, a, b, c, &test_error));
  ck_close(c, wanted, M * N, 0.0, "A·B");
  test_canary_fill(c, M * N);
  ck_ok(mlp_cl_matmul(device, MLP_CL_A_BT, M, N, K, a, bt, c, &test_error));
  ck_close(c, wanted, M * N, 0.0, "A·Bᵀ");
  test_canary_fill(c, M * N);
  ck_ok(mlp_cl_matmul(device, MLP_CL_AT_B, M, N, K, at, b, c, &test_error));
  ck_close(c, wanted, M * N, 0.0, "Aᵀ·B");
}
END_TEST

START_TEST(elementwise_bits) {
  for (size_t s = 0; s < shapes_count(); s++) {
    size_t rows = shapes[s].m, cols = shapes[s].n, count = rows * cols;
    float *x = random_floats(count, 1.0f), *d = random_floats(count + 1, 1.0f), *b = random_floats(cols, 1.0f);
    pair y = make_pair(count);
    ON_BOTH(mlp_cl_bias(device, rows, cols, x, b, y.got, &test_error),
            mlp_cl_bias(reference, rows, cols, x, b, y.wanted, &test_error));
    compare_pair(y, "bias");
    y = make_pair(count);
    ON_BOTH(mlp_cl_relu(device, rows, cols, x, y.got, &test_error),
            mlp_cl_relu(reference, rows, cols, x, y.wanted, &test_error));
    compare_pair(y, "relu");
    y = make_pair(count);
    ON_BOTH(mlp_cl_relu_backward(device, rows, cols, x, d, y.got, &test_error),
            mlp_cl_relu_backward(reference, rows, cols, x, d, y.wanted, &test_error));
    compare_pair(y, "relu backward");
    free(x);
    free(d);
    free(b);
  }
}
END_TEST

START_TEST(relu_and_its_derivative) {
  const float x[] = {-2.0f, -0.0f, 0.0f, 0x1p-30f, 0x1p-31f, 3.0f}, d_y[] = {1, 2, 3, 4, 5, 6};
  const float y_wanted[] = {0, 0, 0, 0x1p-30f, 0, 3.0f}, d_wanted[] = {0, 0, 0, 4, 0, 6};
  float y[6], d_x[6];
  test_canary_fill(y, 6);
  test_canary_fill(d_x, 6);
  ck_ok(mlp_cl_relu(device, 2, 3, x, y, &test_error));
  ck_same_bits(y, y_wanted, 6, "relu");
  ck_ok(mlp_cl_relu_backward(device, 2, 3, y, d_y, d_x, &test_error));
  ck_same_bits(d_x, d_wanted, 6, "relu backward");
}
END_TEST

START_TEST(softmax_and_cross_entropy_bits) {
  for (size_t s = 0; s < shapes_count(); s++) {
    size_t rows = shapes[s].m, cols = shapes[s].n, count = rows * cols;
    float *logits = random_floats(count, 10.0f);
    int32_t *labels = calloc(rows, sizeof *labels), *predicted = calloc(2 * rows, sizeof *predicted);
    ck_assert(labels != NULL && predicted != NULL);
    for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)((i * 7) % cols);
    memset(predicted, 0xee, rows * sizeof *predicted);
    pair p = make_pair(count), losses = make_pair(rows), d = make_pair(count);
    ON_BOTH(mlp_cl_softmax(device, rows, cols, logits, p.got, &test_error),
            mlp_cl_softmax(reference, rows, cols, logits, p.wanted, &test_error));
    compare_pair(p, "softmax");
    ON_BOTH(mlp_cl_cross_entropy(device, rows, cols, logits, labels, MLP_CL_MEAN, losses.got, predicted, d.got,
                                 &test_error),
            mlp_cl_cross_entropy(reference, rows, cols, logits, labels, MLP_CL_MEAN, losses.wanted, predicted + rows,
                                 d.wanted, &test_error));
    compare_pair(losses, "losses");
    compare_pair(d, "gradient of the logits");
    ck_assert_mem_eq(predicted, predicted + rows, rows * sizeof *predicted);
    free(logits);
    free(labels);
    free(predicted);
  }
}
END_TEST

START_TEST(cross_entropy_of_known_logits) {
  const float logits[] = {1, 1, 0, 2, 2, 2}; /* ties: the lowest index */
  const int32_t labels[] = {1, 2};
  float losses[2], d[6];
  int32_t predictions[2] = {-7, -7};
  test_canary_fill(losses, 2);
  test_canary_fill(d, 6);
  ck_ok(mlp_cl_cross_entropy(device, 2, 3, logits, labels, MLP_CL_SUM, losses, predictions, d, &test_error));
  double e = exp(-1.0), p = 1 / (2 + e), third = 1.0 / 3;
  const double losses_wanted[] = {log(2 + e), log(3.0)};
  const double d_wanted[] = {p, p - 1, e * p, third, third, third - 1};
  ck_close(losses, losses_wanted, 2, 1e-6, "losses");
  ck_close(d, d_wanted, 6, 1e-6, "gradient");
  ck_assert_int_eq(predictions[0], 0);
  ck_assert_int_eq(predictions[1], 0);
  ck_ok(mlp_cl_cross_entropy(device, 2, 3, logits, labels, MLP_CL_MEAN, NULL, NULL, d, &test_error));
  for (size_t i = 0; i < 6; i++) ck_assert_double_eq_tol((double)d[i], d_wanted[i] / 2, 1e-6);
}
END_TEST

START_TEST(dropout_bits) {
  const mlp_cl_mask masks[] = {
      {.rate = 0.4f, .seed = 1},
      {.rate = 0.0f, .seed = 2},
      {.rate = 0x1.fffffep-1f, .seed = 2},
      {.rate = 0.5f, .unscaled = true, .seed = 3, .step = 9, .layer = 1},
      {.rate = 0.25f, .seed = UINT64_MAX, .step = UINT32_MAX, .layer = (1u << 24) - 1, .first_row = (uint64_t)1 << 40}};
  for (size_t s = 0; s < shapes_count(); s++)
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
      size_t rows = shapes[s].m, cols = shapes[s].n, count = rows * cols;
      float *x = random_floats(count, 1.0f);
      pair y = make_pair(count);
      ON_BOTH(mlp_cl_dropout(device, rows, cols, &masks[i], x, y.got, &test_error),
              mlp_cl_dropout(reference, rows, cols, &masks[i], x, y.wanted, &test_error));
      compare_pair(y, "dropout");
      y = make_pair(count);
      ON_BOTH(mlp_cl_dropout_backward(device, rows, cols, &masks[i], x, y.got, &test_error),
              mlp_cl_dropout_backward(reference, rows, cols, &masks[i], x, y.wanted, &test_error));
      compare_pair(y, "dropout backward");
      free(x);
    }
}
END_TEST

START_TEST(dropout_masks) {
  enum { ROWS = 60, COLS = 17, COUNT = ROWS * COLS };
  float ones[COUNT], whole[COUNT], parts[COUNT], back[COUNT], other[COUNT];
  for (size_t i = 0; i < COUNT; i++) ones[i] = 1.0f;
  test_canary_fill(parts, COUNT);
  mlp_cl_mask mask = {.rate = 0.4f, .seed = 5, .step = 2, .layer = 3};
  ck_ok(mlp_cl_dropout(device, ROWS, COLS, &mask, ones, whole, &test_error));
  ck_ok(mlp_cl_dropout_backward(device, ROWS, COLS, &mask, ones, back, &test_error));
  ck_same_bits(back, whole, COUNT, "mask of the backward pass");
  mask.first_row = 23; /* a batch in two parts has the mask of the whole */
  ck_ok(mlp_cl_dropout(device, ROWS - 23, COLS, &mask, ones, parts + 23 * COLS, &test_error));
  ck_same_bits(parts + 23 * COLS, whole + 23 * COLS, COUNT - 23 * COLS, "mask of a part");
  size_t kept = 0;
  for (size_t i = 0; i < COUNT; i++) {
    ck_assert(whole[i] == 0.0f || fabsf(whole[i] - 1.0f / 0.6f) < 1e-6f);
    kept += whole[i] != 0.0f;
  }
  ck_assert_double_eq_tol((double)kept / COUNT, 0.6, 4 * sqrt(0.24 / COUNT));
  for (int field = 0; field < 3; field++) {
    mlp_cl_mask changed = {
        .rate = 0.4f, .seed = 5u + (field == 0), .step = 2u + (field == 1), .layer = 3u + (field == 2)};
    ck_ok(mlp_cl_dropout(device, ROWS, COLS, &changed, ones, other, &test_error));
    ck_assert_mem_ne(other, whole, sizeof whole);
  }
}
END_TEST

START_TEST(sgd_bits) {
  const mlp_cl_recipe recipes[] = {
      {.learning_rate = 0.1f},
      {.learning_rate = 0.1f, .weight_decay = 0.01f},
      {.learning_rate = 0.1f, .momentum = 0.9f},
      {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .nesterov = true},
  };
  for (size_t s = 0; s < shapes_count(); s++)
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
      size_t rows = shapes[s].m, cols = shapes[s].n, count = rows * cols;
      float *g = random_floats(count, 1.0f);
      pair w = make_pair(count), v = make_pair(count);
      for (size_t j = 0; j < count; j++) w.got[j] = w.wanted[j] = v.got[j] = v.wanted[j] = (float)(j % 13) * 0.1f;
      for (int step = 0; step < 2; step++)
        ON_BOTH(mlp_cl_sgd(device, rows, cols, &recipes[i], g, w.got, v.got, &test_error),
                mlp_cl_sgd(reference, rows, cols, &recipes[i], g, w.wanted, v.wanted, &test_error));
      compare_pair(w, "weights");
      compare_pair(v, "velocities");
      free(g);
    }
}
END_TEST

START_TEST(sgd_by_hand) {
  const mlp_cl_recipe recipe = {.learning_rate = 0.5f, .momentum = 0.5f, .weight_decay = 0.25f, .nesterov = true};
  float g = 1.0f, w = 2.0f, v = 4.0f;
  ck_ok(mlp_cl_sgd(device, 1, 1, &recipe, &g, &w, &v, &test_error));
  ck_assert_float_eq(v, 3.5f); /* 0.5 · 4 + (1 + 0.25 · 2) */
  ck_assert_float_eq(w, 2.0f - 0.5f * (1.5f + 0.5f * 3.5f));
}
END_TEST

/* What falls below a floor on the way is 0: 2^-31 as a weight, -2^-51 as a velocity and as a gradient with decay. */
START_TEST(sgd_stores_are_canonical) {
  const mlp_cl_recipe plain = {.learning_rate = 0.5f}, momentum = {.learning_rate = 1.0f, .momentum = 0.5f};
  const mlp_cl_recipe decay = {.learning_rate = 1.0f, .weight_decay = 0x1p-20f};
  float g = 0x1.8p-29f, w = 0x1p-29f, v = 0x1p-49f;
  ck_ok(mlp_cl_sgd(device, 1, 1, &plain, &g, &w, NULL, &test_error));
  ck_assert_float_eq(w, 0.0f);
  g = -0x1.8p-50f;
  w = 0x1p-30f;
  ck_ok(mlp_cl_sgd(device, 1, 1, &momentum, &g, &w, &v, &test_error));
  ck_assert_float_eq(v, 0.0f);
  ck_assert_float_eq(w, 0x1p-30f);
  ck_ok(mlp_cl_sgd(device, 1, 1, &decay, &g, &w, NULL, &test_error));
  ck_assert_float_eq(w, 0x1p-30f);
}
END_TEST

START_TEST(gather_of_each_type) {
  const uint8_t u8[] = {0, 1, 255, 128, 7, 9};
  const int8_t i8[] = {0, 1, -128, 127, 7, -9};
  const int16_t i16[] = {0, 1, -32768, 32767, 7, -9};
  const float f32[] = {0, 1, -0.5f, 0x1p-31f, 7, -0.0f};
  const uint32_t order[] = {2, 0, 2, 1};
  const struct {
    const void *source;
    mlp_cl_element element;
    float rows[3][2];
  } cases[] = {{u8, MLP_CL_UINT8, {{0, 1}, {255, 128}, {7, 9}}},
               {i8, MLP_CL_INT8, {{0, 1}, {-128, 127}, {7, -9}}},
               {i16, MLP_CL_INT16, {{0, 1}, {-32768, 32767}, {7, -9}}},
               {f32, MLP_CL_FLOAT32, {{0, 1}, {-0.5f, 0}, {7, 0}}}};
  for (size_t i = 0; i < 4; i++) {
    float y[8], wanted[8];
    test_canary_fill(y, 8);
    ck_ok(mlp_cl_gather(device, cases[i].source, cases[i].element, 3, 2, 0.1f, order, 4, y, &test_error));
    for (size_t j = 0; j < 8; j++) wanted[j] = cases[i].rows[order[j / 2]][j % 2] * 0.1f;
    ck_same_bits(y, wanted, 8, "gather");
    test_canary_fill(y, 8);
    ck_ok(mlp_cl_gather(device, cases[i].source, cases[i].element, 3, 2, 1.0f, NULL, 3, y, &test_error));
    ck_same_bits(y, &cases[i].rows[0][0], 6, "gather in file order");
  }
}
END_TEST

/* An integer times a small or a negative scale: below 2^-30 it is 0, and 0 has no sign. In rows of two pieces. */
START_TEST(gather_of_scaled_integers) {
  enum { ROWS = 3, WIDTH = 300, COUNT = ROWS * WIDTH };
  static const float scales[] = {0x1p-31f, 0x1p-30f, -0x1p-31f, -1.0f, 0x1p-90f};
  static int8_t i8[COUNT];
  static int16_t i16[COUNT];
  static uint8_t u8[COUNT];
  const void *sources[] = {u8, i8, i16};
  const mlp_cl_element elements[] = {MLP_CL_UINT8, MLP_CL_INT8, MLP_CL_INT16};
  for (int i = 0; i < COUNT; i++) i8[i] = (int8_t)(i % 7 - 3), i16[i] = i8[i], u8[i] = (uint8_t)(i % 4);
  for (size_t e = 0; e < 3; e++)
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
      float y[COUNT], wanted[COUNT];
      for (int i = 0; i < COUNT; i++) {
        float scaled = scales[s] * (float)(e == 0 ? u8[i] : i8[i]);
        wanted[i] = fabsf(scaled) < 0x1p-30f ? 0.0f : scaled;
      }
      test_canary_fill(y, COUNT);
      ck_ok(mlp_cl_gather(device, sources[e], elements[e], ROWS, WIDTH, scales[s], NULL, ROWS, y, &test_error));
      ck_same_bits(y, wanted, COUNT, "gather of scaled integers");
    }
}
END_TEST

START_TEST(refuses_bad_arguments) {
  float a[4] = {0}, b[4] = {0}, c[4] = {0};
  const int32_t label = 2;
  const uint32_t order = 3;
  mlp_cl_mask mask = {.rate = 1.0f};
  mlp_cl_recipe recipe = {.learning_rate = NAN};
  ck_fails(mlp_cl_matmul(device, MLP_CL_A_B, 0, 1, 1, a, b, c, &test_error), MLP_CL_BAD_ARGUMENT, "at least 1");
  ck_fails(mlp_cl_matmul(device, MLP_CL_A_B, 1, 1, 1, a, NULL, c, &test_error), MLP_CL_BAD_ARGUMENT, "NULL");
  ck_fails(mlp_cl_matmul(device, MLP_CL_A_B, 1, SIZE_MAX / 2, 2, a, b, c, &test_error), MLP_CL_BAD_SHAPE, "hold");
  ck_fails(mlp_cl_matmul(device, (mlp_cl_product)9, 1, 1, 1, a, b, c, &test_error), MLP_CL_BAD_ARGUMENT, "9");
  ck_fails(mlp_cl_cross_entropy(device, 1, 2, a, &label, MLP_CL_SUM, c, NULL, NULL, &test_error), MLP_CL_BAD_ARGUMENT,
           "label of row 0 is 2");
  ck_fails(mlp_cl_dropout(device, 1, 1, &mask, a, c, &test_error), MLP_CL_BAD_ARGUMENT, "below 1");
  mask = (mlp_cl_mask){.layer = 1u << 24};
  ck_fails(mlp_cl_dropout(device, 1, 1, &mask, a, c, &test_error), MLP_CL_BAD_ARGUMENT, "2^24");
  ck_fails(mlp_cl_sgd(device, 1, 1, &recipe, a, b, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "learning_rate is nan");
  recipe = (mlp_cl_recipe){.momentum = 0.9f};
  ck_fails(mlp_cl_sgd(device, 1, 1, &recipe, a, b, NULL, &test_error), MLP_CL_BAD_ARGUMENT, "velocity");
  ck_fails(mlp_cl_gather(device, a, MLP_CL_UINT8, 3, 1, 1, &order, 1, c, &test_error), MLP_CL_BAD_ARGUMENT,
           "order[0] is 3");
  ck_fails(mlp_cl_gather(device, a, MLP_CL_UINT8, 3, 1, 1, NULL, 4, c, &test_error), MLP_CL_BAD_ARGUMENT,
           "source has 3");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("operations");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_both, NULL);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, matmul_bits);
  tcase_add_test(tests, matmul_orientations_agree_with_double);
  tcase_add_test(tests, elementwise_bits);
  tcase_add_test(tests, relu_and_its_derivative);
  tcase_add_test(tests, softmax_and_cross_entropy_bits);
  tcase_add_test(tests, cross_entropy_of_known_logits);
  tcase_add_test(tests, dropout_bits);
  tcase_add_test(tests, dropout_masks);
  tcase_add_test(tests, sgd_bits);
  tcase_add_test(tests, sgd_by_hand);
  tcase_add_test(tests, sgd_stores_are_canonical);
  tcase_add_test(tests, gather_of_each_type);
  tcase_add_test(tests, gather_of_scaled_integers);
  tcase_add_test(tests, refuses_bad_arguments);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  close_both();
  return result;
}
