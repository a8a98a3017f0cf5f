/* For GPUs: each product is one launch, of work-groups with local memory (kernels/matmul_tile.h); so are the weights of
 * several layers. */
#include "base/size.h"
#include "opencl/dense.h"

/* Work-groups, so many beside and below each other, of `local` work-items each. */
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

static mlp_cl_status forward(opencl_backend *self, const dense_forward *d, mlp_cl_error *error) {
  const tile_shape *tile = tile_of(self, d->rows, d->weight->cols);
  launch l;
  TRY(launch_begin(&l, self, tile_kernel(self, tile, "dense_forward", "dense_forward_small"), error));
  launch_forward(&l, d);
  launch_tensor(&l, d->y);
  return run_grid(&l, grid_of(tile, 1, d->rows, d->weight->cols), error);
}

static mlp_cl_status backward_input(opencl_backend *self, const dense_backward_input *d, mlp_cl_error *error) {
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

/* The groups that all layers' weights take in tiles of this shape. */
static size_t weight_groups(const tile_shape *tile, const dense_backward_weight *d, size_t count) {
  size_t groups = 0;
  for (size_t i = 0; i < count; i++) {
    const tensor *weight = weight_or_gradient(&d[i]);
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
  if (d == NULL) d = &none;
  const tensor *weight = weight_or_gradient(d);
  launch_int(l, weight != NULL ? weight->rows : 0);
  launch_int(l, weight != NULL ? weight->cols : 0);
  launch_tensor(l, d->x);
  launch_tensor(l, d->d_y);
  launch_weights(l, d);
}

/* At most WEIGHT_LAYERS_MAX layers. */
static mlp_cl_status backward_weight_of_layers(opencl_backend *self, const dense_backward_weight *d, size_t count,
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

/* Several layers in a launch, unless their trees would have to be in memory at once. */
static mlp_cl_status backward_weight(opencl_backend *self, const dense_backward_weight *d, size_t count,
                                     mlp_cl_error *error) {
  const size_t most = d->rows <= LEAF_ROWS ? WEIGHT_LAYERS_MAX : 1;
  for (size_t i = 0; i < count; i += most)
    TRY(backward_weight_of_layers(self, &d[i], size_min(most, count - i), error));
  return MLP_CL_OK;
}

const dense_variant dense_tile = {forward, backward_input, backward_weight};
