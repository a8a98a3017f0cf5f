/* The safetensors format: the same bytes for the same content, every element type, every lie. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model_file/safetensors.h"
#include "test.h"

/* Writes a file of a JSON header, as it is, and `count` bytes of data. */
static void write_file(const char *name, const char *header, const void *data, size_t count) {
  size_t length = strlen(header);
  unsigned char *bytes = calloc(8 + length + count + 1, 1);
  for (size_t b = 0; b < 8; b++) bytes[b] = (unsigned char)((uint64_t)length >> 8 * b);
  memcpy(bytes + 8, header, length);
  if (count > 0) memcpy(bytes + 8 + length, data, count);
  test_file_write(test_path(name), bytes, 8 + length + count);
  free(bytes);
}

static mlp_cl_status read_named(const char *name, safetensors *content) {
  return safetensors_read(test_path(name), content, &test_error);
}

static void expect_read_fails(const char *name, mlp_cl_status status, const char *part) {
  safetensors content;
  memset(&content, 0x5a, sizeof content);
  ck_fails(read_named(name, &content), status, part);
  ck_assert_ptr_null(content.tensors);
  ck_assert_ptr_null(content.metadata);
}

static void add_tensor(safetensors *content, const char *name, size_t rows, size_t cols, const float *values) {
  safetensors_tensor *tensor;
  ck_ok(safetensors_add(content, name, (size_t[]){rows, cols}, 2, &tensor, &test_error));
  if (tensor->count > 0) memcpy(tensor->values, values, tensor->count * sizeof *values);
}

static void write_sample(const char *name) {
  safetensors content = {0};
  ck_ok(safetensors_add_metadata(&content, "key", "value \"quoted\" \xc3\xa9", &test_error));
  ck_ok(safetensors_add_metadata(&content, "another", "", &test_error));
  add_tensor(&content, "b", 2, 3, (float[]){1, -2, 3.5f, 0x1p-149f, 0x1.fffffep127f, 0});
  add_tensor(&content, "a", 1, 1, (float[]){0.1f});
  ck_ok(safetensors_write(test_path(name), &content, &test_error));
  safetensors_destroy(&content);
}

START_TEST(round_trip_keeps_everything) {
  write_sample("file");
  safetensors content;
  ck_ok(read_named("file", &content));
  ck_assert_uint_eq(content.tensors_count, 2);
  ck_assert_str_eq(content.tensors[0].name, "b");
  ck_assert_uint_eq(content.tensors[0].rank, 2);
  ck_assert_uint_eq(content.tensors[0].sizes[1], 3);
  ck_same_bits(content.tensors[0].values, (float[]){1, -2, 3.5f, 0x1p-149f, 0x1.fffffep127f, 0}, 6, "b");
  ck_same_bits(content.tensors[1].values, (float[]){0.1f}, 1, "a");
  ck_assert_str_eq(safetensors_find_metadata(&content, "key"), "value \"quoted\" \xc3\xa9");
  ck_assert_str_eq(safetensors_find_metadata(&content, "another"), "");
  ck_assert_ptr_null(safetensors_find_metadata(&content, "none"));
  safetensors_destroy(&content);
}
END_TEST

START_TEST(bytes_are_fixed) {
  safetensors content = {0};
  ck_ok(safetensors_add_metadata(&content, "k", "v", &test_error));
  add_tensor(&content, "t", 1, 2, (float[]){1.0f, -2.0f});
  ck_ok(safetensors_write(test_path("file"), &content, &test_error));
  safetensors_destroy(&content);
  static const char wanted[] =
      "\x58\0\0\0\0\0\0\0"
      "{\"__metadata__\":{\"k\":\"v\"},\"t\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}       "
      "\0\0\x80\x3f\0\0\0\xc0";
  size_t count;
  unsigned char *bytes = test_file_read(test_path("file"), &count);
  ck_assert_uint_eq(count, sizeof wanted - 1);
  ck_assert_mem_eq(bytes, wanted, sizeof wanted - 1);
  free(bytes);
}
END_TEST

