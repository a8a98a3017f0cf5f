/* NumPy's arrays: types, orders of bytes and of memory, archives, and headers that lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "data/dataset.h"
#include "data/npy.h"
#include "files.h"
#include "test.h"

/* An .npy file of format 1 in `bytes`; returns its length. */
static size_t make(unsigned char *bytes, const char *dictionary, const void *data, size_t count) {
  size_t length = strlen(dictionary);
  memcpy(bytes, "\x93NUMPY\x01\x00", 8);
  bytes[8] = (unsigned char)length;
  bytes[9] = (unsigned char)(length >> 8);
  memcpy(bytes + 10, dictionary, length);
  memcpy(bytes + 10 + length, data, count);
  return 10 + length + count;
}

static mlp_cl_status read_bytes(const char *dictionary, const void *data, size_t count, dataset_parts *parts) {
  unsigned char bytes[1000];
  mlp_cl_status status = npy_features("x.npy", bytes, make(bytes, dictionary, data, count), parts, &test_error);
  return status;
}

static void expect(const char *dictionary, const void *data, size_t count, const float *wanted, size_t rows,
                   size_t width) {
  dataset_parts parts;
  ck_ok(read_bytes(dictionary, data, count, &parts));
  ck_assert_uint_eq(parts.rows, rows);
  ck_assert_uint_eq(parts.width, width);
  ck_assert_int_eq(parts.element, MLP_CL_FLOAT32);
  ck_same_bits(parts.features, wanted, rows * width, dictionary);
  dataset_parts_free(&parts);
}

START_TEST(reads_types_and_orders) {
  static const float f4[6] = {1, 2, 3, 4, 5, 6}, by_columns[6] = {1, 3, 5, 2, 4, 6};
  static const double f8[6] = {1, 2, 3, 4, 5, 6};
  static const int64_t i8[6] = {1, -2, 3, 4, 5, 1 << 24};
  static const float i8_wanted[6] = {1, -2, 3, 4, 5, 1 << 24};
  static const uint16_t u2[2] = {65535, 1};
  static const unsigned char big[8] = {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0};
  expect("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }  \n", f4, sizeof f4, f4, 3, 2);
  expect("{\"shape\":(2,3),\"descr\":\"<f8\",\"fortran_order\":False}", f8, sizeof f8, f4, 2, 3);
  expect("{'descr': '<i8', 'fortran_order': False, 'shape': (6,), }", i8, sizeof i8, i8_wanted, 6, 1);
  expect("{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2), }", u2, sizeof u2, (float[]){65535, 1}, 1, 2);
  expect("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 1), }", big, 8, (float[]){1, -2}, 2, 1);
  expect("{'descr': '|b1', 'fortran_order': False, 'shape': (2, 1), }", "\1\0", 2, (float[]){1, 0}, 2, 1);
  expect("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", by_columns, sizeof f4,
         (float[]){1, 5, 4, 3, 2, 6}, 2, 3);
}
END_TEST

/* a[i][j][k] = 100 i + 10 j + k, of 2 × 3 × 4, in both orders. */
START_TEST(flattens_in_the_order_of_c) {
  float c[24], fortran[24];
  for (size_t i = 0; i < 2; i++)
    for (size_t j = 0; j < 3; j++)
      for (size_t k = 0; k < 4; k++) {
        c[(i * 3 + j) * 4 + k] = (float)(100 * i + 10 * j + k);
        fortran[(k * 3 + j) * 2 + i] = (float)(100 * i + 10 * j + k);
      }
  expect("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }", c, sizeof c, c, 2, 12);
  expect("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 4), }", fortran, sizeof c, c, 2, 12);
}
END_TEST

START_TEST(keeps_small_integers) {
  dataset_parts parts;
  ck_ok(read_bytes("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }", "\1\2\3\4", 4, &parts));
  ck_assert_int_eq(parts.element, MLP_CL_UINT8);
  ck_assert_float_eq(parts.scale, 1.0f / 255.0f);
  ck_assert_mem_eq(parts.features, "\1\3\2\4", 4);
  dataset_parts_free(&parts);
  ck_ok(read_bytes("{'descr': '>i2', 'fortran_order': False, 'shape': (1, 2), }", "\1\2\xff\xfe", 4, &parts));
  ck_assert_int_eq(parts.element, MLP_CL_INT16);
  ck_assert_int_eq(((int16_t *)parts.features)[0], 258);
  ck_assert_int_eq(((int16_t *)parts.features)[1], -2);
  dataset_parts_free(&parts);
  ck_ok(read_bytes("{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2), }", "\xff\xff\1\0", 4, &parts));
  ck_assert_int_eq(parts.element, MLP_CL_FLOAT32);
  ck_assert_float_eq(((float *)parts.features)[0], 65535.0f);
  ck_assert_float_eq(parts.scale, 1.0f / 65535.0f);
  dataset_parts_free(&parts);
}
END_TEST

