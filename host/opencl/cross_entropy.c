/* cross_entropy: losses, predictions and the gradient of the logits in one launch. */
#include "base/size.h"
#include "opencl/internal.h"

/* Smoothed labels and weighted classes have a kernel of their own. */
static mlp_cl_status run_with_terms(opencl_backend *self, const cross_entropy *c, mlp_cl_error *error) {
  size_t classes = c->logits->cols;
  float smoothing = c->terms->smoothing, off = smoothing / (float)classes;
  launch l;
  TRY(launch_begin(&l, self, "label_terms", error));
  launch_int(&l, c->rows);
  launch_int(&l, classes);
  launch_tensor(&l, c->logits);
  launch_labels(&l, c);
  launch_float(&l, smoothing);
  launch_float(&l, 1.0f - smoothing);
  launch_float(&l, (1.0f - smoothing) + off);
  launch_float(&l, off);
  launch_float(&l, 1.0f / (float)classes);
  launch_int(&l, c->terms->weights != NULL);
  launch_buffer_of(&l, c->terms->weights);
  launch_int(&l, c->d_logits != NULL);
  launch_tensor(&l, c->d_logits);
  launch_metrics(&l, c);
  return launch_rows(&l, c->rows, error);
}

mlp_cl_status opencl_cross_entropy(backend *base, const cross_entropy *c, mlp_cl_error *error) {
  opencl_backend *self = (opencl_backend *)base;
  size_t block = self->tuning.variant == VARIANT_PANEL ? PANEL : 1;
  launch l;
  if (c->d_logits != NULL) opencl_of(c->d_logits)->transposed_valid = false;
  if (c->terms != NULL) return run_with_terms(self, c, error);
  TRY(launch_begin(&l, self, "cross_entropy", error));
  launch_int(&l, c->rows);
  launch_int(&l, c->logits->cols);
  launch_tensor(&l, c->logits);
  launch_labels(&l, c);
  launch_int(&l, c->d_logits != NULL);
  launch_tensor(&l, c->d_logits);
  launch_metrics(&l, c);
  return launch_rows(&l, size_divide_up(c->rows, block), error);
}
