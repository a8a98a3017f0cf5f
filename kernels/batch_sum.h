/* Sums over the rows of a batch: leaves of 256 rows by their number in the whole batch, each added in ascending order
 * from 0, combined by an absolute binary tree. Node j of level i covers the leaves [j·2^i, (j+1)·2^i); a missing leaf
 * is absent:
 *            ((0+1) + (2+3)) + 4          for rows 0 … 1279, five leaves
 * The tree is built as a binary counter: leaf n completes one node for each trailing 1 bit of n. */
#ifndef BATCH_SUM_H
#define BATCH_SUM_H

#include "panel.h"

#define TREE_LEVELS 24

/* Puts leaf number `leaf`, `value[count]`, into the tree's pending nodes [level][first …]. `value` is used up. */
#define TREE_ADD(pending, first, count, leaf, value)                                                    \
  do {                                                                                                  \
    int level_ = 0;                                                                                     \
    for (; (((leaf) >> level_) & 1) != 0; level_++)                                                     \
      for (int i_ = 0; i_ < (count); i_++) (value)[i_] = (pending)[level_][(first) + i_] + (value)[i_]; \
    for (int i_ = 0; i_ < (count); i_++) (pending)[level_][(first) + i_] = (value)[i_];                 \
  } while (0)

/* The whole tree's sum once all `leaves` are in: pending nodes, the lowest (rightmost) first. */
#define TREE_TOTAL(pending, first, count, leaves, value)                                        \
  do {                                                                                          \
    bool empty_ = true;                                                                         \
    for (int level_ = 0; level_ < TREE_LEVELS; level_++)                                        \
      if ((((leaves) >> level_) & 1) != 0) {                                                    \
        for (int i_ = 0; i_ < (count); i_++) {                                                  \
          line node_ = (pending)[level_][(first) + i_];                                         \
          (value)[i_] = empty_ ? node_ : node_ + (value)[i_];                                   \
        }                                                                                       \
        empty_ = false;                                                                         \
      }                                                                                         \
  } while (0)

/* The same for a single value of type REAL. */
#define TREE_DEFINE(REAL)                                                                                      \
  static inline __attribute__((overloadable)) void tree_add(REAL pending[TREE_LEVELS], int leaf, REAL value) { \
    int level = 0;                                                                                             \
    for (; ((leaf >> level) & 1) != 0; level++) value = pending[level] + value;                                \
    pending[level] = value;                                                                                    \
  }                                                                                                            \
  static inline __attribute__((overloadable)) REAL tree_total(const REAL pending[TREE_LEVELS], int leaves) {   \
    int level = 0;                                                                                             \
    while (((leaves >> level) & 1) == 0) level++;                                                              \
    REAL total = pending[level];                                                                               \
    for (level++; (leaves >> level) != 0; level++)                                                             \
      if (((leaves >> level) & 1) != 0) total = pending[level] + total;                                        \
    return total;                                                                                              \
  }

TREE_DEFINE(float)
#if VECTOR_LINES
TREE_DEFINE(line)
#endif

/* The batch sum of one column, for lines and for single elements: `column` points to row 0. */
#define BATCH_SUM_DEFINE(NAME, REAL, LOAD)                                                         \
  static inline REAL NAME(global const float *column, int rows) {                                  \
    REAL pending[TREE_LEVELS];                                                                     \
    int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS;                                               \
    for (int leaf = 0; leaf < leaves; leaf++) {                                                    \
      int end = min(rows, (leaf + 1) * LEAF_ROWS);                                                 \
      REAL sum = (REAL)(0.0f);                                                                     \
      IN_ORDER                                                                                     \
      for (int row = leaf * LEAF_ROWS; row < end; row++) sum += LOAD(column, (size_t)row * PANEL); \
      tree_add(pending, leaf, sum);                                                                \
    }                                                                                              \
    return tree_total(pending, leaves);                                                            \
  }

#define LOAD_ELEMENT(tensor, index) ((tensor)[index])
BATCH_SUM_DEFINE(batch_sum_of_column, line, load_line)
BATCH_SUM_DEFINE(batch_sum_of_element, float, LOAD_ELEMENT)

#endif
