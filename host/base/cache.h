/* Small facts kept between runs, one file each, in $MLP_CL_CACHE, else $XDG_CACHE_HOME/mlp_cl, else ~/.cache/mlp_cl.
 * MLP_CL_CACHE=off keeps none. The folder must belong to the user and be closed to others (0700), or it is not used;
 * links are not followed; a fact that is damaged counts as absent. A cache only saves time, so nothing here reports
 * errors. */
#ifndef BASE_CACHE_H
#define BASE_CACHE_H

#include <stdbool.h>

/* True when `fact` was kept under `key`, 64 hex digits. */
bool cache_holds(const char key[65], const char *fact);
/* Keeps it, in one step, so that other processes see all of it or nothing. */
void cache_keep(const char key[65], const char *fact);

#endif
