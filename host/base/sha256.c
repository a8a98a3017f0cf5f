#include "base/sha256.h"

#include <sodium/utils.h>
#include <string.h>

void sha256_begin(sha256 *state) {
  crypto_hash_sha256_init(state);
}

void sha256_add(sha256 *state, const void *bytes, size_t count) {
  crypto_hash_sha256_update(state, bytes, (unsigned long long)count);
}

void sha256_add_text(sha256 *state, const char *text) {
  sha256_add(state, text, strlen(text) + 1);
}

void sha256_end(sha256 *state, char hex[65]) {
  unsigned char digest[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final(state, digest);
  sodium_bin2hex(hex, 65, digest, sizeof digest);
}
