/* Texts that stand for others in the sources of programs: LAYER_EDIT of layer.h. */
#ifndef LAYER_EDITS_H
#define LAYER_EDITS_H

#include <stdbool.h>
#include <stddef.h>

void edits_read(void);
bool edits_wanted(void);
/* The source with all edits, in their order, one after the other; freed by the caller. */
char *edits_apply(const char *source, size_t length);

#endif
