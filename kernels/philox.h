/* Philox4x32-10 (Salmon et al. 2011), the source of every random number, as C and as OpenCL C. A number is a function
 * of its counter and the seed alone: no state, so no device, grid or order of work can change a draw. */
#ifndef PHILOX_H
#define PHILOX_H

/* Word 3 of a counter says what the numbers are for, so that no two uses can ever meet: see PHILOX_STREAM. */
#define PHILOX_DROPOUT 0u
#define PHILOX_INITIAL_WEIGHTS 1u
#define PHILOX_INITIAL_BIASES 2u
#define PHILOX_SHUFFLE 3u
#define PHILOX_SPLIT 4u
/* layer < 2^24 */
#define PHILOX_STREAM(purpose, layer) (((purpose) << 24) | (layer))

/* a · b in 64 bits: returns the low half of each product and sets *high to the other. */
#ifdef __OPENCL_C_VERSION__

#define PHILOX_FUNCTION static inline __attribute__((overloadable))
#define PHILOX_WORD uint

PHILOX_FUNCTION uint philox_multiply(uint a, uint b, uint *high) {
  *high = mul_hi(a, b);
  return a * b;
}

/* Words in the low halves of 64-bit lanes, as CPUs multiply 32 by 32 bits; the high halves hold what is left over. */
PHILOX_FUNCTION ulong8 philox_multiply(ulong8 a, uint b, ulong8 *high) {
  ulong8 product = (a & 0xffffffffUL) * (ulong8)(b);
  *high = product >> 32;
  return product;
}

#else

#include <stdint.h>

#define PHILOX_FUNCTION static inline
#define PHILOX_WORD uint32_t

PHILOX_FUNCTION uint32_t philox_multiply(uint32_t a, uint32_t b, uint32_t *high) {
  uint64_t product = (uint64_t)a * b;
  *high = (uint32_t)(product >> 32);
  return (uint32_t)product;
}

#endif

/* words: the counter on entry, four random words on return. key_low, key_high: the halves of the 64-bit seed. */
#define PHILOX_DEFINE(WORD)                                                                      \
  PHILOX_FUNCTION void philox4x32_10(WORD words[4], PHILOX_WORD key_low, PHILOX_WORD key_high) { \
    for (int round = 0; round < 10; round++) {                                                   \
      WORD high_0, high_2;                                                                       \
      WORD low_0 = philox_multiply(words[0], 0xD2511F53u, &high_0);                              \
      WORD low_2 = philox_multiply(words[2], 0xCD9E8D57u, &high_2);                              \
      words[0] = high_2 ^ words[1] ^ key_low;                                                    \
      words[1] = low_2;                                                                          \
      words[2] = high_0 ^ words[3] ^ key_high;                                                   \
      words[3] = low_0;                                                                          \
      key_low += 0x9E3779B9u;                                                                    \
      key_high += 0xBB67AE85u;                                                                   \
    }                                                                                            \
  }

PHILOX_DEFINE(PHILOX_WORD)
#ifdef __OPENCL_C_VERSION__
PHILOX_DEFINE(ulong8) /* eight counters at once */
#endif

#endif
