/* The first record of a table: whether it names the columns, how they are called, and which of them are meant. */
#ifndef DATA_HEADING_H
#define DATA_HEADING_H

#include "data/csv.h"
#include "data/name_set.h"

/* Whether the record that `csv` stands at is a heading: no field is a number, at least one is not empty, and the names
 * that it makes are different. */
bool heading_is_there(const csv_reader *csv);
/* The columns' names, numbered as they stand: the text of the record's field or, where that is empty or the record is
 * not a heading (`named` false), the number from 1. The caller destroys `names` in any case. Errors: BAD_FILE (two are
 * the same), NO_MEMORY. */
mlp_cl_status heading_read(const csv_reader *csv, bool named, name_set *names, mlp_cl_error *error);

/* The first column of a list "a, b,3", by its name, else by its number from 1, so that one with a comma in its name can
 * be told; *list moves on to the rest, at last to NULL. Error: BAD_ARGUMENT (there is none: lists them, and names
 * `path` and `option`). */
mlp_cl_status heading_find(const name_list *columns, const char *path, const char *option, const char **list,
                           size_t *found, mlp_cl_error *error);

#endif
