/* The content of a file or of standard input, byte by byte as it comes: gzip is unpacked on the way, and a read gives
 * what is there instead of waiting for more, so that a row that arrives through a pipe can be answered at once. */
#ifndef DATA_STREAM_H
#define DATA_STREAM_H

#include <stddef.h>
#include <zlib.h>

#include "base/error.h"

typedef struct stream {
  const char *path; /* for texts; "standard input" for "-" */
  int file;
  uint64_t size;   /* bytes of a regular file; else UINT64_MAX */
  uint64_t offset; /* bytes of the content read so far */
  bool gzip;
  bool ended;
  unsigned char *content, *packed; /* STREAM_BUFFER bytes each, in one allocation; packed for gzip */
  size_t begin, end;               /* of what is waiting in content */
  z_stream inflater;
} stream;

/* Fuzzers take a small one, whose ends small inputs cross. */
#ifndef MLP_CL_STREAM_BUFFER
#define MLP_CL_STREAM_BUFFER (1 << 16)
#endif
enum { STREAM_BUFFER = MLP_CL_STREAM_BUFFER };

/* `path` "-" is standard input; it must live as long as the stream. Errors: IO, NO_MEMORY, BAD_FILE. On failure there
 * is nothing to close. */
mlp_cl_status stream_open(stream *s, const char *path, mlp_cl_error *error);
void stream_close(stream *s);
/* Reads 1 to `count` bytes; *got is 0 only at the end. Errors: IO, BAD_FILE (gzip data that are damaged), NO_MEMORY. */
mlp_cl_status stream_read(stream *s, void *bytes, size_t count, size_t *got, mlp_cl_error *error);
/* What comes next, without taking it: *count bytes, 0 only at the end. */
mlp_cl_status stream_peek(stream *s, const unsigned char **bytes, size_t *count, mlp_cl_error *error);

#endif
