/* Sums over the rows of a batch: leaves of 256 rows by their number in the whole batch, each added in ascending order
 * from 0, combined by an absolute binary tree. Node j of level i covers the leaves [j·2^i, (j+1)·2^i); a missing leaf
 * is absent:
 *            ((0+1) + (2+3)) + 4          for rows 0 … 1279, five leaves
 * The tree is built as a binary counter: leaf n completes one node for each trailing 1 bit of n. */
#ifndef BATCH_SUM_H
#define BATCH_SUM_H

#include "panel.h"

#define LEAF_ROWS 256
#define TREE_LEVELS 24

/* Puts leaf number `leaf`, `value[count]`, into the tree's pending nodes. */
#define TREE_ADD(pending, count, leaf, value)                                                 \
  do {                                                                                        \
    int level_ = 0;                                                                           \
    for (; (((leaf) >> level_) & 1) != 0; level_++)                                           \
      for (int i_ = 0; i_ < (count); i_++) (value)[i_] = (pending)[level_][i_] + (value)[i_]; \
    for (int i_ = 0; i_ < (count); i_++) (pending)[level_][i_] = (value)[i_];                 \
  } while (0)

/* The whole tree's sum once all `leaves` are in: pending nodes, the lowest (rightmost) first. */
#define TREE_TOTAL(pending, count, leaves, value)                                             \
  do {                                                                                        \
    bool empty_ = true;                                                                       \
    for (int level_ = 0; level_ < TREE_LEVELS; level_++)                                      \
      if ((((leaves) >> level_) & 1) != 0) {                                                  \
        for (int i_ = 0; i_ < (count); i_++)                                                  \
          (value)[i_] = empty_ ? (pending)[level_][i_] : (pending)[level_][i_] + (value)[i_]; \
        empty_ = false;                                                                       \
      }                                                                                       \
  } while (0)

/* The batch sum of one column, for lines and for single elements: `column` points to row 0. */
#define BATCH_SUM_DEFINE(NAME, REAL, LOAD)                                                            \
  static inline REAL NAME(global const float *column, int rows) {                                     \
    REAL pending[TREE_LEVELS][1], sum[1];                                                             \
    int leaves = (rows + LEAF_ROWS - 1) / LEAF_ROWS;                                                  \
    for (int leaf = 0; leaf < leaves; leaf++) {                                                       \
      int end = min(rows, (leaf + 1) * LEAF_ROWS);                                                    \
      sum[0] = (REAL)(0.0f);                                                                          \
      for (int row = leaf * LEAF_ROWS; row < end; row++) sum[0] += LOAD(column, (size_t)row * PANEL); \
      if (leaves > 1) TREE_ADD(pending, 1, leaf, sum);                                                \
    }                                                                                                 \
    if (leaves > 1) TREE_TOTAL(pending, 1, leaves, sum);                                              \
    return sum[0];                                                                                    \
  }

#define LOAD_ELEMENT(tensor, index) ((tensor)[index])
BATCH_SUM_DEFINE(batch_sum_of_column, line, load_line)
BATCH_SUM_DEFINE(batch_sum_of_element, float, LOAD_ELEMENT)

#endif
