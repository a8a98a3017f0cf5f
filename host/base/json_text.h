/* JSON as text, all of it or none: jansson's json_dumps leaves out a key where memory fails while it is written. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <jansson.h>

/* As json_dumps with these flags; NULL for NULL. */
char *json_text(const json_t *value, size_t flags);

#endif
