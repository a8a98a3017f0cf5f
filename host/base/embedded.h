/* Files that the build put into the binary; the tables are written by cmake/embed.cmake. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

typedef struct embedded_file {
  const char *name;           /* without folder; NULL ends the table */
  const unsigned char *bytes; /* followed by a NUL */
  size_t count;
} embedded_file;

extern const embedded_file embedded_kernels[]; /* kernels/ */
extern const embedded_file embedded_digits[];  /* host/data/digits.csv.gz */

#endif
