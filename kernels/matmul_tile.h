/* Products by work-groups, for GPUs. A part of GROUP_ROWS × GROUP_COLS work-items computes TILE_M × TILE_N results,
 * each work-item ITEM_ROWS × ITEM_COLS of them in registers. Slabs of SLAB steps of the inner dimension go through
 * local memory, where there are two: one is computed with while the next is on its way from global memory.
 *
 *                      B slab SLAB × TILE_N
 *                    ┌────────────────────┐       a work-item (ty, tx) holds the rows ty·4 + {0…3} of every band of
 *        A slab      └────────────────────┘       GROUP_ROWS·4 rows, and the columns tx·4 + {0…3} of every band of
 * TILE_M × SLAB ┌─┐  ┌────────────────────┐       GROUP_COLS·4 columns: four columns are one Philox counter and one
 *               │ │  │  TILE_M × TILE_N   │       16-byte store
 *               └─┘  └────────────────────┘
 *
 * A work-group has PARTS parts. Where tiles are few, they share the inner dimension of the same tile: each sums other
 * blocks of 256 terms, which is where the contract's order lets a sum be cut.
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
#define GROUP_COLS 8
#endif
#ifndef ITEM_ROWS
#define ITEM_ROWS 8
#endif
#ifndef ITEM_COLS
#define ITEM_COLS 8
#endif
#ifndef PARTS
#define PARTS 1
#endif

#define SLAB PANEL
#define TILE_M (GROUP_ROWS * ITEM_ROWS)
#define TILE_N (GROUP_COLS * ITEM_COLS)
#define PART_ITEMS (GROUP_ROWS * GROUP_COLS)
#define GROUP_ITEMS (PART_ITEMS * PARTS)
#define GROUP_ATTRIBUTE __attribute__((reqd_work_group_size(GROUP_ITEMS, 1, 1)))
/* float4 loads of a slab by each work-item, rounded up. */
#define LOADS(extent) (((extent)*SLAB / 4 + PART_ITEMS - 1) / PART_ITEMS)

/* Steps of a slab that are written out; compilers that make loops of work-items want few. */
#ifndef SLAB_UNROLL
#define SLAB_UNROLL SLAB
#endif

/* One operand: panels at `base`, of which a tile reads indices from `first`; `limit` is the last valid + 1. Indices
 * behind it repeat the last one, or are padding: their results are never stored. */
typedef struct {
  global const float *base;
  int stride, first, limit;
  bool by_rows;
} operand;

/* ---- Slabs ------------------------------------------------------------------------------------------------------- */

/* Where this work-item's pieces of the slab at step 0 lie. */
TILE_FUNCTION void find_pieces(const operand *o, int extent, int item, global const float **pieces) {
#pragma unroll
  for (int i = 0; i < LOADS(extent); i++) {
    int n = item + i * PART_ITEMS;
    int row = o->by_rows ? min(o->first + n / (SLAB / 4), o->limit - 1) : n / (extent / 4);
    int col = o->by_rows ? n % (SLAB / 4) * 4
                         : min(o->first + n % (extent / 4) * 4, (o->limit + PANEL - 1) / PANEL * PANEL - 4);
    pieces[i] = o->base + element_index(o->stride, row, col);
  }
}

/* Global memory to registers: the pieces of the slab at `step`, a panel of what comes by rows. What lies behind the
 * last step is padding, and never computed with. */
TILE_FUNCTION void fetch(const operand *o, int extent, int step, int item, global const float *const *pieces,
                         float4 *registers) {
  size_t offset = (size_t)step * (size_t)(o->by_rows ? o->stride : PANEL);
#pragma unroll
  for (int i = 0; i < LOADS(extent); i++) {
    int n = item + i * PART_ITEMS;
    if (LOADS(extent) * PART_ITEMS != extent * SLAB / 4 && n >= extent * SLAB / 4) break;
    registers[i] = *(global const float4 *)(pieces[i] + offset);
  }
}

/* A slab is [step][index]. What comes by rows is stored by four steps × eight rows at a time, which would meet in a few
 * banks of local memory: every four steps the indices change places in another way. */
#define PLACE(by_rows, extent, step, index) \
  ((by_rows) ? (index) ^ ((step) / 4 * 8 & ((extent) % 32 == 0 ? 24 : (extent) % 16 == 0 ? 8 : 0)) : (index))