START_TEST(sizes_around_the_buffer_survive) {
  static const size_t counts[] = {0, 1, 17, 255, 256, 257, 8191, 8192, 8193, 20000};
  test_random random = {1};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    float *values = test_floats(counts[i]);
    test_random_fill(&random, values, counts[i], 100);
    safetensors content = {0};
    add_tensor(&content, "t", counts[i], 1, values);
    add_tensor(&content, "last", 1, 1, (float[]){7});
    ck_ok(safetensors_write(test_path("file"), &content, &test_error));
    safetensors_destroy(&content);
    ck_ok(read_named("file", &content));
    const safetensors_tensor *read = &content.tensors[0];
    ck_assert_uint_eq(read->count, counts[i]);
    ck_same_bits(read->values, values, counts[i], "t");
    ck_same_bits(content.tensors[1].values, (float[]){7}, 1, "last");
    safetensors_destroy(&content);
    free(values);
  }
}
END_TEST

START_TEST(many_tensors_survive) {
  safetensors content = {0};
  for (size_t i = 0; i < 300; i++) {
    char name[16];
    snprintf(name, sizeof name, "%zu", i);
    add_tensor(&content, name, 1, 1, (float[]){(float)i});
    ck_ok(safetensors_add_metadata(&content, name, name, &test_error));
  }
  ck_ok(safetensors_write(test_path("file"), &content, &test_error));
  safetensors_destroy(&content);
  ck_ok(read_named("file", &content));
  ck_assert_uint_eq(content.tensors_count, 300);
  for (size_t i = 0; i < 300; i++) ck_assert(content.tensors[i].values[0] == (float)i);
  ck_assert_str_eq(safetensors_find_metadata(&content, "299"), "299");
  safetensors_destroy(&content);
}
END_TEST

static void expect_converted(const char *dtype, const void *data, size_t bytes, const float *wanted, size_t count) {
  char header[128];
  snprintf(header, sizeof header, "{\"t\":{\"dtype\":\"%s\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}", dtype, count,
           bytes);
  write_file("file", header, data, bytes);
  safetensors content;
  ck_ok(read_named("file", &content));
  ck_same_bits(content.tensors[0].values, wanted, count, dtype);
  safetensors_destroy(&content);
}

START_TEST(other_element_types_are_converted) {
  /* 1, -2, the largest, the smallest normal, the largest and the smallest subnormal, -0 */
  expect_converted("F16", "\x00\x3c\x00\xc0\xff\x7b\x00\x04\xff\x03\x01\x00\x00\x80", 14,
                   (float[]){1, -2, 65504, 0x1p-14f, 0x1.ff8p-15f, 0x1p-24f, -0.0f}, 7);
  expect_converted("BF16", "\x80\x3f\x00\xc0\xcd\x3d", 6, (float[]){1, -2, 0x1.9ap-4f}, 3);
  expect_converted("F64", "\x9a\x99\x99\x99\x99\x99\xb9\x3f\x00\x00\x00\x00\x00\x00\x00\xc0", 16, (float[]){0.1f, -2},
                   2);
}
END_TEST

START_TEST(values_that_are_not_finite_are_named) {
  static const float values[3] = {1, 2, NAN};
  write_file("nan", "{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", values, 12);
  expect_read_fails("nan", MLP_CL_BAD_FILE, "tensor \"w\": element 2 is nan");
  write_file("inf", "{\"w\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}", "\x00\x7c", 2);
  expect_read_fails("inf", MLP_CL_BAD_FILE, "tensor \"w\": element 0 is inf");
  write_file("large", "{\"w\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
             "\xff\xff\xff\xff\xff\xff\xef\xff", 8);
  expect_read_fails("large", MLP_CL_BAD_FILE, "element 0 is -inf as float32");
}
END_TEST

#define TENSOR(name, shape, begin, end) \
  "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

