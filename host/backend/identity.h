/* What is remembered of a device from one process to the next holds as long as what it was found with: our version, the
 * device, its driver and that one's compiler. */
#ifndef BACKEND_IDENTITY_H
#define BACKEND_IDENTITY_H

#include "backend/backend.h"
#include "base/sha256.h"

void identity_add(const backend *self, sha256 *key);
/* The text of all our kernels. */
void identity_add_kernels(sha256 *key);

#endif
