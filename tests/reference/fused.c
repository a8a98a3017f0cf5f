/* Fused operations against unfused ones. */
#include <math.h>
#include <stdlib.h>

#include "exact_math.h"
#include "tools.h"

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
      destroy_newest(SIZE_MAX);
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
  ck_ok(device->op->dense_backward_weight(device, &call, 1, &test_error));
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
  ck_ok(device->op->dense_backward_weight(device, &call, 1, &test_error));
  same_tensors(weight[1], weight[0], "weight");
  same_tensors(bias[1], bias[0], "bias");
  same_tensors(weight_v[1], weight_v[0], "weight velocity");
  same_tensors(bias_v[1], bias_v[0], "bias velocity");
  ck_assert_uint_eq(read_flag(call.flag), UINT32_MAX);

  float huge[17] = {[5] = INFINITY};
  ck_ok(device->op->tensor_write(device, call.bias, 0, 1, huge, &test_error));
  ck_ok(device->op->dense_backward_weight(device, &call, 1, &test_error));
  ck_assert_uint_eq(read_flag(call.flag), 8);
}
END_TEST

void add_fused(TCase *cases) {
  tcase_add_test(cases, forward_is_its_parts);
  tcase_add_test(cases, backward_is_its_parts);
  tcase_add_test(cases, weight_gradient_is_its_parts);
}
