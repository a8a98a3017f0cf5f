/* What is remembered of a device from one process to the next holds as long as what it was found with: our version, the
 * device, its driver and that one's compiler. */
#ifndef BACKEND_IDENTITY_H
#define BACKEND_IDENTITY_H

#include "backend/backend.h"
#include "base/embedded.h"
#include "base/sha256.h"

static inline void identity_add(const backend *self, sha256 *key) {
  sha256_add_text(key, mlp_cl_version());
  sha256_add_text(key, self->device.platform);
  sha256_add_text(key, self->platform_version);
  sha256_add_text(key, self->device.name);
  sha256_add_text(key, self->device.driver);
}

/* The text of all our kernels. */
static inline void identity_add_kernels(sha256 *key) {
  for (const embedded_file *file = embedded_kernels; file->name != NULL; file++)
    sha256_add(key, file->bytes, file->count);
}

#endif
