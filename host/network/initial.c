#include "network/initial.h"

#include "exact_math.h"
#include "philox.h"

static void fill_uniform(float bound, uint32_t stream, uint64_t seed, size_t count, float *values) {
  uint32_t words[4] = {0};
  for (size_t i = 0; i < count; i++) {
    if (i % 4 == 0) {
      uint64_t block = i / 4;
      words[0] = (uint32_t)block;
      words[1] = (uint32_t)(block >> 32);
      words[2] = 0;
      words[3] = stream;
      philox4x32_10(words, (uint32_t)seed, (uint32_t)(seed >> 32));
    }
    int32_t odd = 2 * (int32_t)(words[i % 4] >> 8) + 1 - (1 << 24); /* below 2^24 in magnitude: exact as a float */
    values[i] = (float)odd * 0x1p-24f * bound;
  }
}

void initial_weight(mlp_cl_init init, size_t in, size_t out, uint32_t layer, uint64_t seed, float *weight) {
  float bound = 0.0f;
  if (init == MLP_CL_INIT_HE) bound = exact_sqrt(exact_divide(6.0f, (float)in));
  if (init == MLP_CL_INIT_PYTORCH) bound = exact_divide(1.0f, exact_sqrt((float)in));
  fill_uniform(bound, PHILOX_STREAM(PHILOX_INITIAL_WEIGHTS, layer), seed, in * out, weight);
}

void initial_bias(mlp_cl_init init, size_t in, size_t out, uint32_t layer, uint64_t seed, float *bias) {
  float bound = init == MLP_CL_INIT_PYTORCH ? exact_divide(1.0f, exact_sqrt((float)in)) : 0.0f;
  fill_uniform(bound, PHILOX_STREAM(PHILOX_INITIAL_BIASES, layer), seed, out, bias);
}