static void refuse(const char *dictionary, const void *data, size_t count, const char *part) {
  dataset_parts parts = {0};
  ck_fails(read_bytes(dictionary, data, count, &parts), MLP_CL_BAD_FILE, part);
  dataset_parts_free(&parts);
}

START_TEST(refuses_what_lies) {
  const float values[4] = {1, 2, 3, 4}, bad[4] = {1, 2, __builtin_nanf(""), 4};
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", values, 16, "promises 3 rows × 2");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", values, 16, "but 16 bytes follow");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", bad, 16, "element 0 of row 1 is nan");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", values, 4, "a single number");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }", values, 0, "0 rows");
  refuse("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 99999999999, 99999999999), }", values, 16,
         "more than fits in memory");
  refuse("{'descr': '<U6', 'fortran_order': False, 'shape': (2, 2), }", values, 16, "x.npy: is an array of <U6");
  refuse("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 2), }", values, 16, "is an array of <c8");
  refuse("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", values, 16, "is none of");
  refuse("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2, 2), }", values, 16, "is none of");
  refuse("{'descr': '<f4', 'shape': (2, 2", values, 16, "is none of");
  refuse("{'descr", values, 16, "is none of");
  refuse("", values, 16, "is none of");
  unsigned char bytes[200];
  dataset_parts parts = {0};
  size_t count = make(bytes, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", values, 16);
  for (size_t i = 0; i < count; i++) {
    ck_assert_int_eq(npy_features("x", bytes, i, &parts, &test_error), MLP_CL_BAD_FILE);
    dataset_parts_free(&parts);
  }
  for (size_t i = 0; i < count; i++) { /* any byte changed: an error or a result, no harm */
    unsigned char kept = bytes[i];
    for (int value = 0; value < 256; value += 5) {
      bytes[i] = (unsigned char)value;
      (void)npy_features("x", bytes, count, &parts, NULL);
      dataset_parts_free(&parts);
    }
    bytes[i] = kept;
  }
}
END_TEST

