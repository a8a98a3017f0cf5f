#include "backend/identity.h"

#include "base/embedded.h"

void identity_add(const backend *self, sha256 *key) {
  sha256_add_text(key, mlp_cl_version());
  sha256_add_text(key, self->device.platform);
  sha256_add_text(key, self->platform_version);
  sha256_add_text(key, self->device.name);
  sha256_add_text(key, self->device.driver);
}

void identity_add_kernels(sha256 *key) {
  for (const embedded_file *file = embedded_kernels; file->name != NULL; file++)
    sha256_add(key, file->bytes, file->count);
}
