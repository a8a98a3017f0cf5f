/* Whole steps in a program of their own: they take longer to compile than all other kernels together, and runs that are
 * short or have long steps do without. */
#include "train_steps.cl"