/* Headers over 16 bytes of data. */
START_TEST(lying_headers_are_refused) {
  static const struct {
    const char *header, *part;
  } lies[] = {
      {"[]", "not a JSON object"},
      {"{", "not valid JSON"},
      {"{} x", "not valid JSON"},
      {"{\"t\":1,\"t\":2}", "duplicate"},
      {"{" TENSOR("t", "[4]", "0", "16") "," TENSOR("t", "[4]", "0", "16") "}", "duplicate"},
      {"{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "duplicate"},
      {"{\"t\":[[[[[[[[[[]]]]]]]]]]}", "nests deeper"},
      {"{\"t\":\"[[[[[[[[[[\\\\\"}", "not described by an object"},
      {"{\"t\":null}", "not described by an object"},
      {"{\"t\":{}}", "has no dtype"},
      {"{\"t\":{\"dtype\":3}}", "has no dtype"},
      {"{\"t\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]}}", "dtype I64"},
      {"{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", "shape is not a list"},
      {"{\"t\":{\"dtype\":\"F32\",\"shape\":[4]}}", "data_offsets are not two"},
      {"{" TENSOR("t", "[1,1,1,1,1,1,1,1,4]", "0", "16") "}", "at most 8"},
      {"{" TENSOR("t", "[-4]", "0", "16") "}", "integer >= 0"},
      {"{" TENSOR("t", "[4.0]", "0", "16") "}", "integer >= 0"},
      {"{" TENSOR("t", "[\"4\"]", "0", "16") "}", "integer >= 0"},
      {"{" TENSOR("t", "[99999999999999999999]", "0", "16") "}", "not valid JSON"},
      {"{" TENSOR("t", "[4294967296,4294967297]", "0", "16") "}", "multiply to more"},
      {"{" TENSOR("t", "[4611686018427387908]", "0", "16") "}", "its shape wants"},
      {"{" TENSOR("t", "[5]", "0", "16") "}", "hold 16 bytes, its shape wants 5 elements of 4"},
      {"{" TENSOR("t", "[4]", "-1", "15") "}", "not two integers"},
      {"{" TENSOR("t", "[4]", "16", "0") "}", "truncated or damaged"},
      {"{" TENSOR("t", "[5]", "0", "20") "}", "the file has 16 bytes of data"},
      {"{" TENSOR("t", "[4]", "0", "9223372036854775807") "}", "truncated or damaged"},
      {"{" TENSOR("t", "[4]", "1e0", "16") "}", "not two integers"},
      {"{" TENSOR("t", "[4]", "0,8", "16") "}", "not two integers"},
      {"{" TENSOR("t", "[2]", "8", "16") "}", "begins at 8 of the data, wanted 0: there is a gap"},
      {"{" TENSOR("t", "[2]", "0", "8") "}", "8 bytes follow the last tensor"},
      {"{}", "16 bytes follow"},
      {"{" TENSOR("a", "[3]", "0", "12") "," TENSOR("b", "[2]", "8", "16") "}", "tensors overlap"},
      {"{" TENSOR("a", "[4]", "0", "16") "," TENSOR("b", "[4]", "0", "16") "}", "tensors overlap"},
      {"{" TENSOR("a", "[1]", "0", "4") "," TENSOR("b", "[2]", "8", "16") "}", "there is a gap"},
      {"{\"__metadata__\":[]," TENSOR("t", "[4]", "0", "16") "}", "is not an object"},
      {"{\"__metadata__\":{\"k\":1}," TENSOR("t", "[4]", "0", "16") "}", "metadata \"k\" is not a string"},
      {"{\"t\\u0000\":1}", "not valid JSON"},
      {"{\"\xff\":1}", "not valid JSON"},
  };
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    write_file("lie", lies[i].header, "0123456789abcdef", 16);
    expect_read_fails("lie", MLP_CL_BAD_FILE, lies[i].part);
  }
}
END_TEST

