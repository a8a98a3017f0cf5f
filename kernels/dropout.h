/* The dropout mask of four rows of a panel at once. The word of element (row, col) is word col%4 of Philox4x32-10 at
 * counter (row · ceil(cols/4) + col/4 as two words, step, layer) under the seed; it is kept iff word >= threshold. */
#ifndef DROPOUT_H
#define DROPOUT_H

#include "panel.h"
#include "philox.h"

#define MASK_ROWS 4

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

#define MASK_INTERLEAVE(a, b, c, d) \
  (uint16)(a.s0, b.s0, c.s0, d.s0, a.s1, b.s1, c.s1, d.s1, a.s2, b.s2, c.s2, d.s2, a.s3, b.s3, c.s3, d.s3)

/* words[r] gets the random words of the panel's line in row + r, for r < 4. */
static inline __attribute__((always_inline)) void mask_words(const mask *m, int row, int panel, int cols,
                                                             uint_line words[MASK_ROWS]) {
  ulong quads = (ulong)((cols + 3) / 4);
  ulong c0 = (m->first_row + (ulong)row) * quads + (ulong)(panel * (PANEL / 4));
  ulong c1 = c0 + quads, c2 = c1 + quads, c3 = c2 + quads;
  uint16 base = (uint16)((uint4)((uint)c0), (uint4)((uint)c1), (uint4)((uint)c2), (uint4)((uint)c3));
  uint16 high = (uint16)((uint4)((uint)(c0 >> 32)), (uint4)((uint)(c1 >> 32)), (uint4)((uint)(c2 >> 32)),
                         (uint4)((uint)(c3 >> 32)));
  uint16 w[4];
  w[0] = base + (uint16)(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
  w[1] = high + ((w[0] < base) ? (uint16)(1) : (uint16)(0));
  w[2] = (uint16)(m->step);
  w[3] = (uint16)(m->layer);
  philox4x32_10(w, m->seed_low, m->seed_high);
  words[0] = MASK_INTERLEAVE(w[0].s0123, w[1].s0123, w[2].s0123, w[3].s0123);
  words[1] = MASK_INTERLEAVE(w[0].s4567, w[1].s4567, w[2].s4567, w[3].s4567);
  words[2] = MASK_INTERLEAVE(w[0].s89ab, w[1].s89ab, w[2].s89ab, w[3].s89ab);
  words[3] = MASK_INTERLEAVE(w[0].scdef, w[1].scdef, w[2].scdef, w[3].scdef);
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

static inline line mask_apply(const mask *m, uint_line words, line x) {
  return (words >= (uint_line)(m->threshold)) ? x * m->scale : (line)(0.0f);
}

#endif
