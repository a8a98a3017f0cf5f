/* Sizes that kernels and the host's OpenCL backend agree on: one text, compiled as OpenCL C and as C. */
#ifndef SIZES_H
#define SIZES_H

/* Floats of a line: columns of a panel (panel.h). */
#define PANEL 16

/* The numerics contract's orders. Sums over features (fan-in or fan-out): blocks of 256, each fma(a, b, sum) in
 * ascending order from 0, the blocks' sums added in ascending order. Sums over the rows of a batch: leaves of 256 rows,
 * combined by a tree (batch_sum.h). */
#define BLOCK_FEATURES 256
#define LEAF_ROWS 256

/* Rows of a dropout mask that are drawn together (dropout.h). */
#define MASK_ROWS 4

/* Panels of a piece of a row that is gathered (gather.h). */
#define GATHER_PANELS 16

/* Panels that a single row meets at once: as many sums as keep the multipliers busy (matmul_panel.h). */
#define ROW_PANELS 4

/* Whether the gradient of a layer's input is made from the transpose of its output's, as CPU devices do where there are
 * more than one row and more than one panel (dense.h). */
#define FROM_TRANSPOSE(rows, out) ((rows) > 1 && (out) > PANEL)

/* What the rows of a block have to be multiples of (dense.h): forward whole tiles and whole words of the mask, backward
 * whole tiles and panels. */
#define FORWARD_GRAIN(tile_rows) \
  ((tile_rows) % MASK_ROWS == 0 ? (tile_rows) : (tile_rows) % 2 == 0 ? 2 * (tile_rows) : MASK_ROWS * (tile_rows))
#define BACKWARD_GRAIN(tile_rows, unit_rows) (PANEL % (tile_rows) == 0 ? PANEL : (unit_rows))

/* Whole steps in one launch: layers at most, work-items that share them at most, and the words in which these tell each
 * other how far they are: all of them, and the first that is a work-item's own, on a cache line of its own. */
#define LAYERS_MAX 4
#define WORKERS_MAX 63
#define PROGRESS_WORDS (16 * (1 + WORKERS_MAX))
#define ADAM_STEPS_MAX 16 /* of a launch, whose rates are arguments */
#define PROGRESS_OF(worker) (16 * (1 + (worker)))

/* Layers whose weights' gradients are one launch (matmul_tile.cl). */
#define WEIGHT_LAYERS_MAX 4

/* A list of the terms of sums that count (terms.h); as many panels at least have to meet them, or finding them takes
 * longer than all of them; no fewer than those of a tile (train_steps.cl). Where the sums have to be turned, more. */
#define TERMS_BYTES 272
#define TERMS_PANELS 4
#define TURNED_TERMS_PANELS 8

/* How they are listed: for the rows of a tile together, or for each row; of a weights' gradient for the columns of x
 * that are the rows of a tile, or for each column of d_y. */
#define TERMS_NOT_LISTED 0
#define TERMS_OF_TILES 1
#define TERMS_OF_ROWS 2

/* Multiply-adds of a chain in a round of peak_fma (peak.cl). */
#define PEAK_UNROLL 8

#endif
