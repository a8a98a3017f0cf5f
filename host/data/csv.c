/* See csv.h. A record is parsed once, however its bytes arrive: positions count from its beginning, so the buffer may
 * move or grow under it. */
#include "data/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"

enum { FIRST_BUFFER = 4 * STREAM_BUFFER };

mlp_cl_status csv_open(csv_reader *csv, const char *path, mlp_cl_error *error) {
  *csv = (csv_reader){.next_line = 1, .buffer_bytes = FIRST_BUFFER, .fields_room = 64};
  TRY(stream_open(&csv->source, path, error));
  csv->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  csv->buffer = malloc(csv->buffer_bytes + 1);
  csv->fields = malloc(csv->fields_room * sizeof *csv->fields);
  csv->starts = malloc(csv->fields_room * sizeof *csv->starts);
  if (csv->c_locale != (locale_t)0 && csv->buffer != NULL && csv->fields != NULL && csv->starts != NULL) {
    return MLP_CL_OK;
  }
  csv_close(csv);
  return fail_memory(error, FIRST_BUFFER, "reading a table");
}

void csv_close(csv_reader *csv) {
  if (csv->c_locale != (locale_t)0) freelocale(csv->c_locale);
  free(csv->buffer);
  free(csv->fields);
  free(csv->starts);
  stream_close(&csv->source);
}

/* ---- Bytes ------------------------------------------------------------------------------------------------------- */

/* Makes more of the record known: moves it to the buffer's beginning, doubles the buffer when it fills it, reads. */
static mlp_cl_status read_more(csv_reader *csv, mlp_cl_error *error) {
  if (csv->next > 0 && csv->end == csv->buffer_bytes) {
    memmove(csv->buffer, csv->buffer + csv->next, csv->end - csv->next);
    csv->end -= csv->next;
    csv->next = 0;
  }
  if (csv->end == csv->buffer_bytes) {
    if (csv->buffer_bytes >= CSV_RECORD_BYTES_MAX) {
      return fail(error, MLP_CL_BAD_FILE,
                  "%s: line %zu: a record of more than %d bytes; is a quote left open, or is it no table?",
                  csv->source.path, csv->line, CSV_RECORD_BYTES_MAX);
    }
    char *grown = realloc(csv->buffer, 2 * csv->buffer_bytes + 1);
    if (grown == NULL) return fail_memory(error, 2 * csv->buffer_bytes, "a record of a table");
    csv->buffer = grown;
    csv->buffer_bytes *= 2;
  }
  size_t got;
  TRY(stream_read(&csv->source, csv->buffer + csv->end, csv->buffer_bytes - csv->end, &got, error));
  csv->end += got;
  csv->ended = got == 0;
  return MLP_CL_OK;
}

/* The most frequent candidate on the line, outside quotes, which begin with a field; blanks only when there is nothing
 * else. */
static char find_delimiter(const char *text, size_t count) {
  static const char candidates[] = "\t,;| ";
  size_t seen[5] = {0}, best = 0;
  bool quoted = false, begins = true;
  for (size_t i = 0; i < count && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
    if (text[i] == '"') quoted = !quoted && begins;
    const char *candidate = quoted || text[i] == '\0' ? NULL : strchr(candidates, text[i]);
    if (candidate != NULL) seen[candidate - candidates]++;
    if (!quoted && text[i] != ' ') begins = candidate != NULL;
  }
  for (size_t c = 1; c < 4; c++) best = seen[c] > seen[best] ? c : best;
  return seen[best] > 0 ? candidates[best] : seen[4] > 0 ? ' ' : ',';
}

/* Where the first line begins that is not empty, as far as the text has been read. */
static size_t first_line(const csv_reader *csv) {
  size_t at = csv->next;
  while (at < csv->end && (csv->buffer[at] == '\n' || csv->buffer[at] == '\r')) at++;
  return at;
}