START_TEST(lying_lengths_are_refused) {
  test_file_write(test_path("empty"), "", 0);
  expect_read_fails("empty", MLP_CL_BAD_FILE, "0 bytes are too few");
  test_file_write(test_path("huge"), "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
  expect_read_fails("huge", MLP_CL_BAD_FILE, "header length 18446744073709551615, but the file has 10 bytes");
  test_file_write(test_path("more"), "\x03\0\0\0\0\0\0\0{}", 10);
  expect_read_fails("more", MLP_CL_BAD_FILE, "header length 3");
  test_file_write(test_path("zero"), "\0\0\0\0\0\0\0\0{}", 10);
  expect_read_fails("zero", MLP_CL_BAD_FILE, "not valid JSON");
  test_file_write(test_path("none"), "\x02\0\0\0\0\0\0\0{}", 10);
  safetensors content;
  ck_ok(read_named("none", &content));
  ck_assert_uint_eq(content.tensors_count, 0);
  expect_read_fails("missing", MLP_CL_IO, "No such file");
  expect_read_fails("", MLP_CL_BAD_FILE, "not a regular file");
}
END_TEST

/* Only white space may follow the object, so a megabyte of brackets must not reach the parser. */
START_TEST(deep_json_is_refused) {
  enum { DEPTH = 1 << 20 };
  char *header = malloc(DEPTH + 1);
  memset(header, '[', DEPTH);
  header[DEPTH] = '\0';
  write_file("deep", header, NULL, 0);
  expect_read_fails("deep", MLP_CL_BAD_FILE, "nests deeper than 8 levels");
  free(header);
}
END_TEST

START_TEST(truncation_at_every_byte_is_noticed) {
  write_sample("file");
  size_t count;
  unsigned char *bytes = test_file_read(test_path("file"), &count);
  for (size_t i = 0; i < count; i++) {
    test_file_write(test_path("cut"), bytes, i);
    expect_read_fails("cut", MLP_CL_BAD_FILE, "cut: ");
  }
  free(bytes);
}
END_TEST

/* What is read from a damaged file, if anything, is whole and finite. */
START_TEST(every_flipped_bit_is_survived) {
  write_sample("file");
  size_t count, refused = 0;
  unsigned char *bytes = test_file_read(test_path("file"), &count);
  for (size_t bit = 0; bit < 8 * count; bit++) {
    bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    test_file_write(test_path("flipped"), bytes, count);
    bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    safetensors content;
    mlp_cl_status status = read_named("flipped", &content);
    ck_assert(status == MLP_CL_OK || status == MLP_CL_BAD_FILE);
    refused += status != MLP_CL_OK;
    for (size_t t = 0; t < content.tensors_count; t++) {
      for (size_t i = 0; i < content.tensors[t].count; i++) ck_assert(isfinite(content.tensors[t].values[i]));
    }
    safetensors_destroy(&content);
  }
  ck_assert_uint_gt(refused, 8 * 8);
  free(bytes);
}
END_TEST

START_TEST(failed_writes_leave_nothing) {
  safetensors content = {0};
  add_tensor(&content, "t", 1, 1, (float[]){1});
  ck_fails(safetensors_write(test_path("missing/file"), &content, &test_error), MLP_CL_IO, "No such file");
  ck_fails(safetensors_write(test_path(""), &content, &test_error), MLP_CL_BAD_ARGUMENT, "is a folder");
  ck_assert_uint_eq(test_folder_count(), 0);
  safetensors_tensor *tensor;
  ck_fails(safetensors_add(&content, "u", (size_t[]){SIZE_MAX, 2}, 2, &tensor, &test_error), MLP_CL_BAD_SHAPE, "u");
  ck_fails(safetensors_add(&content, "u", (size_t[]){SIZE_MAX / 2}, 1, &tensor, &test_error), MLP_CL_BAD_SHAPE, "u");
  ck_assert_uint_eq(content.tensors_count, 1);
  char *text = calloc(1, SAFETENSORS_HEADER_MAX + 1);
  memset(text, 'x', SAFETENSORS_HEADER_MAX);
  ck_ok(safetensors_add_metadata(&content, "long", text, &test_error));
  free(text);
  ck_fails(safetensors_write(test_path("file"), &content, &test_error), MLP_CL_BAD_ARGUMENT, "readers take 100000000");
  ck_assert_uint_eq(test_folder_count(), 0);
  safetensors_destroy(&content);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("safetensors");
  TCase *cases = tcase_create("safetensors");
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, round_trip_keeps_everything);
  tcase_add_test(cases, bytes_are_fixed);
  tcase_add_test(cases, sizes_around_the_buffer_survive);
  tcase_add_test(cases, many_tensors_survive);
  tcase_add_test(cases, other_element_types_are_converted);
  tcase_add_test(cases, values_that_are_not_finite_are_named);
  tcase_add_test(cases, lying_headers_are_refused);
  tcase_add_test(cases, lying_lengths_are_refused);
  tcase_add_test(cases, deep_json_is_refused);
  tcase_add_test(cases, truncation_at_every_byte_is_noticed);
  tcase_add_test(cases, every_flipped_bit_is_survived);
  tcase_add_test(cases, failed_writes_leave_nothing);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
