/* The fused products of a dense layer, by variant: one launch each on CPUs and GPUs, on these also for the weights of
 * several layers; a chain of unfused launches in plain form. All give the same bits. */
#include "base/size.h"
#include "opencl/internal.h"

_Static_assert(LAYERS_TOGETHER == WEIGHT_LAYERS_MAX, "layers of a launch");

/* ---- Plain: the unfused operations, one after the other --------------------------------------------------------- */

static mlp_cl_status plain_forward(opencl_backend *self, const dense_forward *d, mlp_cl_error *error) {
  backend *base = &self->base;
  TRY(opencl_matmul_rows(self, MLP_CL_A_B, d->rows, d->x, d->weight, d->y, error));
  if (d->bias != NULL) TRY(opencl_bias(base, d->rows, d->y, d->bias, d->y, error));
  if (d->relu) TRY(opencl_relu(base, d->rows, d->y, d->y, error));
  if (d->dropout != NULL && d->dropout->threshold != 0)
    TRY(opencl_dropout(base, d->rows, d->dropout, d->y, d->y, error));
  return MLP_CL_OK;
}

static mlp_cl_status plain_backward_input(opencl_backend *self, const dense_backward_input *d, mlp_cl_error *error) {
  TRY(opencl_matmul_rows(self, MLP_CL_A_BT, d->rows, d->d_y, d->weight, d->d_x, error));
  if (d->y == NULL) return MLP_CL_OK;
  return opencl_relu_backward_scaled(self, d->rows, d->scale, d->y, d->d_x, d->d_x, error);
}

static bool is_stored(const dense_backward_weight *d) {
  return d->update == NULL && d->adam == NULL;
}

static mlp_cl_status plain_store(opencl_backend *self, const dense_backward_weight *d, mlp_cl_error *error) {
  TRY(opencl_matmul_rows(self, MLP_CL_AT_B, d->rows, d->x, d->d_y, d->d_weight, error));
  return d->d_bias == NULL ? MLP_CL_OK : opencl_bias_gradient(self, d->rows, d->d_y, d->d_bias, error);
}

static mlp_cl_status apply(opencl_backend *self, const dense_backward_weight *d, const tensor *gradient, tensor *value,
                           tensor *velocity, tensor *rms, mlp_cl_error *error) {
  if (d->update != NULL) return opencl_sgd(&self->base, d->update, gradient, value, velocity, d->flag, d->step, error);
  return opencl_adam(&self->base,
                     &(adam_step){.rule = *d->adam,
                                  .gradient = gradient,
                                  .weight = value,
                                  .moment = velocity,
                                  .rms = rms,
                                  .flag = d->flag,
                                  .step = d->step},
                     error);
}

/* The gradients go through memory of their own. */
static mlp_cl_status plain_apply(opencl_backend *self, const dense_backward_weight *d, mlp_cl_error *error) {
  backend *base = &self->base;
  dense_backward_weight stored = {.rows = d->rows, .x = d->x, .d_y = d->d_y};
  mlp_cl_status status = opencl_tensor_create(base, TENSOR_GRADIENT, TENSOR_FLOAT32, d->weight->rows, d->weight->cols,
                                              &stored.d_weight, error);
  if (status == MLP_CL_OK && d->bias != NULL)
    status = opencl_tensor_create(base, TENSOR_GRADIENT, TENSOR_FLOAT32, 1, d->bias->cols, &stored.d_bias, error);
  if (status == MLP_CL_OK) status = plain_store(self, &stored, error);
  if (status == MLP_CL_OK)
    status = apply(self, d, stored.d_weight, d->weight, d->weight_velocity, d->weight_rms, error);
  if (status == MLP_CL_OK && d->bias != NULL)
    status = apply(self, d, stored.d_bias, d->bias, d->bias_velocity, d->bias_rms, error);
  opencl_tensor_destroy(base, stored.d_bias);
  opencl_tensor_destroy(base, stored.d_weight);
  return status;
}

