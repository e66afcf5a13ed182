/*
 * signer.h - the keys of an OAuth server for tests: JWKs, PEM files, valid and forged tokens.
 *
 * A function that fails ends the test program.
 */
#pragma once

#include "base/buf.h"
#include "base/signature.h"
#include "base/str.h"

struct signer;

/** Make a key for the algorithm. `bits`: the size of an RSA key, else 0. The caller owns it. */
struct signer *signer_create(enum signature_algorithm algorithm, int bits);

void signer_destroy(struct signer *signer);

/** Make a key on the curve P-384 (ES384), which the program does not support. */
struct signer *signer_create_p384(void);

/** Append `text` in Base64url without padding. */
void signer_encode(struct buf *out, struct str text);

/** Append the members of the public JWK (`"kty":...`), without braces. */
void signer_write_jwk(const struct signer *signer, struct buf *out);

/** Append the public key in PEM. */
void signer_write_pem(const struct signer *signer, struct buf *out);

/** Append the signature of `message` in the format of JOSE (RFC 7518), not encoded. */
void signer_sign(const struct signer *signer, struct str message, struct buf *out);

/** Append the signature in OpenSSL's format: DER for ECDSA, which JOSE does not allow. */
void signer_sign_der(const struct signer *signer, struct str message, struct buf *out);

/** Append HMAC-SHA-256 of `message`, for forged tokens. */
void signer_hmac(struct str key, struct str message, struct buf *out);

/** Append a signed token with this header and payload, which are JSON texts. */
void signer_write_token(const struct signer *signer, const char *header, const char *payload,
                        struct buf *out);
