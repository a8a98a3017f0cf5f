/* A context: one opened backend and the self-test's verdict on it. */
#ifndef CONTEXT_CONTEXT_H
#define CONTEXT_CONTEXT_H

#include "backend/backend.h"

struct mlp_cl_context {
  backend *backend;
  const char *broken_rule; /* of the numerics contract; NULL when the self-test passed */
};

#endif
