/* The order in which an epoch takes its rows: a function of seed and epoch alone. */
#ifndef TRAINING_SHUFFLE_H
#define TRAINING_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* order (rows) becomes a permutation of 0 … rows-1: Fisher-Yates, which for i = rows-1 down to 1 exchanges order[i]
 * with order[floor(r · (i + 1) / 2^64)]. r is words 2·(i mod 2) (low) and the next (high) of Philox at counter (i / 2,
 * 0, epoch, shuffle) under the seed. With rows < 2^31 no place is likelier than another by more than 2^-33. Epochs
 * count from 0. */
void shuffle_rows(uint64_t seed, uint32_t epoch, size_t rows, uint32_t *order);

#endif
