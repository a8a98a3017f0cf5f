/* The terms of a tile's sums that count. Data have zeros, often in the same places: margins of images, words that no
 * text of a batch has. A term whose element is 0 in all rows of a tile leaves every sum as it is: fma(0, b, s) is s,
 * for b is finite, and no sum is -0, since floors keep products from underflowing (docs/numerics.md). So a tile may
 * take the others alone, with the same bits. */
#ifndef TERMS_H
#define TERMS_H

#include "sizes.h"

/* Terms of a sum in one go: a block of features, a leaf of the batch. Their numbers are bytes. */
#define TERMS_MAX 256
#if BLOCK_FEATURES > TERMS_MAX || LEAF_ROWS > TERMS_MAX
#error "a list of terms is too short"
#endif

/* So many are added at a time, of which the last ones may mean nothing. */
#define TERMS_ADDED 4

#define TERMS_ALL (-1)

typedef struct {
  int count;                             /* TERMS_ALL: all terms, none is listed */
  uchar number[TERMS_MAX + TERMS_ADDED]; /* ascending */
} terms;

typedef char terms_have_their_size[sizeof(terms) == TERMS_BYTES ? 1 : -1];

#endif
