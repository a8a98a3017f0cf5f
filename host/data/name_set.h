/* A set of texts, each with its number: the classes of a label column, the values of a column of text. Hashed under a
 * key of its own, so that no file can be written to make it slow. */
#ifndef DATA_NAME_SET_H
#define DATA_NAME_SET_H

#include <sodium/crypto_shorthash.h>

#include "base/error.h"

typedef struct name_set {
  char **texts; /* by number, owned */
  size_t count, room;
  uint32_t *slots; /* number + 1, or 0; slots_count is a power of two */
  size_t slots_count;
  unsigned char key[crypto_shorthash_KEYBYTES];
} name_set;

#define NAME_NONE UINT32_MAX

/* Begins as {0}. The number of `text`, which is new when there was none. Errors: NO_MEMORY, IO (no random key). */
mlp_cl_status name_set_add(name_set *set, const char *text, uint32_t *number, mlp_cl_error *error);
/* NAME_NONE when it is not there. */
uint32_t name_set_find(const name_set *set, const char *text);
/* Numbers them anew: by `values` (count), or by their bytes when that is NULL. ranks (count) gets the new number of
 * each old one. Error: NO_MEMORY. */
mlp_cl_status name_set_sort(name_set *set, const double *values, uint32_t *ranks, mlp_cl_error *error);
void name_set_destroy(name_set *set);

/* Names, wherever they stand: `count` texts, the next one stride_bytes behind the one at `texts`. */
typedef struct name_list {
  char *const *texts;
  size_t stride_bytes, count;
} name_list;

const char *name_list_text(const name_list *names, size_t i);
/* "a, b, c", or as many as fit and "…". Returns `text`. */
enum { NAMES_LISTED_BYTES = 400 };
const char *names_list(const name_list *names, char text[NAMES_LISTED_BYTES]);

#endif
