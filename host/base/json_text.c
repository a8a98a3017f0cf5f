#include "base/json_text.h"

#include <stdlib.h>

/* Into memory that is there beforehand. */
char *json_text(const json_t *value, size_t flags) {
  size_t length = value == NULL ? 0 : json_dumpb(value, NULL, 0, flags);
  char *text = length == 0 ? NULL : malloc(length + 1);
  if (text == NULL) return NULL;
  if (json_dumpb(value, text, length, flags) != length) {
    free(text);
    return NULL;
  }
  text[length] = '\0';
  return text;
}
