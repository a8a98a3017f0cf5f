/* The terms of sums that count. A term whose element is 0 leaves the sum as it is: fma(0, b, s) is s, for b is finite,
 * and no sum is -0, since floors keep products from underflowing (docs/numerics.md). So the others may be taken alone,
 * with the same bits. Zeros of data often come together: margins of images, words that no text of a batch has. There a
 * tile takes those terms whose elements are not 0 in all of its rows. What ReLU and dropout leave is scattered: there
 * each row takes its own. */
#ifndef TERMS_H
#define TERMS_H

#include "sizes.h"

/* Terms of a sum in one go: a block of features, a leaf of the batch. Their numbers are bytes. */
#define TERMS_MAX 256
#if BLOCK_FEATURES > TERMS_MAX || LEAF_ROWS > TERMS_MAX
#error "a list of terms is too short"
#endif

/* Rows take so many terms in turn, whose lines stay in the first cache meanwhile. */
#define SLAB_TERMS 64

/* So many are added at a time, of which the last ones may mean nothing. */
#define TERMS_ADDED 4

#define TERMS_ALL (-1)

typedef struct {
  int count;                             /* TERMS_ALL: all terms, none is listed */
  ushort end[TERMS_MAX / SLAB_TERMS];    /* of a row's: how many there are up to the end of each slab */
  uchar number[TERMS_MAX + TERMS_ADDED]; /* ascending */
} terms;

typedef char terms_have_their_size[sizeof(terms) == TERMS_BYTES ? 1 : -1];

#endif
