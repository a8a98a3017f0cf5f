/* The backend on OpenCL 1.2: what the rooms above may know of it. */
#ifndef OPENCL_OPENCL_H
#define OPENCL_OPENCL_H

#include "backend/backend.h"

/* What to do where there is no driver: ends a sentence. */
extern const char opencl_install_hint[];

/* Opens device `index` of the list of opencl_devices, as `options` say.
 * Errors: NO_DEVICE, BAD_ARGUMENT (kernels, tuning), OPENCL, NO_MEMORY. */
mlp_cl_status opencl_open(size_t index, const mlp_cl_context_options *options, backend **opened, mlp_cl_error *error);

#endif
