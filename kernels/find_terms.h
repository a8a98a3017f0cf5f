/* How the terms that count (terms.h) are found, for tiles of TILE_ROWS rows: as bits of 32 terms, then as a list. */
#ifndef FIND_TERMS_H
#define FIND_TERMS_H

#include "panel.h"
#include "terms.h"

/* The numbers of the bits that are set in four of them, the first ones first. */
constant uchar4 numbers_of_bits[16] = {
    (uchar4)(0),          (uchar4)(0),          (uchar4)(1),          (uchar4)(0, 1, 0, 0),
    (uchar4)(2),          (uchar4)(0, 2, 0, 0), (uchar4)(1, 2, 0, 0), (uchar4)(0, 1, 2, 0),
    (uchar4)(3),          (uchar4)(0, 3, 0, 0), (uchar4)(1, 3, 0, 0), (uchar4)(0, 1, 3, 0),
    (uchar4)(2, 3, 0, 0), (uchar4)(0, 2, 3, 0), (uchar4)(1, 2, 3, 0), (uchar4)(0, 1, 2, 3)};

/* Tiles of so many rows. */
#define TILES(rows) (((rows) + TILE_ROWS - 1) / TILE_ROWS)

/* Adds those of the 32 terms from number k on whose bits are set, four at a time. */
OUTLINED_FUNCTION void terms_add(global terms *found, int k, uint bits) {
  int count = found->count;
#pragma unroll
  for (int i = 0; i < 32; i += TERMS_ADDED) {
    const uint set = bits >> i & 15;
    vstore4(numbers_of_bits[set] + (uchar4)(k + i), 0, found->number + count);
    count += (int)popcount(set);
  }
  found->count = count;
  found->end[k / SLAB_TERMS] = (ushort)count;
}

/* A tile's, of `all` terms: where few are missing, to take all one after the other is as fast. */
static inline void terms_end(global terms *found, int all) {
  if (found->count >= all - all / 8) found->count = TERMS_ALL;
}

/* Rows', `count` of `all` terms together: whether to take them row by row is faster than all of them in tiles. */
static inline bool are_few(long count, long all) {
  return 16 * count <= 5 * all;
}

/* The bits of lanes that are not 0. */
static inline uint bits_of_lanes(uint_line x) {
  const uint_line lanes = (uint_line)(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
  uint_line set = x != (uint_line)(0) ? lanes : (uint_line)(0);
  uint8 eight = set.lo | set.hi;
  uint4 four = eight.lo | eight.hi;
  uint2 two = four.lo | four.hi;
  return two.x | two.y;
}

/* The first `count` bits. */
static inline uint first_bits(uint bits, int count) {
  return count < 32 ? bits & ((1u << count) - 1) : bits;
}

/* Lists those of `all` terms, elements of neighbouring columns of a, that are not 0 in all of `rows` rows. */
TILE_FUNCTION void list_features(int rows, int all, global const float *a, int a_stride, global terms *found) {
  found->count = 0;
  for (int k = 0; k < all; k += 2 * PANEL) {
    uint bits = 0;
    for (int second = 0; second < min(2, PANELS(all - k)); second++) {
      const size_t at = line_index(k / PANEL + second, a_stride, 0);
      uint_line any = (uint_line)(0);
#pragma unroll
      for (int r = 0; r < rows; r++) any |= AS_UINT_LINE(load_line(a, at + (size_t)r * PANEL));
      bits |= bits_of_lanes(any) << (second * PANEL);
    }
    terms_add(found, k, first_bits(bits, all - k));
  }
}

/* For sums over the features of a (rows, depth): a list for each BLOCK_FEATURES of them and each tile of rows
 * [row, row_end), the tiles of a block one after the other. */
OUTLINED_FUNCTION void find_features_of_tiles(int row, int row_end, int depth, global const float *a, int a_stride,
                                              global terms *found) {
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES) {
    const int all = min(BLOCK_FEATURES, depth - begin);
    for (int tile = row; tile < row_end; tile += TILE_ROWS, found++) {
      list_features(TILE_ROWS, all, a + line_index(begin / PANEL, a_stride, tile), a_stride, found);
      terms_end(found, all);
    }
  }
}

