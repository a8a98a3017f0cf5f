/* Products by work-groups, for GPUs. A group of GROUP_ROWS × GROUP_COLS work-items computes TILE_M × TILE_N results;
 * each work-item ITEM_ROWS × ITEM_COLS of them in registers. Slabs of 16 steps of the inner dimension, one panel deep,
 * go through local memory; the next slab is already on its way from global memory while one is computed with:
 *
 *                      B slab  16 × TILE_N
 *                    ┌────────────────────┐       a work-item (ty, tx) holds the rows ty·4 + {0…3} of every band of
 *        A slab      └────────────────────┘       GROUP_ROWS·4 rows, and the columns tx·4 + {0…3} of every band of
 *   TILE_M × 16 ┌─┐  ┌────────────────────┐       GROUP_COLS·4 columns: four columns are one Philox counter and one
 *               │ │  │  TILE_M × TILE_N   │       16-byte store
 *               └─┘  └────────────────────┘
 *
 * Operands come in two forms, both read in whole lines: `by_rows`, where a line holds 16 steps of one row, and
 * `by_steps`, where it holds 16 rows (or columns) of one step. */
#ifndef MATMUL_TILE_H
#define MATMUL_TILE_H

#include "panel.h"

#ifndef GROUP_ROWS
#define GROUP_ROWS 16
#endif
#ifndef GROUP_COLS
#define GROUP_COLS 16
#endif
#ifndef ITEM_ROWS
#define ITEM_ROWS 8
#endif
#ifndef ITEM_COLS
#define ITEM_COLS 8
#endif

/* Steps of a slab that are written out; compilers that make loops of work-items want few. */
#ifndef SLAB_UNROLL
#define SLAB_UNROLL 16
#endif

#define SLAB PANEL
#define TILE_M (GROUP_ROWS * ITEM_ROWS)
#define TILE_N (GROUP_COLS * ITEM_COLS)
#define GROUP_ITEMS (GROUP_ROWS * GROUP_COLS)
#define GROUP_ATTRIBUTE __attribute__((reqd_work_group_size(GROUP_COLS, GROUP_ROWS, 1)))
/* float4 loads of a slab by each work-item, rounded up. */
#define LOADS(extent) (((extent)*SLAB / 4 + GROUP_ITEMS - 1) / GROUP_ITEMS)

#define INLINE static inline __attribute__((always_inline))

/* One operand: panels at `base`, of which this group reads `extent` indices from `first`; `limit` is the last valid
 * + 1. Indices behind it repeat the last one: their results are never stored. */
typedef struct {
  global const float *base;
  int stride, first, limit;
} operand;

INLINE float4 load_by_rows(const operand *o, int slab, int index, int quarter) {
  int row = min(o->first + index, o->limit - 1);
  return vload4(0, o->base + line_index(slab, o->stride, row) + quarter * 4);
}

INLINE float4 load_by_steps(const operand *o, int step, int index) {
  int col = min(o->first + index, (o->limit + PANEL - 1) / PANEL * PANEL - 4);
  return vload4(0, o->base + element_index(o->stride, step, col));
}

/* Global memory to registers: this work-item's part of the slab that begins at step `begin` (a multiple of 16). Steps
 * behind `end` repeat the last: they are never computed with. */
INLINE void fetch(const operand *o, bool by_rows, int extent, int begin, int end, int item, float4 *registers) {
#pragma unroll
  for (int i = 0; i < LOADS(extent); i++) {
    int n = item + i * GROUP_ITEMS;
    if (LOADS(extent) * GROUP_ITEMS != extent * SLAB / 4 && n >= extent * SLAB / 4) break;
    registers[i] = by_rows ? load_by_rows(o, begin / PANEL, n % extent, n / extent)
                           : load_by_steps(o, min(begin + n / (extent / 4), end - 1), n % (extent / 4) * 4);
  }
}

/* Registers to local memory, as [step][index]. */
INLINE void deposit(local float *slab, bool by_rows, int extent, int item, const float4 *registers) {
#pragma unroll
  for (int i = 0; i < LOADS(extent); i++) {
    int n = item + i * GROUP_ITEMS;
    if (LOADS(extent) * GROUP_ITEMS != extent * SLAB / 4 && n >= extent * SLAB / 4) break;
    if (by_rows) {
      int index = n % extent, step = n / extent * 4;
      slab[(step + 0) * extent + index] = registers[i].x;
      slab[(step + 1) * extent + index] = registers[i].y;
      slab[(step + 2) * extent + index] = registers[i].z;
      slab[(step + 3) * extent + index] = registers[i].w;
    } else {
      vstore4(registers[i], 0, slab + n / (extent / 4) * extent + n % (extent / 4) * 4);
    }
  }
}

/* Where result (i, j) of a work-item lies in the group's tile. */
#define ITEM_ROW(i, ty) ((i) / 4 * (GROUP_ROWS * 4) + (ty)*4 + (i) % 4)
#define ITEM_COL(j, tx) ((j) / 4 * (GROUP_COLS * 4) + (tx)*4 + (j) % 4)

/* sum += the products of one step of the slabs. */
INLINE void accumulate(local const float *a, local const float *b, int tx, int ty, float sum[ITEM_ROWS][ITEM_COLS]) {
  float x[ITEM_ROWS], y[ITEM_COLS];
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i += 4) vstore4(vload4(0, a + ITEM_ROW(i, ty)), 0, x + i);
#pragma unroll
  for (int j = 0; j < ITEM_COLS; j += 4) vstore4(vload4(0, b + ITEM_COL(j, tx)), 0, y + j);
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j++) sum[i][j] = fma(x[i], y[j], sum[i][j]);
}

/* sum = Σ over steps [begin, end) in ascending order from 0. All work-items of the group call it together. */
INLINE void tile_sum(const operand *a, bool a_by_rows, const operand *b, bool b_by_rows, int begin, int end,
                     local float *a_slab, local float *b_slab, float sum[ITEM_ROWS][ITEM_COLS]) {
  int tx = (int)get_local_id(0), ty = (int)get_local_id(1), item = ty * GROUP_COLS + tx;
  float4 a_next[LOADS(TILE_M)], b_next[LOADS(TILE_N)];
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j++) sum[i][j] = 0.0f;
  fetch(a, a_by_rows, TILE_M, begin, end, item, a_next);
  fetch(b, b_by_rows, TILE_N, begin, end, item, b_next);
  for (int step = begin; step < end; step += SLAB) {
    barrier(CLK_LOCAL_MEM_FENCE);
    deposit(a_slab, a_by_rows, TILE_M, item, a_next);
    deposit(b_slab, b_by_rows, TILE_N, item, b_next);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (step + SLAB < end) {
      fetch(a, a_by_rows, TILE_M, step + SLAB, end, item, a_next);
      fetch(b, b_by_rows, TILE_N, step + SLAB, end, item, b_next);
    }
    if (step + SLAB <= end) {
#pragma unroll SLAB_UNROLL
      for (int k = 0; k < SLAB; k++) accumulate(a_slab + k * TILE_M, b_slab + k * TILE_N, tx, ty, sum);
    } else {
#pragma unroll 1
      for (int k = 0; k < end - step; k++) accumulate(a_slab + k * TILE_M, b_slab + k * TILE_N, tx, ty, sum);
    }
  }
}

#endif
