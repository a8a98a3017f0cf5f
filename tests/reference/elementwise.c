/* What is done to each element alone: canonical stores, bias, ReLU, dropout, gathering. */
#include <math.h>
#include <stdlib.h>

#include "exact_math.h"
#include "tools.h"

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

void add_elementwise(TCase *cases) {
  tcase_add_test(cases, writes_are_canonical);
  tcase_add_test(cases, bias_and_relu);
  tcase_add_test(cases, dropout_masks);
  tcase_add_test(cases, gathers);
}
