/* What is kept between runs, one file an entry, in $MLP_CL_CACHE, else $XDG_CACHE_HOME/mlp_cl, else ~/.cache/mlp_cl.
 * MLP_CL_CACHE=off keeps nothing. The folder must belong to the user and be closed to others (0700), or it is not used;
 * links are not followed; an entry that is damaged counts as absent. What is larger than a page never takes more than
 * 256 MiB. A cache only saves time, so nothing here reports errors. Keys are 64 hex digits: hashes of all that the
 * entry depends on. */
#ifndef BASE_CACHE_H
#define BASE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether there is a folder to keep anything in. */
bool cache_available(void);

/* The entry's bytes, with a NUL behind them that *count does not count; NULL when there is none. Freed by the
 * caller. */
void *cache_read(const char key[65], size_t *count);
/* Keeps an entry in one step, so that other processes see all of it, or what was there before; false when it could
 * not. */
bool cache_write(const char key[65], const void *bytes, size_t count);
void cache_forget(const char key[65]);
/* Removes what has not been read for longest, but for short texts, until what is left has at most so many bytes. */
void cache_prune(uint64_t most);

/* Short texts: whether exactly `fact` was kept, and to keep it. */
bool cache_holds(const char key[65], const char *fact);
bool cache_keep(const char key[65], const char *fact);

#endif
