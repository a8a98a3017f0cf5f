/* Delimited text, record by record: CSV as in RFC 4180, its relatives with tab, semicolon, bar or blanks between
 * fields, LF, CRLF or CR at the ends of lines, UTF-8 with or without a byte order mark. */
#ifndef DATA_CSV_H
#define DATA_CSV_H

#include "data/number.h"
#include "data/stream.h"

enum { CSV_FIELDS_MAX = 1 << 20, CSV_RECORD_BYTES_MAX = 1 << 24 };

typedef struct csv_reader {
  stream source;
  /* The record that csv_next found. */
  char **fields; /* without quotes and the blanks around them, each with a NUL at its end */
  size_t fields_count;
  size_t line;       /* on which it begins, counted from 1 */
  locale_t c_locale; /* for number_read, which takes numbers as C writes them */
  /* The rest is the reader's own. */
  size_t next_line, fields_room;
  size_t *starts;                 /* of the fields, from the record's beginning */
  char *buffer;                   /* one byte more than buffer_bytes */
  size_t buffer_bytes, next, end; /* next: where the next record begins */
  bool ended, after_return;
  char delimiter;    /* 0 until the first record has shown it */
  char special[256]; /* bytes that end a run of plain ones */
} csv_reader;

/* `path` as in stream_open. On failure there is nothing to close. Errors: IO, NO_MEMORY, BAD_FILE. */
mlp_cl_status csv_open(csv_reader *csv, const char *path, mlp_cl_error *error);
void csv_close(csv_reader *csv);
/* Finds the next record that is not blank; *found false at the end. The fields are valid until the next call. Errors:
 * BAD_FILE with file and line, IO, NO_MEMORY. */
mlp_cl_status csv_next(csv_reader *csv, bool *found, mlp_cl_error *error);

#endif
