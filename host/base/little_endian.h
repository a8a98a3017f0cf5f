/* Floats as files and receipts have them: little-endian, whatever the machine. */
#ifndef BASE_LITTLE_ENDIAN_H
#define BASE_LITTLE_ENDIAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/sha256.h"

static inline void to_little_endian(float *values, size_t count) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (size_t i = 0; i < count; i++) {
    uint32_t word;
    memcpy(&word, &values[i], sizeof word);
    word = __builtin_bswap32(word);
    memcpy(&values[i], &word, sizeof word);
  }
#else
  (void)values, (void)count;
#endif
}

/* Adds them as little-endian; the values stay. */
static inline void sha256_add_floats(sha256 *state, const float *values, size_t count) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (size_t i = 0; i < count; i++) {
    float value = values[i];
    to_little_endian(&value, 1);
    sha256_add(state, &value, sizeof value);
  }
#else
  sha256_add(state, values, count * sizeof *values);
#endif
}

#endif