/* Registers to local memory. */
TILE_FUNCTION void deposit(local float *slab, bool by_rows, int extent, int item, const float4 *registers) {
#pragma unroll
  for (int i = 0; i < LOADS(extent); i++) {
    int n = item + i * PART_ITEMS;
    if (LOADS(extent) * PART_ITEMS != extent * SLAB / 4 && n >= extent * SLAB / 4) break;
    if (by_rows) {
      int step = n % (SLAB / 4) * 4;
      local float *at = slab + step * extent + PLACE(true, extent, step, n / (SLAB / 4));
      at[0 * extent] = registers[i].x;
      at[1 * extent] = registers[i].y;
      at[2 * extent] = registers[i].z;
      at[3 * extent] = registers[i].w;
    } else {
      *(local float4 *)(slab + n * 4) = registers[i];
    }
  }
}

/* ---- Sums -------------------------------------------------------------------------------------------------------- */

/* Where result (i, j) of a work-item lies in the tile. */
#define ITEM_ROW(i, ty) ((i) / 4 * (GROUP_ROWS * 4) + (ty)*4 + (i) % 4)
#define ITEM_COL(j, tx) ((j) / 4 * (GROUP_COLS * 4) + (tx)*4 + (j) % 4)

/* A part's two slabs of each operand in local memory, and the next ones' pieces in registers. */
#define SLAB_FLOATS (SLAB * (TILE_M + TILE_N))
typedef struct {
  operand a, b;
  int depth;
  int tx, ty, item;
  local float *slabs; /* [2][SLAB_FLOATS] */
  int current;
  global const float *a_pieces[LOADS(TILE_M)], *b_pieces[LOADS(TILE_N)];
  float4 a_next[LOADS(TILE_M)], b_next[LOADS(TILE_N)];
} pipeline;

/* A part whose turn is behind the last step fetches the last slab. */
TILE_FUNCTION void pipeline_fetch(pipeline *p, int step) {
  int there = PARTS == 1 ? step : min(step, (p->depth - 1) / SLAB * SLAB);
  fetch(&p->a, TILE_M, there, p->item, p->a_pieces, p->a_next);
  fetch(&p->b, TILE_N, there, p->item, p->b_pieces, p->b_next);
}

TILE_FUNCTION void pipeline_deposit(pipeline *p, int slab) {
  local float *at = p->slabs + slab * SLAB_FLOATS;
  deposit(at, p->a.by_rows, TILE_M, p->item, p->a_next);
  deposit(at + SLAB * TILE_M, p->b.by_rows, TILE_N, p->item, p->b_next);
}

/* The slab at `step` becomes the current one. */
TILE_FUNCTION void pipeline_begin(pipeline *p, int step) {
  p->current = 0;
  find_pieces(&p->a, TILE_M, p->item, p->a_pieces);
  find_pieces(&p->b, TILE_N, p->item, p->b_pieces);
  pipeline_fetch(p, step);
  pipeline_deposit(p, 0);
  barrier(CLK_LOCAL_MEM_FENCE);
}

/* One step's operands. */
TILE_FUNCTION void load_step(const pipeline *p, local const float *slab, int k, float x[ITEM_ROWS],
                             float y[ITEM_COLS]) {
  local const float *a = slab + k * TILE_M, *b = slab + SLAB * TILE_M + k * TILE_N;
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i += 4)
    vstore4(*(local const float4 *)(a + PLACE(p->a.by_rows, TILE_M, k, ITEM_ROW(i, p->ty))), 0, x + i);
#pragma unroll
  for (int j = 0; j < ITEM_COLS; j += 4)
    vstore4(*(local const float4 *)(b + PLACE(p->b.by_rows, TILE_N, k, ITEM_COL(j, p->tx))), 0, y + j);
}

TILE_FUNCTION void add_step(const float x[ITEM_ROWS], const float y[ITEM_COLS], float sum[ITEM_ROWS][ITEM_COLS]) {
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j++) sum[i][j] = fma(x[i], y[j], sum[i][j]);
}

/* sum += the products of the slab's first `count` steps. The operands of a step are loaded during the one before. */
TILE_FUNCTION void add_slab(const pipeline *p, local const float *slab, int count, float sum[ITEM_ROWS][ITEM_COLS]) {
  float x[ITEM_ROWS], y[ITEM_COLS], x_next[ITEM_ROWS], y_next[ITEM_COLS];
  if (count < SLAB) {
#pragma unroll 1
    for (int k = 0; k < count; k++) {
      load_step(p, slab, k, x, y);
      add_step(x, y, sum);
    }
    return;
  }
  load_step(p, slab, 0, x, y);
#pragma unroll SLAB_UNROLL
  for (int k = 0; k < SLAB; k++) {
    if (k + 1 < SLAB) load_step(p, slab, k + 1, x_next, y_next);
    add_step(x, y, sum);
#pragma unroll
    for (int i = 0; i < ITEM_ROWS; i++) x[i] = x_next[i];
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j++) y[j] = y_next[j];
  }
}