START_TEST(reads_labels_and_targets) {
  unsigned char x[200], y[200];
  const float values[4] = {1, 2, 3, 4};
  const int64_t labels[2] = {3, 0};
  test_file_write(test_path("x.npy"), x,
                  make(x, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", values, 16));
  test_file_write(test_path("y.npy"), y,
                  make(y, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", labels, 16));
  dataset_parts parts;
  ck_ok(npy_read(test_path("x.npy"), test_path("y.npy"), DATA_LABELS, &parts, &test_error));
  ck_assert_uint_eq(parts.classes, 4);
  ck_assert_int_eq(parts.labels[0], 3);
  dataset_parts_free(&parts);
  ck_ok(npy_read(test_path("x.npy"), test_path("x.npy"), DATA_TARGETS, &parts, &test_error));
  ck_assert_uint_eq(parts.outputs, 2);
  ck_same_bits(parts.targets, values, 4, "targets");
  dataset_parts_free(&parts);
  ck_fails(npy_read(test_path("x.npy"), test_path("x.npy"), DATA_LABELS, &parts, &test_error), MLP_CL_BAD_FILE,
           "a class is one label a row");
  const double wrong[2] = {0.5, 1};
  test_file_write(test_path("w.npy"), y,
                  make(y, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", wrong, 16));
  ck_fails(npy_read(test_path("x.npy"), test_path("w.npy"), DATA_LABELS, &parts, &test_error), MLP_CL_BAD_FILE,
           "label 0.5 of row 0");
  test_file_write(test_path("w.npy"), y,
                  make(y, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", wrong, 3));
  ck_fails(npy_read(test_path("x.npy"), test_path("w.npy"), DATA_LABELS, &parts, &test_error), MLP_CL_BAD_FILE,
           "must belong together");
}
END_TEST

static void add(zip_t *archive, const char *name, const unsigned char *bytes, size_t count) {
  ck_assert_int_ge(zip_file_add(archive, name, zip_source_buffer(archive, bytes, count, 0), 0), 0);
}

START_TEST(reads_archives) {
  unsigned char x[200], y[200], t[200];
  const float values[4] = {1, 2, 3, 4};
  size_t x_count = make(x, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", values, 16);
  size_t y_count = make(y, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "\1\0", 2);
  size_t t_count = make(t, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", "\0\2", 2);
  int code;
  zip_t *archive = zip_open(test_path("a.npz"), ZIP_CREATE, &code);
  add(archive, "x_train.npy", x, x_count);
  add(archive, "y_train.npy", y, y_count);
  add(archive, "x_test.npy", x, x_count);
  add(archive, "y_test.npy", t, t_count);
  ck_assert_int_eq(zip_close(archive), 0);
  mlp_cl_dataset *train, *test;
  ck_ok(mlp_cl_dataset_open(test_path("a.npz"), &train, &test, &test_error));
  ck_assert_uint_eq(mlp_cl_dataset_classes(train), 3);
  ck_assert_uint_eq(mlp_cl_dataset_classes(test), 3);
  ck_assert_int_eq(mlp_cl_dataset_labels(test)[1], 2);
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(test);

  /* Test rows whose answers somebody keeps are no held-out part; who predicts finds them. */
  archive = zip_open(test_path("f.npz"), ZIP_CREATE, &code);
  add(archive, "x_train.npy", x, x_count);
  add(archive, "y_train.npy", y, y_count);
  add(archive, "x_test.npy", x, x_count);
  ck_assert_int_eq(zip_close(archive), 0);
  ck_ok(mlp_cl_dataset_open(test_path("f.npz"), &train, &test, &test_error));
  ck_assert_uint_eq(mlp_cl_dataset_rows(train), 2);
  ck_assert_ptr_null(test);
  mlp_cl_dataset_destroy(train);
  dataset_parts known, asked;
  ck_ok(npz_read(test_path("f.npz"), DATA_FEATURES, &known, &asked, &test_error));
  ck_assert_uint_eq(asked.rows, 2);
  dataset_parts_free(&known);
  dataset_parts_free(&asked);

  /* Who predicts asks for no answers, whatever they are. */
  archive = zip_open(test_path("e.npz"), ZIP_CREATE, &code);
  add(archive, "x.npy", x, x_count);
  add(archive, "y.npy", x, x_count);
  ck_assert_int_eq(zip_close(archive), 0);
  ck_fails(mlp_cl_dataset_open(test_path("e.npz"), &train, &test, &test_error), MLP_CL_BAD_FILE, "one label a row");
  mlp_cl_rows *rows;
  float features[4];
  size_t got;
  ck_ok(mlp_cl_rows_open(test_path("e.npz"), NULL, MLP_CL_HEADER_DETECT, 1.0f, &rows, &test_error));
  ck_ok(mlp_cl_rows_next(rows, 2, features, &got, &test_error));
  ck_assert_uint_eq(got, 2);
  ck_same_bits(features, values, 4, "features");
  mlp_cl_rows_close(rows);

  /* Cut, or with any byte changed: an error or a result, no harm. */
  size_t count;
  unsigned char *bytes = test_file_read(test_path("a.npz"), &count);
  for (size_t i = 0; i < count; i += 3) {
    unsigned char kept = bytes[i];
    bytes[i] ^= 0x55;
    test_file_write(test_path("b.npz"), bytes, count);
    dataset_parts a, b;
    if (npz_read(test_path("b.npz"), DATA_LABELS, &a, &b, &test_error) == MLP_CL_OK) {
      dataset_parts_free(&a);
      dataset_parts_free(&b);
    }
    bytes[i] = kept;
  }
  test_file_write(test_path("b.npz"), bytes, count / 2);
  ck_fails(mlp_cl_dataset_open(test_path("b.npz"), &train, &test, &test_error), MLP_CL_BAD_FILE, "b.npz");
  free(bytes);

  /* What is learned has to agree between the parts, too: two targets a row here, one there. */
  archive = zip_open(test_path("d.npz"), ZIP_CREATE, &code);
  add(archive, "x_train.npy", x, x_count);
  add(archive, "y_train.npy", x, x_count);
  add(archive, "x_test.npy", x, x_count);
  add(archive, "y_test.npy", t, t_count);
  ck_assert_int_eq(zip_close(archive), 0);
  dataset_parts a, b;
  ck_fails(npz_read(test_path("d.npz"), DATA_TARGETS, &a, &b, &test_error), MLP_CL_BAD_FILE,
           "training rows have 2 targets, test rows 1");

  archive = zip_open(test_path("c.npz"), ZIP_CREATE, &code);
  add(archive, "weights.npy", x, x_count);
  ck_assert_int_eq(zip_close(archive), 0);
  ck_fails(mlp_cl_dataset_open(test_path("c.npz"), &train, &test, &test_error), MLP_CL_BAD_FILE, "has no array x, X");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("npy");
  TCase *cases = tcase_create("npy");
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_add_test(cases, reads_types_and_orders);
  tcase_add_test(cases, flattens_in_the_order_of_c);
  tcase_add_test(cases, keeps_small_integers);
  tcase_add_test(cases, refuses_what_lies);
  tcase_add_test(cases, reads_labels_and_targets);
  tcase_add_test(cases, reads_archives);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
