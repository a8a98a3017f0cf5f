/* Proves the numerics contract on an opened backend: what a driver claims about itself counts for nothing. */
#ifndef CONTEXT_SELF_TEST_H
#define CONTEXT_SELF_TEST_H

#include "backend/backend.h"

/* *broken gets the name of the first rule or operation whose bits differ, in static storage, or NULL.
 * Errors: those of the operations. */
mlp_cl_status self_test(backend *tested, const char **broken, mlp_cl_error *error);

/* The same for those of seldom_trials whose bits are 1 in `chosen`. */
mlp_cl_status self_test_seldom(backend *tested, uint64_t chosen, const char **broken, mlp_cl_error *error);

/* The same for whole training steps of a kind; *taken is false where the backend leaves them to single operations. */
mlp_cl_status self_test_steps(backend *tested, step_kind kind, const char **broken, bool *taken, mlp_cl_error *error);

#endif
