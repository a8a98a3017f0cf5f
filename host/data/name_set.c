/* See name_set.h. */
#include "data/name_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t slot_of(const name_set *set, const char *text) {
  unsigned char hash[crypto_shorthash_BYTES];
  crypto_shorthash(hash, (const unsigned char *)text, strlen(text), set->key);
  uint64_t number;
  memcpy(&number, hash, sizeof number);
  size_t slot = (size_t)number & (set->slots_count - 1);
  while (set->slots[slot] != 0 && strcmp(set->texts[set->slots[slot] - 1], text) != 0) {
    slot = (slot + 1) & (set->slots_count - 1);
  }
  return slot;
}

static void fill_slots(name_set *set) {
  memset(set->slots, 0, set->slots_count * sizeof *set->slots);
  for (size_t i = 0; i < set->count; i++) set->slots[slot_of(set, set->texts[i])] = (uint32_t)i + 1;
}

/* Keeps the table at most half full. */
static mlp_cl_status grow(name_set *set, mlp_cl_error *error) {
  size_t room = set->room == 0 ? 16 : 2 * set->room;
  char **texts = realloc(set->texts, room * sizeof *texts);
  if (texts != NULL) set->texts = texts;
  uint32_t *slots = realloc(set->slots, 2 * room * sizeof *slots);
  if (slots != NULL) set->slots = slots;
  if (texts == NULL || slots == NULL) return fail_memory(error, room * 16, "the values of a column");
  if (set->room == 0 && getentropy(set->key, sizeof set->key) != 0)
    return fail(error, MLP_CL_IO, "the system gives no random numbers: %s", strerror(errno));
  set->room = room;
  set->slots_count = 2 * room;
  fill_slots(set);
  return MLP_CL_OK;
}

mlp_cl_status name_set_add(name_set *set, const char *text, uint32_t *number, mlp_cl_error *error) {
  if (set->count == set->room) TRY(grow(set, error));
  size_t slot = slot_of(set, text);
  if (set->slots[slot] == 0) {
    char *copy = strdup(text);
    if (copy == NULL) return fail_memory(error, strlen(text) + 1, "the values of a column");
    set->texts[set->count++] = copy;
    set->slots[slot] = (uint32_t)set->count;
  }
  *number = set->slots[slot] - 1;
  return MLP_CL_OK;
}

uint32_t name_set_find(const name_set *set, const char *text) {
  return set->count == 0 ? NAME_NONE : set->slots[slot_of(set, text)] - 1;
}

typedef struct ranked {
  char *text;
  double value;
  uint32_t number;
} ranked;

static int compare_texts(const void *a, const void *b) {
  return strcmp(((const ranked *)a)->text, ((const ranked *)b)->text);
}

static int compare_values(const void *a, const void *b) {
  double left = ((const ranked *)a)->value, right = ((const ranked *)b)->value;
  return left < right ? -1 : left > right ? 1 : compare_texts(a, b);
}

mlp_cl_status name_set_sort(name_set *set, const double *values, uint32_t *ranks, mlp_cl_error *error) {
  ranked *sorted = malloc((set->count + 1) * sizeof *sorted);
  if (sorted == NULL) return fail_memory(error, set->count * sizeof *sorted, "the values of a column");
  for (size_t i = 0; i < set->count; i++) {
    sorted[i] = (ranked){set->texts[i], values == NULL ? 0 : values[i], (uint32_t)i};
  }
  qsort(sorted, set->count, sizeof *sorted, values == NULL ? compare_texts : compare_values);
  for (size_t i = 0; i < set->count; i++) {
    set->texts[i] = sorted[i].text;
    ranks[sorted[i].number] = (uint32_t)i;
  }
  free(sorted);
  if (set->count > 0) fill_slots(set);
  return MLP_CL_OK;
}

void name_set_destroy(name_set *set) {
  for (size_t i = 0; i < set->count; i++) free(set->texts[i]);
  free(set->texts);
  free(set->slots);
  *set = (name_set){0};
}

const char *name_list_text(const name_list *names, size_t i) {
  return *(char *const *)(const void *)((const char *)names->texts + i * names->stride_bytes);
}

const char *names_list(const name_list *names, char text[NAMES_LISTED_BYTES]) {
  enum { ENOUGH = NAMES_LISTED_BYTES - 100 };
  size_t used = 0, i = 0;
  text[0] = '\0';
  for (; i < names->count && used < ENOUGH; i++)
    used += (size_t)snprintf(text + used, NAMES_LISTED_BYTES - used, "%s%.60s", i == 0 ? "" : ", ",
                             name_list_text(names, i));
  if (i < names->count) snprintf(text + strlen(text), NAMES_LISTED_BYTES - strlen(text), ", …");
  return text;
}
