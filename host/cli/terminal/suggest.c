/* Edit distance (insert, delete, replace, swap neighbours) between what was typed and the words there are. */
#include "terminal/suggest.h"

#include <string.h>

enum { LONGEST = 40 };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t edit_distance(const char *a, const char *b) {
  size_t m = strlen(a), n = strlen(b);
  if (m > LONGEST || n > LONGEST) return 2 * LONGEST;
  size_t d[LONGEST + 1][LONGEST + 1];
  for (size_t i = 0; i <= m; i++) d[i][0] = i;
  for (size_t j = 0; j <= n; j++) d[0][j] = j;
  for (size_t i = 1; i <= m; i++) {
    for (size_t j = 1; j <= n; j++) {
      size_t replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      d[i][j] = least(replaced, least(d[i - 1][j], d[i][j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[m][n];
}

/* Up to a third of the letters may be wrong, and one at least: beyond that a guess annoys. */
suggestion suggest_begin(const char *typed) {
  return (suggestion){.typed = typed, .word = NULL, .distance = 2 + strlen(typed) / 3};
}

void suggest(suggestion *best, const char *word) {
  size_t distance = edit_distance(best->typed, word);
  /* What was typed as a beginning ("eval") counts as near. */
  size_t length = strlen(best->typed);
  if (length >= 3 && strncmp(best->typed, word, length) == 0) distance = 1;
  if (distance < best->distance) {
    best->distance = distance;
    best->word = word;
  }
}
