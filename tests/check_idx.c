/* IDX files and folders of them: every type, every lie. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/dataset.h"
#include "files.h"
#include "test.h"

static mlp_cl_status open_idx(const char *features, const char *labels, mlp_cl_dataset **dataset) {
  return mlp_cl_dataset_open_idx(test_path(features), labels == NULL ? NULL : test_path(labels), dataset, &test_error);
}

#define expect_open_fails(features, labels, status, part)      \
  do {                                                         \
    mlp_cl_dataset *none;                                      \
    ck_fails(open_idx(features, labels, &none), status, part); \
    ck_assert_ptr_null(none);                                  \
  } while (0)

/* Writes a file from a string literal with escapes. */
#define write_literal(name, text) test_file_write(test_path(name), text, sizeof(text) - 1)

/* `count` uint8 labels i % classes. */
static void write_labels(const char *name, unsigned count, unsigned classes) {
  unsigned char bytes[8 + 1024] = {0, 0, 8, 1, 0, 0, (unsigned char)(count >> 8), (unsigned char)count};
  for (unsigned i = 0; i < count; i++) bytes[8 + i] = (unsigned char)(i % classes);
  test_file_write(test_path(name), bytes, 8 + count);
}

/* `count` uint8 images of 2×3, element i of the file being i mod 251. */
static size_t fill_images(unsigned char *bytes, unsigned count) {
  const unsigned char header[16] = {0, 0, 8, 3, 0, 0, (unsigned char)(count >> 8), (unsigned char)count, 0, 0,
                                    0, 2, 0, 0, 0, 3};
  memcpy(bytes, header, sizeof header);
  for (unsigned i = 0; i < count * 6; i++) bytes[16 + i] = (unsigned char)(i % 251);
  return 16 + (size_t)count * 6;
}

static void write_images(const char *name, unsigned count) {
  unsigned char bytes[16 + 6 * 1024];
  test_file_write(test_path(name), bytes, fill_images(bytes, count));
}

START_TEST(reads_plain_and_compressed) {
  static const unsigned counts[] = {1, 15, 16, 17, 255, 256, 257};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    unsigned char bytes[16 + 6 * 300];
    size_t count = fill_images(bytes, counts[c]);
    test_file_write(test_path("plain"), bytes, count);
    test_file_write_gz(test_path("packed.gz"), bytes, count);
    write_labels("labels", counts[c], 3);
    for (int packed = 0; packed < 2; packed++) {
      mlp_cl_dataset *dataset;
      ck_ok(open_idx(packed ? "packed.gz" : "plain", "labels", &dataset));
      ck_assert_uint_eq(dataset->rows, counts[c]);
      ck_assert_uint_eq(dataset->width, 6);
      ck_assert_int_eq(dataset->element, MLP_CL_UINT8);
      ck_assert(dataset->scale == 1.0f / 255.0f);
      ck_assert_mem_eq(dataset->features, bytes + 16, count - 16);
      ck_assert_uint_eq(dataset->classes, counts[c] < 3 ? counts[c] : 3);
      ck_assert_int_eq(dataset->labels[counts[c] - 1], (int)((counts[c] - 1) % 3));
      mlp_cl_dataset_destroy(dataset);
    }
  }
}
END_TEST

static mlp_cl_dataset *open_features(const char *name) {
  mlp_cl_dataset *dataset;
  ck_ok(open_idx(name, NULL, &dataset));
  ck_assert_ptr_null(dataset->labels);
  return dataset;
}

START_TEST(reads_every_element_type) {
  write_literal("i8", "\0\0\x09\x01\0\0\0\x03\x80\xff\x7f");
  mlp_cl_dataset *dataset = open_features("i8");
  ck_assert_int_eq(dataset->element, MLP_CL_INT8);
  ck_assert(dataset->scale == 1.0f / 127.0f);
  ck_assert_mem_eq(dataset->features, ((int8_t[]){-128, -1, 127}), 3);
  mlp_cl_dataset_destroy(dataset);

  write_literal("i16", "\0\0\x0b\x02\0\0\0\x01\0\0\0\x03\x80\x00\xff\xfe\x01\x02");
  dataset = open_features("i16");
  ck_assert_int_eq(dataset->element, MLP_CL_INT16);
  ck_assert(dataset->scale == 1.0f / 32767.0f);
  ck_assert_uint_eq(dataset->width, 3);
  ck_assert_mem_eq(dataset->features, ((int16_t[]){-32768, -2, 258}), 6);
  mlp_cl_dataset_destroy(dataset);

  write_literal("i32", "\0\0\x0c\x01\0\0\0\x02\xff\xff\xff\xfe\x01\x00\x00\x01");
  dataset = open_features("i32");
  ck_assert_int_eq(dataset->element, MLP_CL_FLOAT32);
  ck_assert(dataset->scale == 1.0f);
  ck_same_bits(dataset->features, (float[]){-2.0f, 16777216.0f}, 2, "int32");
  mlp_cl_dataset_destroy(dataset);

  write_literal("f32", "\0\0\x0d\x01\0\0\0\x02\x3f\xc0\0\0\xbd\xcc\xcc\xcd");
  dataset = open_features("f32");
  ck_same_bits(dataset->features, (float[]){1.5f, -0.1f}, 2, "float32");
  mlp_cl_dataset_destroy(dataset);

  write_literal("f64", "\0\0\x0e\x01\0\0\0\x02\x3f\xf8\0\0\0\0\0\0\x3f\xb9\x99\x99\x99\x99\x99\x9a");
  dataset = open_features("f64");
  ck_same_bits(dataset->features, (float[]){1.5f, 0.1f}, 2, "float64");
  mlp_cl_dataset_destroy(dataset);
}
END_TEST