static mlp_cl_status plain_backward_weight(opencl_backend *self, const dense_backward_weight *d, mlp_cl_error *error) {
  return is_stored(d) ? plain_store(self, d, error) : plain_apply(self, d, error);
}

/* ---- What the two fused variants share --------------------------------------------------------------------------- */

/* Below this one work-item is done before a second core has been woken. */
static const double short_launch_flops = 1e6;

/* UPDATE_PARAMETERS of kernels/update.h. */
static void launch_update(launch *l, const dense_backward_weight *d) {
  if (d->adam != NULL)
    launch_adam(l, d->adam);
  else
    launch_sgd(l, d->update);
}

/* How a product is divided: units of so many rows × the panels of a tile, of which a work-item takes some that lie
 * beside each other: those of a tile, or where it finds terms for them, which takes time, `panels`. */
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
static size_t listed_of(zeros_kind zeros, size_t rows, size_t cols, size_t panels) {
  if (zeros == ZEROS_NONE || rows == 1 || size_divide_up(cols, PANEL) < panels) return TERMS_NOT_LISTED;
  return zeros == ZEROS_TOGETHER ? TERMS_OF_TILES : TERMS_OF_ROWS;
}

/* Work-items that share a row of units. */
static size_t widths_of(const opencl_backend *self, const units *u) {
  return size_divide_up(u->cols, PANEL * (u->panels > 0 ? u->panels : (size_t)self->tuning.tile_panels));
}

/* Panel: each work-item is a work-group and takes a share of the units. What counts besides the sums: a panel's padding
 * is computed, too; a lone row waits for the other operand; to store a line takes as long as some terms of its sum. */
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

/* Tile: work-groups, so many beside and below each other, of `local` work-items each. */
typedef struct tile_grid {
  size_t wide, high, local;
} tile_grid;

static tile_grid grid_of(const tile_shape *t, size_t tiles_of_group, size_t rows, size_t cols) {
  return (tile_grid){
      .wide = size_divide_up(cols, (size_t)(t->group_cols * t->item_cols)),
      .high = size_divide_up(rows, (size_t)(t->group_rows * t->item_rows) * tiles_of_group),
      .local = (size_t)(t->group_rows * t->group_cols * t->parts),
  };
}

/* Large tiles, if the result has enough of them for the whole device, else small ones. */
static const tile_shape *tile_of(const opencl_backend *self, size_t rows, size_t cols) {
  const opencl_tuning *u = &self->tuning;
  if (self->only_tile != NULL) return self->only_tile;
  tile_grid g = grid_of(&u->large, 1, rows, cols);
  return g.wide * g.high >= (size_t)u->enough_tiles ? &u->large : &u->small;
}

bool opencl_products_by(backend *base, size_t i) {
  opencl_backend *self = (opencl_backend *)base;
  const tile_shape *const tiles[] = {&self->tuning.large, &self->tuning.small};
  size_t count = self->tuning.variant == VARIANT_TILE ? 2 : 1;
  self->only_tile = i < count && count > 1 ? tiles[i] : NULL;
  return i < count;
}

static const char *tile_kernel(const opencl_backend *self, const tile_shape *t, const char *large, const char *small) {
  return t == &self->tuning.small ? small : large;
}

static mlp_cl_status run_grid(launch *l, tile_grid g, mlp_cl_error *error) {
  return launch_run(l, g.wide * g.local, g.high, g.local, 1, error);
}

/* What both fused variants take. */
static void launch_forward(launch *l, const dense_forward *d) {
  launch_int(l, d->rows);
  launch_int(l, d->weight->rows);
  launch_int(l, d->weight->cols);
  launch_tensor(l, d->x);
  launch_tensor(l, d->weight);
  launch_int(l, d->bias != NULL);
  launch_tensor(l, d->bias);
  launch_int(l, d->relu);
  launch_mask(l, d->dropout);
}

