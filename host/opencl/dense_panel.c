/* For CPUs: each product is one launch, whose work-items, one for each core, share its pieces
 * (kernels/matmul_panel.cl). */
#include "base/size.h"
#include "opencl/dense.h"

/* Below this one work-item is done before a second core has been woken. */
static const double short_launch_flops = 1e6;

/* How a product is divided: units of so many rows × the panels of a tile, of which a piece has some that lie beside
 * each other: those of a tile, or where terms are found for them, which takes time, `panels`. */
typedef struct units {
  size_t rows, cols, depth; /* of the result, and of its sums */
  size_t panels;            /* or 0 */
} units;

/* How it is shared then, and how terms are listed: TERMS_… of kernels/sizes.h, and lists of a work-item. */
typedef struct sharing {
  size_t unit_rows, pieces, listed, lists;
} sharing;

enum { PANELS_OF_TILE_LISTS = 16 };

/* How terms are worth a list that so many columns meet, at least `panels` of them. Kernels decide so of each block. */
static size_t listed_of(zeros_kind zeros, size_t cols, size_t panels) {
  if (zeros == ZEROS_NONE || size_divide_up(cols, PANEL) < panels) return TERMS_NOT_LISTED;
  return zeros == ZEROS_TOGETHER ? TERMS_OF_TILES : TERMS_OF_ROWS;
}

size_t opencl_listed_forward(zeros_kind zeros, size_t rows, size_t out) {
  return rows == 1 ? TERMS_NOT_LISTED : listed_of(zeros, out, TERMS_PANELS);
}

size_t opencl_listed_backward(zeros_kind zeros, size_t in, size_t out) {
  if (in == 1) return TERMS_NOT_LISTED;
  return zeros == ZEROS_SCATTERED ? listed_of(zeros, in, TURNED_TERMS_PANELS) : listed_of(zeros, out, TERMS_PANELS);
}

/* Pieces that a row of units may be cut into. */
static size_t widths_of(const opencl_backend *self, const units *u) {
  return size_divide_up(u->cols, PANEL * (u->panels > 0 ? u->panels : (size_t)self->tuning.tile_panels));
}

/* Pieces that cores share, or one. What counts besides the sums: a panel's padding is computed, too; a lone row waits
 * for the other operand; to store a line takes as long as some terms of its sum. */
static size_t pieces_of(const opencl_backend *self, const units *u, size_t unit_rows) {
  enum { STORE_TERMS = 8 };
  size_t panels = size_divide_up(u->cols, PANEL);
  double lines = (double)size_max(u->rows, 2) * (double)panels;
  if (2.0 * PANEL * lines * (double)(u->depth + STORE_TERMS) < short_launch_flops) return 1;
  size_t widths = u->rows == 1 ? size_divide_up(panels, ROW_PANELS) /* a row meets them together */
                               : widths_of(self, u);
  return size_min((size_t)self->tuning.groups, size_divide_up(u->rows, unit_rows) * widths);
}

/* Rows of a unit, a multiple of `step`: the more, up to `most`, the longer does the other operand stay in cache, as
 * long as there are units enough for all. The last unit is shorter, which leaves its core idle: so one that is hardly
 * shorter. */
static size_t unit_rows_of(const opencl_backend *self, const units *u, size_t step, size_t most) {
  enum { UNITS_OF_CORE = 12, LISTED_OF_CORE = 4 };
  size_t chosen = step, least = SIZE_MAX, smallest = (size_t)self->tuning.unit_rows;
  size_t of_core = u->panels > 0 ? LISTED_OF_CORE : UNITS_OF_CORE;
  size_t wanted = size_divide_up(of_core * (size_t)self->base.device.compute_units, widths_of(self, u));
  for (size_t largest = most; largest > 0; largest -= smallest) {
    size_t pieces = size_max(wanted, size_divide_up(u->rows, largest));
    size_t unit = size_round_up(size_divide_up(u->rows, pieces), step), idle = size_round_up(u->rows, unit) - u->rows;
    if (idle >= least) continue;
    chosen = unit;
    least = idle;
  }
  return chosen;
}