START_TEST(rejects_values_that_are_not_finite) {
  write_literal("nan", "\0\0\x0d\x02\0\0\0\x02\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\x7f\xc0\0\0");
  expect_open_fails("nan", NULL, MLP_CL_BAD_FILE, "byte 24: element 1 of row 1 is nan");
  write_literal("large", "\0\0\x0e\x01\0\0\0\x01\x7f\xef\xff\xff\xff\xff\xff\xff");
  expect_open_fails("large", NULL, MLP_CL_BAD_FILE, "byte 8: element 0 of row 0 is inf as float32");
}
END_TEST

START_TEST(rejects_bad_labels) {
  write_images("images", 2);
  write_literal("short", "\0\0\x08\x01\0\0\0\x01\x00");
  expect_open_fails("images", "short", MLP_CL_BAD_FILE, "1 labels, but");
  write_literal("negative", "\0\0\x09\x01\0\0\0\x02\x01\xff");
  expect_open_fails("images", "negative", MLP_CL_BAD_FILE, "byte 9: label -1 of row 1");
  write_literal("large", "\0\0\x0c\x01\0\0\0\x02\x7f\xff\xff\xff\0\0\0\0");
  expect_open_fails("images", "large", MLP_CL_BAD_FILE, "byte 8: label 2147483647 of row 0");
  write_literal("float", "\0\0\x0d\x01\0\0\0\x02\0\0\0\0\0\0\0\0");
  expect_open_fails("images", "float", MLP_CL_BAD_FILE, "labels of type float32");
  write_literal("i16", "\0\0\x0b\x01\0\0\0\x02\x01\x02\x00\x01");
  mlp_cl_dataset *dataset;
  ck_ok(open_idx("images", "i16", &dataset));
  ck_assert_int_eq(dataset->labels[0], 258);
  ck_assert_uint_eq(dataset->classes, 259);
  mlp_cl_dataset_destroy(dataset);
  expect_open_fails("i16", "images", MLP_CL_BAD_FILE, "3 dimensions; labels have 1");
  expect_open_fails("images", "missing", MLP_CL_IO, "No such file");
}
END_TEST

START_TEST(rejects_lying_headers) {
  write_literal("empty", "");
  expect_open_fails("empty", NULL, MLP_CL_BAD_FILE, "is empty");
  write_literal("text", "hello, world");
  expect_open_fails("text", NULL, MLP_CL_BAD_FILE, "not an IDX file: it begins with 68 65 6c 6c");
  write_literal("type", "\0\0\x0a\x01\0\0\0\x01\0");
  expect_open_fails("type", NULL, MLP_CL_BAD_FILE, "byte 2: element type 0x0a");
  write_literal("rank", "\0\0\x08\x00\0\0\0\x01\0");
  expect_open_fails("rank", NULL, MLP_CL_BAD_FILE, "byte 3: 0 dimensions");
  write_literal("no rows", "\0\0\x08\x02\0\0\0\0\0\0\0\x01");
  expect_open_fails("no rows", NULL, MLP_CL_BAD_FILE, "byte 4: dimension 0 is 0");
  write_literal("rows", "\0\0\x08\x01\xff\xff\xff\xff\0");
  expect_open_fails("rows", NULL, MLP_CL_BAD_FILE, "byte 4: dimension 0 is 4294967295");
  write_literal("product", "\0\0\x08\x04\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0");
  expect_open_fails("product", NULL, MLP_CL_BAD_FILE, "byte 16: the dimensions multiply");
  write_literal("total", "\0\0\x08\x03\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0");
  expect_open_fails("total", NULL, MLP_CL_BAD_FILE, "more than fits in memory");
  write_literal("promise", "\0\0\x08\x02\x7f\xff\xff\xff\0\0\xff\xff\0");
  expect_open_fails("promise", NULL, MLP_CL_BAD_FILE, "the header promises 2147483647 rows × 65535 uint8");
  write_literal("trailing", "\0\0\x08\x01\0\0\0\x01\x07\x08");
  expect_open_fails("trailing", NULL, MLP_CL_BAD_FILE, "byte 9: goes on after");
  expect_open_fails("", NULL, MLP_CL_IO, "is a folder");
  expect_open_fails("missing", NULL, MLP_CL_IO, "No such file");
}
END_TEST

