/* The dropout mask of four rows of a panel at once. The word of element (row, col) is word col%4 of Philox4x32-10 at
 * counter (row · ceil(cols/4) + col/4 as two words, step, layer) under the seed; it is kept iff word >= threshold. */
#ifndef DROPOUT_H
#define DROPOUT_H

#include "panel.h"
#include "philox.h"

/* What names a mask; row numbers count over the whole batch. Passed to kernels by its fields: MASK_PARAMETERS. */
typedef struct {
  uint threshold; /* 0: no dropout */
  float scale;
  uint seed_low, seed_high, step, layer;
  ulong first_row; /* number in the whole batch of row 0 */
} mask;

#define MASK_PARAMETERS \
  uint threshold, float scale, uint seed_low, uint seed_high, uint step, uint layer, ulong first_row_of_batch
#define MASK_FROM_PARAMETERS \
  { threshold, scale, seed_low, seed_high, step, layer, first_row_of_batch }

/* The words of the four elements that share a counter with (row, col). */
static inline void element_words(uint seed_low, uint seed_high, uint step, uint layer, ulong row, int col, int cols,
                                 uint words[4]) {
  ulong counter = row * (ulong)((cols + 3) / 4) + (ulong)(col / 4);
  words[0] = (uint)counter;
  words[1] = (uint)(counter >> 32);
  words[2] = step;
  words[3] = layer;
  philox4x32_10(words, seed_low, seed_high);
}

#if VECTOR_LINES

/* The counters of a panel's line are c … c+3, in the order c, c+2, c+1, c+3: so that their words, two by two in 64-bit
 * lanes, come together in pairs of neighbours. */
static inline __attribute__((always_inline)) uint_line mask_interleave(ulong4 low, ulong4 high) {
  return as_uint16((ulong8)(low.s0, high.s0, low.s2, high.s2, low.s1, high.s1, low.s3, high.s3));
}

/* words[0] and words[1] get the random words of the lines whose first counters are c and c + quads. */
static inline __attribute__((always_inline)) void mask_words_of_two(const mask *m, ulong c, ulong quads,
                                                                    uint_line words[2]) {
  ulong8 counter = (ulong8)((ulong4)(c), (ulong4)(c + quads)) + (ulong8)(0, 2, 1, 3, 0, 2, 1, 3);
  ulong8 w[4] = {counter, counter >> 32, (ulong8)(m->step), (ulong8)(m->layer)};
  philox4x32_10(w, m->seed_low, m->seed_high);
  ulong8 low = (w[0] & 0xffffffffUL) | (w[1] << 32), high = (w[2] & 0xffffffffUL) | (w[3] << 32);
  words[0] = mask_interleave(low.lo, high.lo);
  words[1] = mask_interleave(low.hi, high.hi);
}

/* words[r] gets the random words of the panel's line in row + r, for r < 4. */
static inline __attribute__((always_inline)) void mask_words(const mask *m, int row, int panel, int cols,
                                                             uint_line words[MASK_ROWS]) {
  ulong quads = (ulong)((cols + 3) / 4);
  ulong c = (m->first_row + (ulong)row) * quads + (ulong)(panel * (PANEL / 4));
  mask_words_of_two(m, c, quads, words);
  mask_words_of_two(m, c + 2 * quads, quads, words + 2);
}

#else

/* words[r] gets this lane's word of the panel's line in row + r, for r < 4. */
static inline void mask_words(const mask *m, int row, int panel, int cols, uint words[MASK_ROWS]) {
  int col = line_columns(panel);
  for (int r = 0; r < MASK_ROWS; r++) {
    uint four[4];
    element_words(m->seed_low, m->seed_high, m->step, m->layer, m->first_row + (ulong)(row + r), col, cols, four);
    words[r] = four[col % 4];
  }
}

#endif

/* Canonical as x is, since the scale is at least 1. */
static inline line mask_apply(const mask *m, uint_line words, line x) {
  return (words >= (uint_line)(m->threshold)) ? x * m->scale : (line)(0.0f);
}

#endif
