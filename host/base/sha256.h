/* SHA-256 by libsodium, as a stream, with the result in hexadecimal. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <sodium/crypto_hash_sha256.h>
#include <stddef.h>

typedef crypto_hash_sha256_state sha256;

void sha256_begin(sha256 *state);
void sha256_add(sha256 *state, const void *bytes, size_t count);
/* With its NUL, so that two texts are not one. */
void sha256_add_text(sha256 *state, const char *text);
/* Writes 64 lower-case hex digits and a NUL. */
void sha256_end(sha256 *state, char hex[65]);

#endif
