/* output_layer: on GPUs one launch where classes are few, which is sooner done than three launches have begun. */
#include "base/size.h"
#include "opencl/internal.h"

/* Each group reads all weights, a line at a time, so that many of them, or many groups, are better off with tiles of
 * products; as are more classes. */
enum { LINES_MAX = 2048, ROWS_MAX = 8192 };

static bool is_one_launch(const opencl_backend *self, const output_layer *o) {
  const tensor *weight = o->forward.weight;
  return self->tuning.variant == VARIANT_TILE && o->loss.terms == NULL && weight->cols <= OUTPUT_CLASSES_MAX &&
         weight->rows * opencl_panels(weight) <= LINES_MAX && o->forward.rows <= ROWS_MAX;
}

/* The gather beside the layer: a line of work-items takes some of its lines. */
static size_t groups_of_gather(const gather *g, size_t lines_of_group) {
  enum { LINES_OF_LINE = 4, GROUPS_MAX = 1024 };
  if (g == NULL) return 0;
  return size_min(GROUPS_MAX, size_divide_up(g->rows * opencl_panels(g->y), LINES_OF_LINE * lines_of_group));
}

mlp_cl_status opencl_output_layer(backend *base, const output_layer *o, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  const dense_forward *f = &o->forward;
  const cross_entropy *c = &o->loss;
  const dense_backward_input *b = &o->backward;
  size_t rows_of_group = (size_t)self->tuning.output_rows, lines_of_group = rows_of_group * rows_of_group;
  size_t groups = size_divide_up(f->rows, rows_of_group) + groups_of_gather(o->ahead, lines_of_group);
  launch l;
  if (!is_one_launch(self, o)) return output_layer_by_parts(base, o, error);
  TRY(launch_begin(&l, self, "output_layer", error));
  launch_int(&l, f->rows);
  launch_int(&l, f->weight->rows);
  launch_int(&l, f->weight->cols);
  launch_tensor(&l, f->x);
  launch_tensor(&l, f->weight);
  launch_int(&l, f->bias != NULL);
  launch_tensor(&l, f->bias);
  launch_tensor(&l, f->y);
  launch_labels(&l, c);
  launch_tensor(&l, c->d_logits);
  launch_metrics(&l, c);
  launch_int(&l, o->has_below);
  launch_int(&l, o->has_below && b->y != NULL);
  launch_tensor(&l, o->has_below ? b->y : NULL);
  launch_float(&l, b->scale);
  launch_tensor(&l, o->has_below ? b->d_x : NULL);
  launch_gather(&l, o->ahead);
  return launch_run(&l, groups * lines_of_group * PANEL, 1, lines_of_group * PANEL, 1, error);
}
