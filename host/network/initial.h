/* Initial parameters: a function of shape and seed alone, the same on every host. */
#ifndef NETWORK_INITIAL_H
#define NETWORK_INITIAL_H

#include "mlp_cl.h"

/* Parameter number i (row-major) of a layer is n · 2^-24 · bound, rounded once, where n = 2·(w >> 8) + 1 - 2^24 is odd
 * and symmetric about 0, and w is word i mod 4 of Philox at counter (i / 4 as two words, 0, purpose and layer) under
 * the seed. bound is sqrt(6 / in) (HE) or 1 / sqrt(in) (PYTORCH), from exact_math.h. */
void initial_weight(mlp_cl_init init, size_t in, size_t out, uint32_t layer, uint64_t seed, float *weight);
void initial_bias(mlp_cl_init init, size_t in, size_t out, uint32_t layer, uint64_t seed, float *bias);

#endif
