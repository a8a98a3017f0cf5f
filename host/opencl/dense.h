/* The products of a dense layer by variant, a file each: with all that surrounds them in one launch on CPUs and GPUs,
 * as chains of unfused launches in plain form. All give the same bits. */
#ifndef OPENCL_DENSE_H
#define OPENCL_DENSE_H

#include "opencl/internal.h"

/* As the operations of backend.h, whose descriptors they take. */
typedef struct dense_variant {
  mlp_cl_status (*forward)(opencl_backend *self, const dense_forward *d, mlp_cl_error *error);
  mlp_cl_status (*backward_input)(opencl_backend *self, const dense_backward_input *d, mlp_cl_error *error);
  mlp_cl_status (*backward_weight)(opencl_backend *self, const dense_backward_weight *d, size_t count,
                                   mlp_cl_error *error);
} dense_variant;

extern const dense_variant dense_plain, dense_panel, dense_tile;

/* Whether the gradients are wanted themselves; else they update the parameters. */
static inline bool is_stored(const dense_backward_weight *d) {
  return d->update == NULL && d->adam == NULL;
}

static inline const tensor *weight_or_gradient(const dense_backward_weight *d) {
  return is_stored(d) ? d->d_weight : d->weight;
}

/* What the forward kernels of both fused variants take. */
void launch_forward(launch *l, const dense_forward *d);
/* UPDATE_PARAMETERS of kernels/update.h. */
void launch_update(launch *l, const dense_backward_weight *d);
/* What the weights' kernels take of a layer: PARAMETERS_OF kernels/update.h for its weights, whether it has a bias, and
 * the same for that; or for their gradients. */
void launch_weights(launch *l, const dense_backward_weight *d);

#endif