/* Looks at the first line, or as much of it as the buffer holds. */
static mlp_cl_status begin_text(csv_reader *csv, mlp_cl_error *error) {
  while (!csv->ended && csv->end < 3) TRY(read_more(csv, error));
  const unsigned char *text = (const unsigned char *)csv->buffer;
  if (csv->end >= 2 && ((text[0] == 0xff && text[1] == 0xfe) || (text[0] == 0xfe && text[1] == 0xff))) {
    return fail(error, MLP_CL_BAD_FILE, "%s: is UTF-16; convert it: iconv -f utf-16 -t utf-8 FILE > NEW",
                csv->source.path);
  }
  if (csv->end >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) csv->next = 3;
  size_t first = first_line(csv);
  while (!csv->ended && csv->end < FIRST_BUFFER && memchr(csv->buffer + first, '\n', csv->end - first) == NULL) {
    TRY(read_more(csv, error));
    first = first_line(csv);
  }
  csv->delimiter = find_delimiter(csv->buffer + first, csv->end - first);
  csv->special[(unsigned char)csv->delimiter] = csv->special['\n'] = csv->special['\r'] = csv->special['\0'] = 1;
  return MLP_CL_OK;
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

typedef enum csv_state { BEFORE, PLAIN, QUOTED, QUOTE_IN_QUOTED, AFTER } csv_state;

/* Where the parser is in a record, from its beginning. */
typedef struct csv_place {
  csv_state state;
  size_t at;    /* next byte to read */
  size_t start; /* of the field */
  size_t write; /* end of the field's content so far, at most `at`: quotes and outer blanks vanish */
  size_t quote_line;
} csv_place;

static mlp_cl_status end_field(csv_reader *csv, csv_place *place, mlp_cl_error *error) {
  if (csv->fields_count == csv->fields_room) {
    if (csv->fields_room == CSV_FIELDS_MAX) {
      return fail(error, MLP_CL_BAD_FILE, "%s: line %zu: more than %d fields", csv->source.path, csv->line,
                  CSV_FIELDS_MAX);
    }
    char **fields = realloc(csv->fields, 2 * csv->fields_room * sizeof *fields);
    if (fields != NULL) csv->fields = fields;
    size_t *starts = realloc(csv->starts, 2 * csv->fields_room * sizeof *starts);
    if (starts != NULL) csv->starts = starts;
    if (fields == NULL || starts == NULL) return fail_memory(error, csv->fields_room * 32, "the fields of a record");
    csv->fields_room *= 2;
  }
  char *record = csv->buffer + csv->next;
  if (place->state == PLAIN) {
    while (place->write > place->start && (record[place->write - 1] == ' ' || record[place->write - 1] == '\t')) {
      place->write--;
    }
  }
  if (place->state == BEFORE) place->start = place->write = place->at;
  /* The byte there is the delimiter, or one that has been read before it. */
  record[place->write] = '\0';
  csv->starts[csv->fields_count++] = place->start;
  place->state = BEFORE;
  return MLP_CL_OK;
}

static mlp_cl_status fail_at(const csv_reader *csv, size_t line, const char *what, mlp_cl_error *error) {
  return fail(error, MLP_CL_BAD_FILE, "%s: line %zu: %s", csv->source.path, line, what);
}

/* Takes one byte in `state` BEFORE, QUOTED, QUOTE_IN_QUOTED or AFTER, or a special one in PLAIN. *ended: the record. */
static mlp_cl_status take(csv_reader *csv, csv_place *place, bool *ended, mlp_cl_error *error) {
  char *record = csv->buffer + csv->next, c = record[place->at];
  if (c == '\0')
    return fail_at(
        csv, csv->next_line,
        "a NUL byte: this is no table of text; NPY, NPZ and IDX files are read by their names, and not through a pipe",
        error);
  if (place->state == QUOTED) {
    if (c == '"') {
      place->state = QUOTE_IN_QUOTED;
    } else {
      csv->next_line += c == '\n';
      record[place->write++] = c;
    }
  } else if (c == '\n' || c == '\r') {
    *ended = true;
    csv->after_return = c == '\r';
    csv->next_line++;
    /* Blanks at the end of a line are no field when blanks delimit. */
    if (csv->delimiter != ' ' || place->state != BEFORE) TRY(end_field(csv, place, error));
  } else if (c == csv->delimiter) {
    if (csv->delimiter != ' ' || place->state != BEFORE) TRY(end_field(csv, place, error));
  } else if (place->state == QUOTE_IN_QUOTED && c == '"') {
    record[place->write++] = '"';
    place->state = QUOTED;
  } else if (c == ' ' || c == '\t') {
    if (place->state == QUOTE_IN_QUOTED) place->state = AFTER;
  } else if (place->state != BEFORE) {
    return fail_at(csv, csv->next_line, "text after a closing quote; write a quote inside quotes twice", error);
  } else if (c == '"') {
    place->state = QUOTED;
    place->start = place->write = place->at;
    place->quote_line = csv->next_line;
  } else {
    place->state = PLAIN;
    place->start = place->at;
    place->write = place->at + 1;
  }
  place->at++;
  return MLP_CL_OK;
}

/* A run of plain bytes of a field, up to the first special one. */
static void run_plain(const csv_reader *csv, csv_place *place, size_t count) {
  const unsigned char *record = (const unsigned char *)csv->buffer + csv->next;
  size_t at = place->at;
  while (at < count && !csv->special[record[at]]) at++;
  place->at = place->write = at;
}

static mlp_cl_status parse_record(csv_reader *csv, csv_place *place, mlp_cl_error *error) {
  for (bool ended = false; !ended;) {
    size_t count = csv->end - csv->next;
    while (place->at < count && !ended) {
      if (place->state == PLAIN) {
        run_plain(csv, place, count);
        if (place->at == count) break;
      }
      TRY(take(csv, place, &ended, error));
    }
    if (ended) break;
    if (csv->ended) {
      if (place->state == QUOTED)
        return fail_at(csv, place->quote_line, "a quote that is opened here is not closed", error);
      if (place->at > 0 && (csv->delimiter != ' ' || place->state != BEFORE)) TRY(end_field(csv, place, error));
      break;
    }
    TRY(read_more(csv, error));
  }
  for (size_t i = 0; i < csv->fields_count; i++) csv->fields[i] = csv->buffer + csv->next + csv->starts[i];
  csv->next += place->at;
  return MLP_CL_OK;
}

static bool is_blank(const csv_reader *csv) {
  return csv->fields_count == 0 || (csv->fields_count == 1 && csv->fields[0][0] == '\0');
}

mlp_cl_status csv_next(csv_reader *csv, bool *found, mlp_cl_error *error) {
  *found = false;
  if (csv->delimiter == '\0') TRY(begin_text(csv, error));
  do {
    if (csv->next == csv->end && !csv->ended) {
      csv->next = csv->end = 0;
      TRY(read_more(csv, error));
    }
    if (csv->after_return && csv->next < csv->end && csv->buffer[csv->next] == '\n') csv->next++;
    csv->after_return = false;
    if (csv->next == csv->end && csv->ended) return MLP_CL_OK;
    csv->fields_count = 0;
    csv->line = csv->next_line;
    csv_place place = {.state = BEFORE};
    TRY(parse_record(csv, &place, error));
  } while (is_blank(csv));
  *found = true;
  return MLP_CL_OK;
}
