/* The versions of the library and of the numerics contract. */
#include "mlp_cl.h"

const char *mlp_cl_version(void) {
  return MLP_CL_VERSION;
}

int mlp_cl_numerics_version(void) {
  return 1;
}
