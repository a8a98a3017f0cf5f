#include "training/shuffle.h"

#include "philox.h"

/* floor(r · n / 2^64), n < 2^32 */
static size_t below(size_t n, uint32_t low, uint32_t high) {
  uint64_t carried = ((uint64_t)low * n) >> 32;
  return (size_t)(((uint64_t)high * n + carried) >> 32);
}

void shuffle_rows(uint64_t seed, uint32_t epoch, size_t rows, uint32_t *order) {
  for (size_t i = 0; i < rows; i++) order[i] = (uint32_t)i;
  uint32_t words[4];
  for (size_t i = rows; i-- > 1;) {
    if (i % 2 == 1 || i == rows - 1) {
      words[0] = (uint32_t)(i / 2);
      words[1] = 0;
      words[2] = epoch;
      words[3] = PHILOX_STREAM(PHILOX_SHUFFLE, 0);
      philox4x32_10(words, (uint32_t)seed, (uint32_t)(seed >> 32));
    }
    size_t j = below(i + 1, words[2 * (i % 2)], words[2 * (i % 2) + 1]);
    uint32_t held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
}
