/* Whole steps in a program of their own: they take longer to compile than all other kernels together, and runs that are
 * short or have long steps do without. */
#include "panel.h"
#if VECTOR_LINES
#include "train_steps.cl"
#else
#include "train_steps_group.cl"
#endif