/* A small compressed file that unfolds to 32 MiB of zeros, under headers that promise less and more. */
START_TEST(compressed_bombs_end_early) {
  enum { BYTES = 32 << 20 };
  unsigned char *bytes = calloc(BYTES, 1);
  memcpy(bytes, "\0\0\x08\x01\0\0\0\x10", 8);
  test_file_write_gz(test_path("less"), bytes, BYTES);
  expect_open_fails("less", NULL, MLP_CL_BAD_FILE, "byte 24: goes on after the 16 rows");
  memcpy(bytes, "\0\0\x08\x02\0\xff\xff\xff\0\0\xff\xff", 12);
  test_file_write_gz(test_path("more"), bytes, BYTES);
  expect_open_fails("more", NULL, MLP_CL_BAD_FILE, "the header promises");
  memcpy(bytes, "\0\0\x08\x01\x02\x00\x00\x00", 8);
  test_file_write_gz(test_path("little more"), bytes, BYTES);
  expect_open_fails("little more", NULL, MLP_CL_BAD_FILE, "ends at byte 33554432");
  free(bytes);
}
END_TEST

START_TEST(truncation_at_every_byte_is_noticed) {
  unsigned char bytes[16 + 6 * 5];
  size_t count = fill_images(bytes, 5), packed_count;
  test_file_write_gz(test_path("packed"), bytes, count);
  unsigned char *packed = test_file_read(test_path("packed"), &packed_count);
  for (size_t i = 0; i < count; i++) {
    test_file_write(test_path("cut"), bytes, i);
    expect_open_fails("cut", NULL, MLP_CL_BAD_FILE, "cut: ");
  }
  for (size_t i = 0; i < packed_count; i++) {
    test_file_write(test_path("cut"), packed, i);
    expect_open_fails("cut", NULL, MLP_CL_BAD_FILE, "cut: ");
  }
  free(packed);
}
END_TEST

/* Each bit of a compressed file is protected by its format; in a plain one, a flip in the header must not crash. */
START_TEST(every_flipped_bit_is_survived) {
  unsigned char bytes[16 + 6 * 5];
  size_t count = fill_images(bytes, 5), packed_count;
  test_file_write_gz(test_path("packed"), bytes, count);
  unsigned char *packed = test_file_read(test_path("packed"), &packed_count);
  for (size_t bit = 0; bit < 8 * count; bit++) {
    bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    test_file_write(test_path("flipped"), bytes, count);
    mlp_cl_dataset *dataset = NULL;
    mlp_cl_status status = open_idx("flipped", NULL, &dataset);
    ck_assert_int_eq(status, bit < 8 * 16 && bit / 8 != 2 ? MLP_CL_BAD_FILE : status);
    ck_assert((status == MLP_CL_OK) == (dataset != NULL));
    mlp_cl_dataset_destroy(dataset);
    bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
  }
  for (size_t bit = 0; bit < 8 * packed_count; bit++) {
    packed[bit / 8] ^= (unsigned char)(1u << bit % 8);
    test_file_write(test_path("flipped"), packed, packed_count);
    mlp_cl_dataset *dataset = NULL;
    if (open_idx("flipped", NULL, &dataset) == MLP_CL_OK) ck_assert_mem_eq(dataset->features, bytes + 16, count - 16);
    mlp_cl_dataset_destroy(dataset);
    packed[bit / 8] ^= (unsigned char)(1u << bit % 8);
  }
  free(packed);
}
END_TEST

static void expect_folder(size_t train_rows, size_t test_rows, size_t classes) {
  mlp_cl_dataset *train, *test;
  ck_ok(mlp_cl_dataset_open(test_path(""), &train, &test, &test_error));
  ck_assert_uint_eq(train->rows, train_rows);
  ck_assert_uint_eq(train->classes, classes);
  ck_assert_uint_eq(test == NULL ? 0 : test->rows, test_rows);
  if (test != NULL) ck_assert_uint_eq(test->classes, classes);
  mlp_cl_dataset_destroy(train);
  mlp_cl_dataset_destroy(test);
}

