/* A driver that makes one context and builds each program once, and hands these out again. Beneath the layer's
 * wrappers, which count what they are given as if it were new. */
#ifndef LAYER_KEEP_H
#define LAYER_KEEP_H

#include <CL/cl_layer.h>

/* Puts its own functions in `keeping`, a copy of `target`, which is the driver and stays. */
void keep_programs(const cl_icd_dispatch *target, cl_icd_dispatch *keeping);

#endif
