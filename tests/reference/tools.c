#include <stdlib.h>

#include "philox.h"
#include "tools.h"

backend *device;
test_random noise;

enum { MOST_TENSORS = 64 };
static tensor *made[MOST_TENSORS];
static size_t made_count;

void open_device(void) {
  noise = (test_random){.state = 7};
  made_count = 0;
  ck_ok(reference_open(&device, &test_error));
}

void destroy_newest(size_t count) {
  for (; count > 0 && made_count > 0; count--) device->op->tensor_destroy(device, made[--made_count]);
}

void close_device(void) {
  destroy_newest(made_count);
  device->op->close(device);
}

tensor *new_tensor(tensor_role role, tensor_element element, size_t rows, size_t cols, const void *values) {
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

tensor *new_float(tensor_role role, size_t rows, size_t cols, const float *values) {
  return new_tensor(role, TENSOR_FLOAT32, rows, cols, values);
}

tensor *new_random(tensor_role role, size_t rows, size_t cols, float limit) {
  float *values = test_floats(rows * cols);
  test_random_fill(&noise, values, rows * cols, limit);
  tensor *t = new_float(role, rows, cols, values);
  free(values);
  return t;
}

float *read_floats(const tensor *t) {
  float *values = test_floats(t->rows * t->cols);
  ck_ok(device->op->tensor_read(device, t, 0, t->rows, values, &test_error));
  return values;
}

double *read_doubles(const tensor *t) {
  float *values = read_floats(t);
  double *converted = malloc(t->rows * t->cols * sizeof *converted);
  ck_assert(converted != NULL);
  oracle_from_floats(values, t->rows * t->cols, converted);
  free(values);
  return converted;
}

void same_tensors(const tensor *got, const tensor *wanted, const char *what) {
  float *a = read_floats(got), *b = read_floats(wanted);
  ck_same_bits(a, b, got->rows * got->cols, what);
  free(a);
  free(b);
}

void close_tensor(const tensor *got, const double *wanted, double tolerance, const char *what) {
  float *values = read_floats(got);
  ck_close(values, wanted, got->rows * got->cols, tolerance, what);
  free(values);
}

uint32_t read_flag(const tensor *flag) {
  uint32_t value;
  ck_ok(device->op->tensor_read(device, flag, 0, 1, &value, &test_error));
  return value;
}

bool kept(const dropout *mask, size_t row, size_t col, size_t cols) {
  uint64_t index = (mask->first_row + row) * ((cols + 3) / 4) + col / 4;
  uint32_t words[4] = {(uint32_t)index, (uint32_t)(index >> 32), mask->step, mask->layer};
  philox4x32_10(words, (uint32_t)mask->seed, (uint32_t)(mask->seed >> 32));
  return words[col % 4] >= mask->threshold;
}

const dropout some_mask = {.threshold = 0x66666666u,
                           .scale = 0x1.aaaaaap0f,
                           .seed = 0x123456789abcdef0u,
                           .step = 3,
                           .layer = 2,
                           .first_row = 0xfffffffffu};
