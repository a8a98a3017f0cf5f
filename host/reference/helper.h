/* A second thread for work that follows in quick succession, such as predictions of single rows in a loop. After each
 * piece it stays awake for as long as the last call took, or half as long as before, a tenth of a millisecond at least
 * and one at most; else it sleeps, and nobody waits for it. */
#ifndef REFERENCE_HELPER_H
#define REFERENCE_HELPER_H

#include <stddef.h>

typedef struct helper helper;
typedef void helper_piece(void *user, size_t i);

/* NULL where there is no second processor, thread or memory; to be destroyed by the caller. */
helper *helper_create(void);
void helper_destroy(helper *h);

/* Runs the pieces 0 … count - 1, count <= 65535, once each, and returns when all are done. This thread takes
 * them from the front and the helper, if it is awake, from the back: so a thread meets the same pieces, which are in
 * its cache, again in the next call. One caller at a time; h NULL: this thread alone. The helper's floating-point
 * environment is the contract's. */
void helper_share(helper *h, size_t count, helper_piece *piece, void *user);

#endif
