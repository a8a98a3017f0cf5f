/* The nearest word to a mistyped one. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include <stddef.h>

typedef struct suggestion {
  const char *typed;
  const char *word; /* the nearest so far, or NULL when none is near */
  size_t distance;
} suggestion;

suggestion suggest_begin(const char *typed);
/* Offers one word. */
void suggest(suggestion *best, const char *word);

#endif
