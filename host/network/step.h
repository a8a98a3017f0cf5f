/* One training step, written once over the backend: forward, loss, backward, update. */
#ifndef NETWORK_STEP_H
#define NETWORK_STEP_H

#include "backend/backend.h"

/* All steps of the range, in fewer launches where the backend can; keeps pace. Enqueues only. */
mlp_cl_status run_steps(backend *on, const step_plan *plan, const step_range *range, mlp_cl_error *error);

#endif