/* sum = Σ over steps [begin, end) in ascending order from 0, over so many slabs, of which the first is current; then
 * the slab at `next` is, if there is one. All work-items of the group come here together. */
TILE_FUNCTION void tile_sum(pipeline *p, int begin, int end, int slabs, bool has_next, int next,
                            float sum[ITEM_ROWS][ITEM_COLS]) {
#pragma unroll
  for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
    for (int j = 0; j < ITEM_COLS; j++) sum[i][j] = 0.0f;
  for (int slab = 0; slab < slabs; slab++) {
    int step = begin + slab * SLAB;
    bool last = slab + 1 == slabs;
    if (!last || has_next) pipeline_fetch(p, last ? next : step + SLAB);
    add_slab(p, p->slabs + p->current * SLAB_FLOATS, end - step, sum);
    p->current = 1 - p->current;
    if (!last || has_next) pipeline_deposit(p, p->current);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

/* ---- Sums over features ------------------------------------------------------------------------------------------ */

/* The quads of results, of four columns each, that a work-item has at the end: of all its own, or with several parts,
 * of those of the part's share. */
#define ITEM_QUADS (ITEM_ROWS * ITEM_COLS / 4)
#define QUADS (ITEM_QUADS / PARTS)
#define QUAD_ROW(q, ty) ITEM_ROW((q) / (ITEM_COLS / 4), ty)
#define QUAD_COL(q, tx) ITEM_COL((q) % (ITEM_COLS / 4) * 4, tx)

#if PARTS == 1

#define EXCHANGE(name) local float *const name = 0

/* total = Σ over all features in their order. */
TILE_FUNCTION void feature_total(pipeline *p, int part, local float *exchange, float4 total[QUADS]) {
  float sum[ITEM_ROWS][ITEM_COLS];
  float before[ITEM_ROWS * ITEM_COLS];
  (void)part, (void)exchange;
  pipeline_begin(p, 0);
  for (int begin = 0; begin < p->depth; begin += BLOCK_FEATURES) {
    int end = min(p->depth, begin + BLOCK_FEATURES);
    bool more = end < p->depth;
    tile_sum(p, begin, end, (end - begin + SLAB - 1) / SLAB, more, end, sum);
    if (begin > 0)
#pragma unroll
      for (int i = 0; i < ITEM_ROWS * ITEM_COLS; i++)
        sum[i / ITEM_COLS][i % ITEM_COLS] = before[i] + sum[i / ITEM_COLS][i % ITEM_COLS];
    if (more)
#pragma unroll
      for (int i = 0; i < ITEM_ROWS * ITEM_COLS; i++) before[i] = sum[i / ITEM_COLS][i % ITEM_COLS];
  }
#pragma unroll
  for (int q = 0; q < QUADS; q++) total[q] = vload4(q, sum[0]);
}

#else

#define EXCHANGE(name) local float name[PARTS * PART_ITEMS * ITEM_QUADS * 4] __attribute__((aligned(16)))

/* Each part sums every PARTS-th block, and adds the sums of its share of the results. */
TILE_FUNCTION void feature_total(pipeline *p, int part, local float *exchange, float4 total[QUADS]) {
  float sum[ITEM_ROWS][ITEM_COLS];
  local float4 *sums = (local float4 *)exchange; /* [part][quad][work-item] */
  pipeline_begin(p, part * BLOCK_FEATURES);
  for (int begin = 0; begin < p->depth; begin += PARTS * BLOCK_FEATURES) {
    int mine = begin + part * BLOCK_FEATURES, next = mine + PARTS * BLOCK_FEATURES;
    int slabs = (min(BLOCK_FEATURES, p->depth - begin) + SLAB - 1) / SLAB;
    int blocks = min(PARTS, (p->depth - begin + BLOCK_FEATURES - 1) / BLOCK_FEATURES);
    tile_sum(p, mine, min(p->depth, mine + BLOCK_FEATURES), slabs, begin + PARTS * BLOCK_FEATURES < p->depth, next,
             sum);
#pragma unroll
    for (int q = 0; q < ITEM_QUADS; q++) sums[(part * ITEM_QUADS + q) * PART_ITEMS + p->item] = vload4(q, sum[0]);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int block = 0; block < blocks; block++)
#pragma unroll
      for (int q = 0; q < QUADS; q++) {
        float4 term = sums[(block * ITEM_QUADS + part * QUADS + q) * PART_ITEMS + p->item];
        total[q] = begin + block == 0 ? term : total[q] + term;
      }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

#endif

#endif
