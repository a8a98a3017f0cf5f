/* Delimited text: records and fields as they are written, numbers as strtod reads them, and hostile bytes refused with
 * their line. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/utf8.h"
#include "data/csv.h"
#include "files.h"
#include "test.h"

/* All records of a text as "a|b/c|d", where line numbers other than the usual stand before: "3:a|b". */
static char *read_all(const char *path, char *text, size_t room) {
  csv_reader csv;
  bool found;
  size_t used = 0, expected = 1;
  text[0] = '\0';
  ck_ok(csv_open(&csv, path, &test_error));
  for (;; expected++) {
    ck_ok(csv_next(&csv, &found, &test_error));
    if (!found) break;
    if (expected > 1) used += (size_t)snprintf(text + used, room - used, "/");
    if (csv.line != expected) used += (size_t)snprintf(text + used, room - used, "%zu:", csv.line);
    expected = csv.line;
    for (size_t i = 0; i < csv.fields_count; i++)
      used += (size_t)snprintf(text + used, room - used, "%s%s", i ? "|" : "", csv.fields[i]);
  }
  csv_close(&csv);
  return text;
}

/* As the last block of a tape is filled up: more of them than a reader takes at once. */
static void pad_with_zeros(const char *path) {
  static const char zeros[100000];
  FILE *file = fopen(path, "ab");
  ck_assert(file != NULL && fwrite(zeros, 1, sizeof zeros, file) == sizeof zeros && fclose(file) == 0);
}

static void expect(const char *written, const char *wanted) {
  char text[1000];
  test_file_write(test_path("t"), written, strlen(written));
  ck_assert_str_eq(read_all(test_path("t"), text, sizeof text), wanted);
  test_file_write_gz(test_path("t.gz"), written, strlen(written));
  ck_assert_str_eq(read_all(test_path("t.gz"), text, sizeof text), wanted);
  pad_with_zeros(test_path("t.gz"));
  ck_assert_str_eq(read_all(test_path("t.gz"), text, sizeof text), wanted);
}

START_TEST(reads_what_is_written) {
  expect("a,b\nc,d\n", "a|b/c|d");
  expect("a,b\nc,d", "a|b/c|d");
  expect("a,b\r\nc,d\r\n", "a|b/c|d");
  expect("a,b\rc,d\r", "a|b/c|d");
  expect("a\tb c\nd\te,f\n", "a|b c/d|e,f");
  expect("a;b,5;c\nd;e;f\n", "a|b,5|c/d|e|f");
  expect("a|b\n", "a|b");
  expect("a  b\n  c d  \n", "a|b/c|d");
  expect("a\nb\n", "a/b");
  expect(",\n,x\n", "|/|x");
  expect(" a , b \n", "a|b");
  expect(
      "\xef\xbb\xbf"
      "a,b\n",
      "a|b");
  expect("\n\na,b\n\n\nc,d\n\n", "3:a|b/6:c|d");
  expect("\r\n\na;b c\nd;e\n", "3:a|b c/d|e");
  expect("size 5\" x,y z\nc,d\n", "size 5\" x|y z/c|d");
  expect("a , \"b;c;d\",e\n", "a|b;c;d|e");
  expect("\"a,b\",\"c\"\"d\"\n\"\",x\n", "a,b|c\"d/|x");
  expect("\"a\nb\r\nc\",d\ne,f\n", "a\nb\r\nc|d/4:e|f");
  expect(" \"a\" , \"b\"\n", "a|b");
  expect("5\" pipe,b\n", "5\" pipe|b");
  expect("a,b,\"c\"", "a|b|c");
  expect("a,b,", "a|b|");
  expect("", "");
  expect("\n\r\n\n", "");
}
END_TEST

static void refuse(const char *bytes, size_t count, const char *part) {
  csv_reader csv;
  bool found = true;
  mlp_cl_status status = MLP_CL_OK;
  test_file_write(test_path("t"), bytes, count);
  ck_ok(csv_open(&csv, test_path("t"), &test_error));
  while (status == MLP_CL_OK && found) status = csv_next(&csv, &found, &test_error);
  csv_close(&csv);
  ck_fails(status, MLP_CL_BAD_FILE, part);
}

START_TEST(refuses_what_is_no_table) {
  refuse("a,b\nc,\"d\ne\n", 10, "line 2: a quote that is opened here is not closed");
  refuse("a,b\nc,\"d\" e\n", 12, "line 2: text after a closing quote");
  refuse("a,b\nc,\0\n", 8, "line 2: a NUL byte");
  refuse("a,\"b\0\"\n", 7, "line 1: a NUL byte");
  refuse(
      "\xff\xfe"
      "a\0,\0",
      6, "UTF-16");
  size_t fields = CSV_FIELDS_MAX + 2;
  char *many = malloc(fields);
  memset(many, ',', fields);
  refuse(many, fields, "line 1: more than 1048576 fields");
  free(many);
}
END_TEST

START_TEST(refuses_a_record_without_end) {
  size_t count = (size_t)CSV_RECORD_BYTES_MAX + 10;
  char *bytes = malloc(count);
  memset(bytes, 'a', count);
  memcpy(bytes, "x,y\n\"", 5);
  refuse(bytes, count, "line 2: a record of more than");
  free(bytes);
}
END_TEST

