/* See files.h. */
#include "files.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char folder[128];

void test_folder_create(void) {
  const char *parent = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/mlp_cl-test-XXXXXX", parent == NULL ? "/tmp" : parent);
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Calls visit(path) for each entry. */
static size_t each_entry(int (*visit)(const char *path)) {
  size_t count = 0;
  DIR *stream = opendir(folder);
  ck_assert_ptr_nonnull(stream);
  for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    count++;
    if (visit != NULL) ck_assert_int_eq(visit(test_path(entry->d_name)), 0);
  }
  closedir(stream);
  return count;
}

void test_folder_remove(void) {
  each_entry(remove);
  ck_assert_int_eq(rmdir(folder), 0);
}

size_t test_folder_count(void) {
  return each_entry(NULL);
}

const char *test_path(const char *name) {
  static char paths[16][512];
  static unsigned next;
  char *path = paths[next++ % 16];
  snprintf(path, sizeof paths[0], name[0] == '\0' ? "%s" : "%s/%s", folder, name);
  return path;
}

void test_file_write(const char *path, const void *bytes, size_t count) {
  FILE *stream = fopen(path, "wb");
  ck_assert_msg(stream != NULL, "cannot write %s", path);
  ck_assert_uint_eq(count == 0 ? 0 : fwrite(bytes, 1, count, stream), count);
  ck_assert_int_eq(fclose(stream), 0);
}

const char *test_text_write(const char *name, const char *text) {
  const char *path = test_path(name);
  test_file_write(path, text, strlen(text));
  return path;
}

void test_array_write(const char *name, const char *shape, const float *values, size_t count) {
  enum { HEADER = 128 };
  char *bytes = malloc(HEADER + count * sizeof *values);
  ck_assert_ptr_nonnull(bytes);
  int length = snprintf(bytes, HEADER, "\x93NUMPY%c%c%c%c{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", 1, 0,
                        HEADER - 10, 0, shape);
  ck_assert_int_lt(length, HEADER);
  memset(bytes + length, ' ', HEADER - (size_t)length);
  memcpy(bytes + HEADER, values, count * sizeof *values);
  test_file_write(test_path(name), bytes, HEADER + count * sizeof *values);
  free(bytes);
}

void test_file_write_gz(const char *path, const void *bytes, size_t count) {
  gzFile stream = gzopen(path, "wb9");
  ck_assert_msg(stream != NULL, "cannot write %s", path);
  ck_assert_int_eq(gzwrite(stream, bytes, (unsigned)count), (int)count);
  ck_assert_int_eq(gzclose(stream), Z_OK);
}

unsigned char *test_file_read(const char *path, size_t *count) {
  FILE *stream = fopen(path, "rb");
  ck_assert_msg(stream != NULL, "cannot read %s", path);
  ck_assert_int_eq(fseek(stream, 0, SEEK_END), 0);
  *count = (size_t)ftell(stream);
  rewind(stream);
  unsigned char *bytes = calloc(*count + 1, 1);
  ck_assert_ptr_nonnull(bytes);
  ck_assert_uint_eq(fread(bytes, 1, *count, stream), *count);
  fclose(stream);
  return bytes;
}