/* The same for each row. Where a block's prove to be many, the search ends, and its first list says TERMS_ALL. */
OUTLINED_FUNCTION void find_features_of_rows(int row, int row_end, int depth, global const float *a, int a_stride,
                                             global terms *found) {
  for (int begin = 0; begin < depth; begin += BLOCK_FEATURES, found += row_end - row) {
    const int all = min(BLOCK_FEATURES, depth - begin);
    long listed = 0;
    bool few = true;
    for (int i = 0; i < row_end - row && few; i++) {
      list_features(1, all, a + line_index(begin / PANEL, a_stride, row + i), a_stride, &found[i]);
      listed += found[i].count;
      if ((i + 1) % PANEL == 0 || row + i + 1 == row_end) few = are_few(listed, (long)all * (i + 1));
    }
    if (!few) found->count = TERMS_ALL;
  }
}

/* The one or the other, or nothing. */
TILE_FUNCTION void find_features(int listed, int row, int row_end, int depth, global const float *a, int a_stride,
                                 global terms *found) {
  if (listed == TERMS_OF_TILES) find_features_of_tiles(row, row_end, depth, a, a_stride, found);
  if (listed == TERMS_OF_ROWS) find_features_of_rows(row, row_end, depth, a, a_stride, found);
}

/* Of 16 columns, the bits of the rows of a whose elements are not 0, at most 32. */
TILE_FUNCTION uint_line bits_of_rows(global const float *lines, int rows) {
  uint_line set = (uint_line)(0);
  for (int i = 0; i < min(32, rows); i++)
    set |= AS_UINT_LINE(load_line(lines, (size_t)i * PANEL)) != (uint_line)(0) ? (uint_line)(1u << i) : (uint_line)(0);
  return set;
}

/* For sums over the rows of a batch a (rows, any): a list for each leaf and each tile of columns [col, col_end), at
 * most UNIT_ROWS of them, the tiles of a leaf one after the other. */
OUTLINED_FUNCTION void find_batch_of_tiles(int col, int col_end, int rows, global const float *a, int a_stride,
                                           global terms *found) {
  const int panel = col / PANEL, tiles = TILES(col_end - col);
  for (int begin = 0; begin < rows; begin += LEAF_ROWS, found += tiles) {
    const int all = min(LEAF_ROWS, rows - begin);
    for (int tile = 0; tile < tiles; tile++) found[tile].count = 0;
    for (int k = 0; k < all; k += 32) {
      uint bits[UNIT_ROWS + 2 * PANEL]; /* of each column, from the panel's first on; of none behind the last panel */
      for (int p = panel; p < PANELS(col_end); p++)
        vstore16(bits_of_rows(a + line_index(p, a_stride, begin + k), all - k), (size_t)(p - panel), bits);
      vstore16((uint_line)(0), (size_t)(PANELS(col_end) - panel), bits);
      for (int tile = 0; tile < tiles; tile++) {
        uint any = 0;
#pragma unroll
        for (int r = 0; r < TILE_ROWS; r++) any |= bits[col + tile * TILE_ROWS + r - panel * PANEL];
        terms_add(&found[tile], k, any);
      }
    }
    for (int tile = 0; tile < tiles; tile++) terms_end(&found[tile], all);
  }
}

/* The same for each column of the panels: those of a panel and leaf one after the other, then the panel's next leaf.
 * False, and the search ends, where they prove to be many. */
OUTLINED_FUNCTION bool find_batch_of_columns(int panel, int panel_end, int rows, global const float *a, int a_stride,
                                             global terms *found) {
  long listed = 0;
  for (int p = panel; p < panel_end; p++) {
    for (int begin = 0; begin < rows; begin += LEAF_ROWS, found += PANEL) {
      const int all = min(LEAF_ROWS, rows - begin);
      for (int j = 0; j < PANEL; j++) found[j].count = 0;
      for (int k = 0; k < all; k += 32) {
        uint bits[PANEL];
        vstore16(bits_of_rows(a + line_index(p, a_stride, begin + k), all - k), 0, bits);
        for (int j = 0; j < PANEL; j++) terms_add(&found[j], k, bits[j]);
      }
      for (int j = 0; j < PANEL; j++) listed += found[j].count;
    }
    if (!are_few(listed, (long)rows * PANEL * (p + 1 - panel))) return false;
  }
  return true;
}

#endif