size_t opencl_lists(const opencl_backend *self, size_t listed, size_t rows, size_t terms) {
  _Static_assert(LEAF_ROWS == BLOCK_FEATURES, "a list is a leaf's, or a block's");
  size_t of_rows = listed == TERMS_OF_ROWS ? 1 : (size_t)self->tuning.tile_rows;
  return listed == TERMS_NOT_LISTED ? 0 : size_divide_up(rows, of_rows) * size_divide_up(terms, BLOCK_FEATURES);
}

static size_t most_rows(const opencl_backend *self) {
  return 4 * (size_t)self->tuning.unit_rows;
}

/* Forward, where each row's terms are listed: high units, for whose rows the weights come from memory once, and all
 * panels, so that terms are found once; but all cores take part. */
static void share_rows(const opencl_backend *self, sharing *s, units *u, size_t grain) {
  enum { UNITS_OF_CORE = 2, ROWS_LEAST = 16 };
  size_t panels = size_divide_up(u->cols, PANEL), wanted = UNITS_OF_CORE * (size_t)self->base.device.compute_units;
  s->unit_rows = size_min(most_rows(self), size_max(ROWS_LEAST, size_divide_up(u->rows, wanted)));
  s->unit_rows = size_round_up(size_divide_up(u->rows, size_divide_up(u->rows, s->unit_rows)), grain);
  u->panels = size_divide_up(panels * size_divide_up(u->rows, s->unit_rows), wanted);
  u->panels = size_min(panels, size_max(TERMS_PANELS, u->panels));
}

static sharing sharing_forward(const opencl_backend *self, const dense_forward *d) {
  const size_t grain = FORWARD_GRAIN((size_t)self->tuning.tile_rows);
  units u = {.rows = d->rows, .cols = d->weight->cols, .depth = d->weight->rows};
  sharing s = {.listed = opencl_listed_forward(d->zeros, u.rows, u.cols)};
  if (s.listed == TERMS_OF_TILES) u.panels = PANELS_OF_TILE_LISTS;
  if (s.listed == TERMS_OF_ROWS)
    share_rows(self, &s, &u, grain);
  else
    s.unit_rows = unit_rows_of(self, &u, grain, most_rows(self));
  s.pieces = pieces_of(self, &u, s.unit_rows);
  s.lists = opencl_lists(self, s.listed, s.unit_rows, u.depth);
  return s;
}

static mlp_cl_status forward(opencl_backend *self, const dense_forward *d, mlp_cl_error *error) {
  const sharing s = sharing_forward(self, d);
  launch l;
  TRY(launch_begin(&l, self, "dense_forward", error));
  const size_t work_items = launch_deal(&l, s.pieces, s.unit_rows);
  launch_forward(&l, d);
  launch_int(&l, s.listed);
  launch_terms(&l, work_items, s.lists);
  launch_tensor(&l, d->y);
  return launch_run(&l, work_items, 1, 1, 1, error);
}

static mlp_cl_status backward_input(opencl_backend *self, const dense_backward_input *d, mlp_cl_error *error) {
  opencl_tensor *d_y = opencl_of(d->d_y), *d_x = opencl_of(d->d_x);
  const units u = {.rows = d->weight->rows, .cols = d->rows, .depth = d->weight->cols};
  const size_t unit_rows = unit_rows_of(self, &u, (size_t)self->tuning.unit_rows, most_rows(self));
  const bool transposed = FROM_TRANSPOSE(u.cols, u.depth), keeps = d->goes_on && FROM_TRANSPOSE(u.cols, u.rows);
  launch l;
  if (transposed) TRY(opencl_transposed_update(self, d_y, d->rows, error));
  if (transposed || keeps) TRY(opencl_transposed_create(self, d_x, error));
  TRY(launch_begin(&l, self, "dense_backward_input", error));
  const size_t work_items = launch_deal(&l, pieces_of(self, &u, unit_rows), unit_rows);
  launch_int(&l, d->rows);
  launch_int(&l, d->weight->rows);
  launch_int(&l, d->weight->cols);
  launch_tensor(&l, d->d_y);
  launch_buffer(&l, d_y->transposed);
  launch_int(&l, d_y->transposed_stride);
  launch_tensor(&l, d->weight);
  launch_int(&l, d->y != NULL);
  launch_tensor(&l, d->y);
  launch_float(&l, d->scale);
  launch_tensor(&l, d->d_x);
  launch_buffer(&l, d_x->transposed);
  launch_int(&l, d_x->transposed_stride);
  launch_int(&l, keeps);
  TRY(launch_run(&l, work_items, 1, 1, 1, error));
  d_x->transposed_valid = keeps;
  return MLP_CL_OK;
}

