/* See edits.h. */
#include "edits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EDITS_MAX = 16 };

static struct { char *text, *other; /* `other` stands for `text` */ } edits[EDITS_MAX];
static size_t edits_count;
static bool changed; /* some source */

/* Edits that meet nothing would let a test pass for the wrong reason. */
__attribute__((destructor)) static void insist(void) {
  if (edits_count == 0 || changed) return;
  fprintf(stderr, "layer: no source has the text '%s'\n", edits[0].text);
  _exit(99);
}

void edits_read(void) {
  const char *line = getenv("LAYER_EDIT"), *arrow;
  for (; line != NULL && (arrow = strstr(line, " => ")) != NULL; line = strchr(arrow, '\n')) {
    if (*line == '\n') line++;
    if (arrow == line || edits_count == EDITS_MAX) abort();
    edits[edits_count].text = strndup(line, (size_t)(arrow - line));
    edits[edits_count++].other = strndup(arrow + 4, strcspn(arrow + 4, "\n"));
  }
}

bool edits_wanted(void) {
  return edits_count > 0;
}

/* The source with each `text` replaced by its `other`. */
static char *edit(const char *source, const char *text, const char *other) {
  size_t from = strlen(text), to = strlen(other);
  char *edited = malloc(strlen(source) * (to / from + 2) + 1), *end = edited;
  if (edited == NULL) abort();
  for (const char *found; (found = strstr(source, text)) != NULL; source = found + from) {
    changed = true;
    memcpy(end, source, (size_t)(found - source));
    end += found - source;
    memcpy(end, other, to);
    end += to;
  }
  strcpy(end, source);
  return edited;
}

char *edits_apply(const char *text, size_t length) {
  char *source = strndup(text, length);
  for (size_t i = 0; i < edits_count; i++) {
    char *edited = edit(source, edits[i].text, edits[i].other);
    free(source);
    source = edited;
  }
  return source;
}