/* Records cross every boundary of the buffers, in plain text and in gzip of two members. */
START_TEST(reads_across_buffers) {
  enum { RECORDS = 40000 };
  char *text = malloc(RECORDS * 64), line[64];
  size_t used = 0;
  for (int i = 0; i < RECORDS; i++)
    used += (size_t)sprintf(text + used, "%d,\"quoted \"\"%d\"\" text\",%*d\r\n", i, i * 7, 1 + i % 17, i % 5);
  test_file_write(test_path("plain"), text, used);
  test_file_write_gz(test_path("first"), text, used / 3);
  test_file_write_gz(test_path("second"), text + used / 3, used - used / 3);
  size_t first_count, second_count;
  unsigned char *first = test_file_read(test_path("first"), &first_count);
  unsigned char *second = test_file_read(test_path("second"), &second_count);
  unsigned char *both = malloc(first_count + second_count);
  memcpy(both, first, first_count);
  memcpy(both + first_count, second, second_count);
  test_file_write(test_path("packed"), both, first_count + second_count);
  test_file_write(test_path("cut"), both, first_count + second_count - 5);
  for (int packed = 0; packed < 2; packed++) {
    csv_reader csv;
    bool found;
    ck_ok(csv_open(&csv, test_path(packed ? "packed" : "plain"), &test_error));
    for (int i = 0; i < RECORDS; i++) {
      ck_ok(csv_next(&csv, &found, &test_error));
      ck_assert(found);
      ck_assert_uint_eq(csv.fields_count, 3);
      ck_assert_uint_eq(csv.line, (size_t)i + 1);
      sprintf(line, "quoted \"%d\" text", i * 7);
      ck_assert_str_eq(csv.fields[1], line);
      ck_assert_int_eq(atoi(csv.fields[2]), i % 5);
    }
    ck_ok(csv_next(&csv, &found, &test_error));
    ck_assert(!found);
    csv_close(&csv);
  }
  csv_reader csv;
  bool found = true;
  mlp_cl_status status = MLP_CL_OK;
  ck_ok(csv_open(&csv, test_path("cut"), &test_error));
  while (status == MLP_CL_OK && found) status = csv_next(&csv, &found, &test_error);
  csv_close(&csv);
  ck_fails(status, MLP_CL_BAD_FILE, "corrupt gzip data after byte");
  free(both);
  free(first);
  free(second);
  free(text);
}
END_TEST

static locale_t c_locale;

static bool number(const char *text, double *value) {
  return number_read(text, c_locale, value);
}

static void expect_number(const char *text) {
  double value = -1;
  ck_assert_msg(number(text, &value), "%s", text);
  ck_assert_msg(value == strtod(text, NULL), "%s: %a, wanted %a", text, value, strtod(text, NULL));
}

START_TEST(reads_numbers) {
  static const char *const good[] = {"0",
                                     "-0",
                                     "1",
                                     "+1.5",
                                     ".5",
                                     "5.",
                                     "1e3",
                                     "1E-3",
                                     "1e+22",
                                     "123456789012345678901234567890",
                                     "9007199254740993",
                                     "0.1000000000000000055511151231257827",
                                     "1e-400",
                                     "0.000000000000000000000000000000000000000000001",
                                     "3.4028234e38",
                                     "00001",
                                     "1e-99999999999",
                                     "0e99999999",
                                     "4.9406564584124654e-324"};
  static const char *const bad[] = {"",      "-",      "+",   ".",   "e5",    "1e",  "1e+",          "1.2.3",
                                    "0x10",  "inf",    "nan", "1 2", "1,5",   "--1", "1-",           "1e5.0",
                                    "1e999", "3.5e38", "１",  "1f",  "-1e39", "NA",  "1e99999999999"};
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) expect_number(good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    double value;
    ck_assert_msg(!number(bad[i], &value), "%s", bad[i]);
  }
  test_random r = {7};
  for (int i = 0; i < 50000; i++) {
    char text[64];
    double mantissa = (double)test_random_bits(&r) * 0x1p-32 + (double)test_random_bits(&r);
    snprintf(text, sizeof text, "%.*g", 1 + (int)(test_random_bits(&r) % 20), mantissa * (i % 3 ? 1e-9 : 1e-25));
    expect_number(text);
  }
  freelocale(c_locale);
}
END_TEST

START_TEST(knows_missing_values_and_utf8) {
  ck_assert(number_is_missing("") && number_is_missing("NA") && number_is_missing("nan") && number_is_missing("?"));
  ck_assert(!number_is_missing("0") && !number_is_missing("N") && !number_is_missing("nothing"));
  ck_assert(utf8_is_valid("") && utf8_is_valid("déjà vu €") && utf8_is_valid("\xf0\x9f\x98\x80"));
  ck_assert(!utf8_is_valid("d\xe9j\xe0") && !utf8_is_valid("\xc0\x80") && !utf8_is_valid("\xed\xa0\x80"));
  ck_assert(!utf8_is_valid("\xe2\x82") && !utf8_is_valid("\x80") && !utf8_is_valid("\xf4\x90\x80\x80"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("csv");
  TCase *cases = tcase_create("csv");
  tcase_add_checked_fixture(cases, test_folder_create, test_folder_remove);
  tcase_add_test(cases, reads_what_is_written);
  tcase_add_test(cases, refuses_what_is_no_table);
  tcase_add_test(cases, refuses_a_record_without_end);
  tcase_add_test(cases, reads_across_buffers);
  tcase_add_test(cases, reads_numbers);
  tcase_add_test(cases, knows_missing_values_and_utf8);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
