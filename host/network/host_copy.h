/* One row's way through a small network costs less than a launch, so a few rows are computed by the reference on a copy
 * of the parameters: by the numerics contract with the same bits. */
#ifndef NETWORK_HOST_COPY_H
#define NETWORK_HOST_COPY_H

#include "network/network.h"

/* *runs becomes the network that is to compute `rows` rows: `network` itself, or its copy, brought up to date. Errors:
 * those of reading parameters, NO_MEMORY. */
mlp_cl_status host_copy_for_rows(mlp_cl_network *network, size_t rows, mlp_cl_network **runs, mlp_cl_error *error);

void host_copy_release(mlp_cl_network *network);

#endif
