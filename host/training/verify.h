/* Re-running some of a run's steps on the reference, while it trains. */
#ifndef TRAINING_VERIFY_H
#define TRAINING_VERIFY_H

#include "base/error.h"
#include "mlp_cl.h"

typedef struct step_verifier step_verifier;

/* trainer_advance for a trainer with a verifier. Errors: MISMATCH, those of steps. */
mlp_cl_status verify_advance(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error);
/* NULL is allowed. */
void step_verifier_destroy(step_verifier *verifier);

#endif