/* ---- Panel: one launch, each work-item a work-group ------------------------------------------------------------- */

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
  sharing s = {.listed = listed_of(d->zeros, u.rows, u.cols, TERMS_PANELS)};
  if (s.listed == TERMS_OF_TILES) u.panels = PANELS_OF_TILE_LISTS;
  if (s.listed == TERMS_OF_ROWS)
    share_rows(self, &s, &u, grain);
  else
    s.unit_rows = unit_rows_of(self, &u, grain, most_rows(self));
  s.pieces = pieces_of(self, &u, s.unit_rows);
  s.lists = opencl_lists(self, s.listed, s.unit_rows, u.depth);
  return s;
}

static mlp_cl_status panel_forward(opencl_backend *self, const dense_forward *d, mlp_cl_error *error) {
  const sharing s = sharing_forward(self, d);
  launch l;
  TRY(launch_begin(&l, self, "dense_forward", error));
  const size_t work_items = launch_pieces(&l, s.pieces);
  launch_int(&l, s.unit_rows);
  launch_forward(&l, d);
  launch_int(&l, s.listed);
  launch_terms(&l, work_items, s.lists);
  launch_tensor(&l, d->y);
  return launch_run(&l, work_items, 1, 1, 1, error);
}

static mlp_cl_status panel_backward_input(opencl_backend *self, const dense_backward_input *d, mlp_cl_error *error) {
  opencl_tensor *d_y = opencl_of(d->d_y), *d_x = opencl_of(d->d_x);
  const units u = {.rows = d->weight->rows, .cols = d->rows, .depth = d->weight->cols};
  size_t unit_rows = unit_rows_of(self, &u, (size_t)self->tuning.unit_rows, most_rows(self));
  launch l;
  TRY(opencl_transposed_update(self, d_y, d->rows, error));
  TRY(opencl_transposed_create(self, d_x, error));
  TRY(launch_begin(&l, self, "dense_backward_input", error));
  const size_t work_items = launch_pieces(&l, pieces_of(self, &u, unit_rows));
  launch_int(&l, unit_rows);
  launch_int(&l, d->rows);
  launch_int(&l, d->weight->rows);
  launch_int(&l, d->weight->cols);
  launch_buffer(&l, d_y->transposed);
  launch_int(&l, d_y->transposed_stride);
  launch_tensor(&l, d->weight);
  launch_int(&l, d->y != NULL);
  launch_tensor(&l, d->y);
  launch_float(&l, d->scale);
  launch_tensor(&l, d->d_x);
  launch_buffer(&l, d_x->transposed);
  launch_int(&l, d_x->transposed_stride);
  TRY(launch_run(&l, work_items, 1, 1, 1, error));
  d_x->transposed_valid = true;
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
  const bool turned = d->zeros == ZEROS_SCATTERED;
  sharing s = {.listed = turned ? listed_of(d->zeros, in, in, TURNED_TERMS_PANELS)
                                : listed_of(d->zeros, in, out, TERMS_PANELS)};
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

static mlp_cl_status panel_backward_weight(opencl_backend *self, const dense_backward_weight *d, mlp_cl_error *error) {
  const tensor *weight = is_stored(d) ? d->d_weight : d->weight, *bias = is_stored(d) ? d->d_bias : d->bias;
  const sharing s = sharing_backward_weight(self, d, weight->rows, weight->cols);
  launch l;
  if (weight->role == TENSOR_GRADIENT) opencl_of(weight)->transposed_valid = false;
  TRY(launch_begin(&l, self, d->adam != NULL ? "dense_backward_weight_adam" : "dense_backward_weight", error));
  const size_t work_items = launch_pieces(&l, s.pieces);
  launch_int(&l, s.unit_rows);
  launch_int(&l, d->rows);
  launch_int(&l, weight->rows);
  launch_int(&l, weight->cols);
  launch_tensor(&l, d->x);
  launch_tensor(&l, d->d_y);
  launch_int(&l, s.listed);
  launch_terms(&l, work_items, s.lists);
  launch_int(&l, is_stored(d));
  launch_update(&l, d);
  launch_parameters(&l, weight, d->weight_velocity, d->weight_rms);
  launch_int(&l, bias != NULL);
  launch_parameters(&l, bias, d->bias_velocity, d->bias_rms);
  launch_buffer_of(&l, d->flag);
  launch_uint(&l, d->step);
  return launch_run(&l, work_items, 1, 1, 1, error);
}

/* ---- Tile: one launch, work-groups with local memory ------------------------------------------------------------ */

static mlp_cl_status tile_forward(opencl_backend *self, const dense_forward *d, mlp_cl_error *error) {
  const tile_shape *tile = tile_of(self, d->rows, d->weight->cols);
  launch l;
  TRY(launch_begin(&l, self, tile_kernel(self, tile, "dense_forward", "dense_forward_small"), error));
  launch_forward(&l, d);
  launch_tensor(&l, d->y);
  return run_grid(&l, grid_of(tile, 1, d->rows, d->weight->cols), error);
}

static mlp_cl_status tile_backward_input(opencl_backend *self, const dense_backward_input *d, mlp_cl_error *error) {
  const tile_shape *tile = tile_of(self, d->rows, d->weight->rows);
  launch l;
  TRY(launch_begin(&l, self, tile_kernel(self, tile, "dense_backward_input", "dense_backward_input_small"), error));
  launch_int(&l, d->rows);
  launch_int(&l, d->weight->rows);
  launch_int(&l, d->weight->cols);
  launch_tensor(&l, d->d_y);
  launch_tensor(&l, d->weight);
  launch_int(&l, d->y != NULL);
  launch_tensor(&l, d->y);
  launch_float(&l, d->scale);
  launch_tensor(&l, d->d_x);
  return run_grid(&l, grid_of(tile, 1, d->rows, d->weight->rows), error);
}

static const tensor *gradient_or_weight(const dense_backward_weight *d) {
  return is_stored(d) ? d->d_weight : d->weight;
}

/* The groups that all layers' weights take in tiles of this shape. */
static size_t weight_groups(const tile_shape *tile, const dense_backward_weight *d, size_t count) {
  size_t groups = 0;
  for (size_t i = 0; i < count; i++) {
    const tensor *weight = gradient_or_weight(&d[i]);
    tile_grid g = grid_of(tile, (size_t)tile->parts, weight->rows, weight->cols);
    groups += g.wide * g.high;
  }
  return groups;
}

static const tile_shape *tile_of_weights(const opencl_backend *self, const dense_backward_weight *d, size_t count) {
  const opencl_tuning *u = &self->tuning;
  if (self->only_tile != NULL) return self->only_tile;
  return weight_groups(&u->large, d, count) >= (size_t)u->enough_tiles ? &u->large : &u->small;
}

/* Memory for the pending nodes of the batch's tree: one value per result and level. */
static mlp_cl_status pending_reserve(opencl_backend *self, const tile_shape *tile, size_t work_items, size_t rows,
                                     mlp_cl_error *error) {
  size_t levels = 0, bytes;
  for (size_t leaves = size_divide_up(rows, LEAF_ROWS); leaves > 1; leaves /= 2) levels++;
  if (levels == 0) return MLP_CL_OK;
  if (!size_multiply((levels + 1) * (size_t)(tile->item_rows * tile->item_cols) * sizeof(float), work_items, &bytes))
    return fail(error, MLP_CL_BAD_SHAPE, "a batch of %zu rows is too large", rows);
  return opencl_room_reserve(self, &self->scratch, bytes, error);
}

/* WEIGHT_LAYER_PARAMETERS of kernels/matmul_tile.cl; NULL: no layer. */
static void launch_weight_layer(launch *l, const dense_backward_weight *d) {
  static const dense_backward_weight none = {0};
  const tensor *weight = d != NULL ? gradient_or_weight(d) : NULL;
  if (d == NULL) d = &none;
  const tensor *bias = is_stored(d) ? d->d_bias : d->bias;
  launch_int(l, weight != NULL ? weight->rows : 0);
  launch_int(l, weight != NULL ? weight->cols : 0);
  launch_tensor(l, d->x);
  launch_tensor(l, d->d_y);
  launch_parameters(l, weight, d->weight_velocity, d->weight_rms);
  launch_int(l, bias != NULL);
  launch_parameters(l, bias, d->bias_velocity, d->bias_rms);
}

/* At most WEIGHT_LAYERS_MAX layers. */
static mlp_cl_status tile_backward_weight(opencl_backend *self, const dense_backward_weight *d, size_t count,
                                          mlp_cl_error *error) {
  const tile_shape *tile = tile_of_weights(self, d, count);
  size_t local = (size_t)(tile->group_rows * tile->group_cols * tile->parts);
  size_t work_items = weight_groups(tile, d, count) * local;
  const char *kernel = d->adam != NULL
                           ? tile_kernel(self, tile, "dense_backward_weight_adam", "dense_backward_weight_adam_small")
                           : tile_kernel(self, tile, "dense_backward_weight", "dense_backward_weight_small");
  launch l;
  TRY(pending_reserve(self, tile, work_items, d->rows, error));
  TRY(launch_begin(&l, self, kernel, error));
  launch_int(&l, d->rows);
  launch_int(&l, is_stored(d));
  launch_update(&l, d);
  launch_buffer_of(&l, d->flag);
  launch_uint(&l, d->step);
  launch_buffer(&l, self->scratch.buffer);
  for (size_t i = 0; i < WEIGHT_LAYERS_MAX; i++) launch_weight_layer(&l, i < count ? &d[i] : NULL);
  return launch_run(&l, work_items, 1, local, 1, error);
}

/* Layers that one launch takes: several, unless their trees would have to be in memory at once. */
static size_t layers_of_launch(const opencl_backend *self, size_t rows) {
  return self->tuning.variant == VARIANT_TILE && rows <= LEAF_ROWS ? WEIGHT_LAYERS_MAX : 1;
}

/* ---- The choice ------------------------------------------------------------------------------------------------- */

mlp_cl_status opencl_dense_forward(backend *base, const dense_forward *d, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  switch (self->tuning.variant) {
    case VARIANT_PLAIN: return plain_forward(self, d, error);
    case VARIANT_PANEL: return panel_forward(self, d, error);
    case VARIANT_TILE: return tile_forward(self, d, error);
  }
  return MLP_CL_OK;
}

mlp_cl_status opencl_dense_backward_input(backend *base, const dense_backward_input *d, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  opencl_of(d->d_x)->transposed_valid = false;
  switch (self->tuning.variant) {
    case VARIANT_PLAIN: return plain_backward_input(self, d, error);
    case VARIANT_PANEL: return panel_backward_input(self, d, error);
    case VARIANT_TILE: return tile_backward_input(self, d, error);
  }
  return MLP_CL_OK;
}

mlp_cl_status opencl_dense_backward_weight(backend *base, const dense_backward_weight *d, size_t count,
                                           mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  size_t most = layers_of_launch(self, d->rows);
  for (size_t i = 0; i < count; i += most) switch (self->tuning.variant) {
      case VARIANT_PLAIN: TRY(plain_backward_weight(self, &d[i], error)); break;
      case VARIANT_PANEL: TRY(panel_backward_weight(self, &d[i], error)); break;
      case VARIANT_TILE: TRY(tile_backward_weight(self, &d[i], size_min(most, count - i), error)); break;
    }
  return MLP_CL_OK;
}