/* The weights' gradient, where the terms of d_y's columns are listed: a work-item has some of these, and all of x's, so
 * that it finds their terms once, and x comes from memory once; but all cores take part. */
static void share_columns(const opencl_backend *self, sharing *s, units *u, size_t grain) {
  enum { UNITS_OF_CORE = 4, PANELS_LEAST = 2, PANELS_MOST = 16, ROWS_LEAST = 8 * PANEL };
  size_t panels = size_divide_up(u->cols, PANEL), tile = (size_t)self->tuning.tile_panels;
  size_t wanted = UNITS_OF_CORE * (size_t)self->base.device.compute_units;
  u->panels = size_min(PANELS_MOST, size_max(PANELS_LEAST, size_divide_up(panels, wanted)));
  size_t heights = size_divide_up(wanted, size_divide_up(panels, u->panels));
  s->unit_rows = size_round_up(size_max(size_divide_up(u->rows, heights), size_min(u->rows, ROWS_LEAST)), grain);
  s->pieces = pieces_of(self, u, s->unit_rows);
  size_t of_piece = size_divide_up(size_divide_up(u->rows, s->unit_rows) * size_divide_up(panels, tile), s->pieces);
  s->lists = opencl_lists(self, s->listed, PANEL * size_min(panels, of_piece * tile), u->depth);
}

static sharing sharing_backward_weight(const opencl_backend *self, const dense_backward_weight *d, size_t in,
                                       size_t out) {
  const size_t tile_rows = (size_t)self->tuning.tile_rows, unit_rows = (size_t)self->tuning.unit_rows;
  units u = {.rows = in, .cols = out, .depth = d->rows};
  sharing s = {.listed = opencl_listed_backward(d->zeros, in, out)};
  if (s.listed == TERMS_OF_ROWS) {
    share_columns(self, &s, &u, BACKWARD_GRAIN(tile_rows, unit_rows));
    return s;
  }
  if (s.listed == TERMS_OF_TILES) u.panels = PANELS_OF_TILE_LISTS;
  s.unit_rows = unit_rows_of(self, &u, tile_rows, unit_rows);
  s.pieces = pieces_of(self, &u, s.unit_rows);
  s.lists = opencl_lists(self, s.listed, s.unit_rows, u.depth);
  return s;
}

static mlp_cl_status backward_weight_of_layer(opencl_backend *self, const dense_backward_weight *d,
                                              mlp_cl_error *error) {
  const tensor *weight = weight_or_gradient(d);
  const sharing s = sharing_backward_weight(self, d, weight->rows, weight->cols);
  launch l;
  if (weight->role == TENSOR_GRADIENT) opencl_of(weight)->transposed_valid = false;
  TRY(launch_begin(&l, self, d->adam != NULL ? "dense_backward_weight_adam" : "dense_backward_weight", error));
  const size_t work_items = launch_deal(&l, s.pieces, s.unit_rows);
  launch_int(&l, d->rows);
  launch_int(&l, weight->rows);
  launch_int(&l, weight->cols);
  launch_tensor(&l, d->x);
  launch_tensor(&l, d->d_y);
  launch_int(&l, s.listed);
  launch_terms(&l, work_items, s.lists);
  launch_int(&l, is_stored(d));
  launch_update(&l, d);
  launch_weights(&l, d);
  launch_buffer_of(&l, d->flag);
  launch_uint(&l, d->step);
  return launch_run(&l, work_items, 1, 1, 1, error);
}

static mlp_cl_status backward_weight(opencl_backend *self, const dense_backward_weight *d, size_t count,
                                     mlp_cl_error *error) {
  for (size_t i = 0; i < count; i++) TRY(backward_weight_of_layer(self, &d[i], error));
  return MLP_CL_OK;
}

const dense_variant dense_panel = {forward, backward_input, backward_weight};
