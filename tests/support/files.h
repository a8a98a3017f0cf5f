/* Files for tests: a folder of their own, and bytes to and from it. Each call fails the test when it fails. */
#ifndef SUPPORT_FILES_H
#define SUPPORT_FILES_H

#include <stddef.h>

/* Makes a fresh folder and remembers it; for checked fixtures. */
void test_folder_create(void);
/* Removes it with the files in it. */
void test_folder_remove(void);
/* "<folder>/<name>"; valid for the next 15 calls. An empty name gives the folder. */
const char *test_path(const char *name);
/* Entries in the folder. */
size_t test_folder_count(void);

void test_file_write(const char *path, const void *bytes, size_t count);
/* A text to test_path(name), which is returned. */
const char *test_text_write(const char *name, const char *text);
/* float32 values to test_path(name), as NumPy writes an array of that shape: "(40, 3)". */
void test_array_write(const char *name, const char *shape, const float *values, size_t count);
void test_file_write_gz(const char *path, const void *bytes, size_t count);
/* The content, followed by a NUL that is not counted; freed by the caller. */
unsigned char *test_file_read(const char *path, size_t *count);

#endif
