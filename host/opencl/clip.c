/* clip: the sum of a gradient's squares, and its scaling. */
#include "base/size.h"
#include "opencl/internal.h"

mlp_cl_status opencl_squared_sum(backend *base, const tensor *gradient, tensor *sums, size_t slot,
                                 mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  size_t count = size_divide_up(gradient->rows, BLOCK_FEATURES), lines = count * opencl_panels(gradient);
  launch l;
  TRY(opencl_room_reserve(self, &self->scratch, lines * PANEL * sizeof(float), error));
  TRY(launch_begin(&l, self, "squared_blocks", error));
  launch_int(&l, gradient->rows);
  launch_int(&l, gradient->cols);
  launch_int(&l, count);
  launch_tensor(&l, gradient);
  launch_buffer(&l, self->scratch.buffer);
  TRY(launch_lines(&l, lines, error));
  TRY(launch_begin(&l, self, "squared_sum", error));
  launch_int(&l, gradient->cols);
  launch_int(&l, count);
  launch_buffer(&l, self->scratch.buffer);
  launch_buffer_of(&l, sums);
  launch_int(&l, slot);
  return launch_rows(&l, 1, error);
}

mlp_cl_status opencl_clip(backend *base, const clip *c, mlp_cl_error *error) {
  launch l;
  opencl_of(c->gradient)->transposed_valid = false;
  TRY(launch_begin(&l, (opencl_backend *)base, "clip", error));
  launch_int(&l, c->gradient->rows);
  launch_int(&l, c->gradient->cols);
  launch_int(&l, c->sums->cols);
  launch_buffer_of(&l, c->sums);
  launch_float(&l, c->limit);
  launch_tensor(&l, c->gradient);
  launch_buffer_of(&l, c->flag);
  launch_uint(&l, c->step);
  return launch_lines(&l, c->gradient->rows * opencl_panels(c->gradient), error);
}