#define expect_folder_fails(status, part)                                                       \
  do {                                                                                          \
    mlp_cl_dataset *train, *test;                                                               \
    ck_fails(mlp_cl_dataset_open(test_path(""), &train, &test, &test_error), (status), (part)); \
    ck_assert(train == NULL && test == NULL);                                                   \
  } while (0)

START_TEST(folders_name_what_is_missing) {
  expect_folder_fails(MLP_CL_BAD_FILE, "there is no train-images-idx3-ubyte[.gz]");
  write_images("train-images-idx3-ubyte", 9);
  expect_folder_fails(MLP_CL_BAD_FILE, "there is no train-labels-idx1-ubyte[.gz]");
  write_labels("train-labels-idx1-ubyte", 9, 3);
  expect_folder(9, 0, 3);
  write_images("t10k-images-idx3-ubyte", 7);
  expect_folder_fails(MLP_CL_BAD_FILE, "there is no t10k-labels-idx1-ubyte[.gz]");
  write_labels("t10k-labels-idx1-ubyte", 7, 5);
  expect_folder(9, 7, 5);
  write_labels("t10k-labels-idx1-ubyte", 6, 5);
  expect_folder_fails(MLP_CL_BAD_FILE, "t10k-labels-idx1-ubyte: byte 4: 6 labels");
  write_labels("t10k-labels-idx1-ubyte", 7, 5);
  write_literal("t10k-images-idx3-ubyte",
                "\0\0\x08\x02\0\0\0\x07\0\0\0\x01"
                "1234567");
  expect_folder_fails(MLP_CL_BAD_FILE, "training rows have 6 features, test rows 1");
}
END_TEST

START_TEST(folders_accept_other_names) {
  unsigned char bytes[16 + 6 * 9];
  size_t count = fill_images(bytes, 9);
  test_file_write_gz(test_path("emnist-letters-train-images-idx3-ubyte.gz"), bytes, count);
  write_labels("emnist-letters-train-labels-idx1-ubyte", 9, 4);
  write_images("emnist-letters-test-images.idx3-ubyte", 8);
  write_labels("emnist-letters-test-labels.idx1-ubyte", 8, 2);
  write_literal("strain-images-idx3-ubyte", "not this one");
  write_literal("train-images-idx3-ubyte.gz.part", "nor this one");
  ck_assert_int_eq(mkdir(test_path("train-images-idx3-ubyte"), 0777), 0);
  expect_folder(9, 8, 4);
  write_images("emnist-digitss-train-images-idx3-ubyte", 3);
  expect_folder_fails(MLP_CL_BAD_FILE, "holds several data sets");
  write_images("train-images.idx3-ubyte", 5);
  write_labels("train-labels.idx1-ubyte", 5, 5);
  expect_folder(5, 8, 5);
}
END_TEST

START_TEST(single_files_find_their_labels) {
  write_images("t10k-images-idx3-ubyte", 7);
  mlp_cl_dataset *dataset, *test;
  ck_ok(mlp_cl_dataset_open(test_path("t10k-images-idx3-ubyte"), &dataset, &test, &test_error));
  ck_assert_ptr_null(test);
  ck_assert_uint_eq(dataset->classes, 0);
  mlp_cl_dataset_destroy(dataset);
  write_labels("t10k-labels-idx1-ubyte", 7, 5);
  ck_assert_int_eq(chdir(test_path("")), 0);
  ck_ok(mlp_cl_dataset_open("t10k-images-idx3-ubyte", &dataset, NULL, &test_error));
  ck_assert_int_eq(chdir("/"), 0);
  ck_assert_uint_eq(dataset->classes, 5);
  mlp_cl_dataset_destroy(dataset);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("idx");
  TCase *cases = tcase_create("idx");
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, reads_plain_and_compressed);
  tcase_add_test(cases, reads_every_element_type);
  tcase_add_test(cases, rejects_values_that_are_not_finite);
  tcase_add_test(cases, rejects_bad_labels);
  tcase_add_test(cases, rejects_lying_headers);
  tcase_add_test(cases, compressed_bombs_end_early);
  tcase_add_test(cases, truncation_at_every_byte_is_noticed);
  tcase_add_test(cases, every_flipped_bit_is_survived);
  tcase_add_test(cases, folders_name_what_is_missing);
  tcase_add_test(cases, folders_accept_other_names);
  tcase_add_test(cases, single_files_find_their_labels);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
