/* What a run was begun with, or last resumed with, kept in its checkpoints, so that --resume FILE alone goes on with
 * it. */
#ifndef BEGUN_H
#define BEGUN_H

#include "terminal/options.h"

/* For mlp_cl_checkpoints: all options but those that say where results go and how they are told. JSON text, freed by
 * the caller; NULL where an option is not UTF-8: such a run is resumed with its options. */
char *begun_note(const options *o);
/* Where the checkpoint of --resume has such a note, adds from it what *o leaves out, and tells it, and the checkpoint
 * itself as --checkpoint, if it may be written. With the same --checkpoint the command says all. Returns an exit
 * status, after a complaint unless it is STATUS_OK. */
int begun_complete(options *o);

#endif
