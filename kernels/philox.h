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

#ifdef __OPENCL_C_VERSION__
#define PHILOX_FUNCTION static inline __attribute__((overloadable))
#define PHILOX_HIGH_16(a, b) mul_hi((a), (uint16)(b))
#define PHILOX_HIGH(a, b) mul_hi((a), (b))
#define PHILOX_KEY uint
#else
#include <stdint.h>
#define PHILOX_FUNCTION static inline
#define PHILOX_HIGH(a, b) ((uint32_t)(((uint64_t)(a) * (b)) >> 32))
#define PHILOX_KEY uint32_t
#endif

/* words: the counter on entry, four random words on return. key_low, key_high: the halves of the 64-bit seed. */
#define PHILOX_DEFINE(UINT, HIGH)                                                              \
  PHILOX_FUNCTION void philox4x32_10(UINT words[4], PHILOX_KEY key_low, PHILOX_KEY key_high) { \
    for (int round = 0; round < 10; round++) {                                                 \
      UINT high_0 = HIGH(words[0], 0xD2511F53u), low_0 = words[0] * 0xD2511F53u;               \
      UINT high_2 = HIGH(words[2], 0xCD9E8D57u), low_2 = words[2] * 0xCD9E8D57u;               \
      words[0] = high_2 ^ words[1] ^ key_low;                                                  \
      words[1] = low_2;                                                                        \
      words[2] = high_0 ^ words[3] ^ key_high;                                                 \
      words[3] = low_0;                                                                        \
      key_low += 0x9E3779B9u;                                                                  \
      key_high += 0xBB67AE85u;                                                                 \
    }                                                                                          \
  }

#ifdef __OPENCL_C_VERSION__
PHILOX_DEFINE(uint, PHILOX_HIGH)
PHILOX_DEFINE(uint16, PHILOX_HIGH_16) /* 16 counters at once */
#else
PHILOX_DEFINE(uint32_t, PHILOX_HIGH)
#endif

#endif
