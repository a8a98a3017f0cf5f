/* Sums over features (fan-in or fan-out): blocks of 256, each fma(a, b, sum) in ascending order from 0, the blocks'
 * sums added in ascending order. */
#ifndef FEATURE_SUM_H
#define FEATURE_SUM_H

#define BLOCK_FEATURES 256

#endif
