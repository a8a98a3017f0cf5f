/* Files that commands write beside models: looked at before the work, and then written whole or not at all. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal/options.h"

/* Tells before the work, not after, whether the path that option `id` names can be written: an existing file only with
 * --force, and never one that the command also reads, or writes for another option. Returns an exit status, after a
 * complaint unless it is STATUS_OK; without the option there is nothing to complain of. */
int output_check(const options *o, option_id id);
/* Whether both name one file, by whatever links and dots; also one that does not exist yet. */
bool output_same_place(const char *a, const char *b);
/* The part of output_check that --force does not lift. */
int output_check_distinct(const options *o, option_id id);
/* Beside the target, flushed, renamed. Says that it wrote; returns an exit status. */
int output_write(const char *path, const char *text, size_t length);

#endif
