/* One training step, written once over the backend: forward, loss, backward, update. */
#ifndef NETWORK_STEP_H
#define NETWORK_STEP_H

#include "backend/backend.h"

/* All steps of the range, in fewer launches where the backend can; keeps pace. Enqueues only. */
mlp_cl_status run_steps(backend *on, const step_plan *plan, const step_range *range, mlp_cl_error *error);

/* The two halves of step number `number` on the first `rows` rows of the source, for a loss that somebody else finds:
 * forward, dropout included, to the last layer's y; and from that layer's d_y back, to d_x (rows, inputs) unless NULL,
 * and the update. Enqueue only. */
mlp_cl_status step_forward(backend *on, const step_plan *plan, size_t rows, uint32_t number, mlp_cl_error *error);
mlp_cl_status step_backward(backend *on, const step_plan *plan, size_t rows, uint32_t number, tensor *d_x,
                            mlp_cl_error *error);

#endif
