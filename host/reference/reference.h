/* The backend in plain serial C: the readable specification of every operation. */
#ifndef REFERENCE_REFERENCE_H
#define REFERENCE_REFERENCE_H

#include "backend/backend.h"

/* Errors: NO_MEMORY. */
mlp_cl_status reference_open(backend **opened, mlp_cl_error *error);

/* From now on weights change only when they are written, and a second thread takes part in what is computed forward,
 * where there is one to be had. */
void reference_hire(backend *reference);
/* About how many operations a second two threads of this processor come to in sums over features: with AVX-512, with
 * another instruction for multiply-adds, or with a call for each. */
double reference_flops(void);

#endif
