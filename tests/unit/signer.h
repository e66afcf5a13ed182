/*
 * signer.h - an OAuth server for tests: keys, their JWKs, and tokens, good ones and bad ones.
 *
 * What cannot be done ends the test program: there is nothing to test then.
 */
#pragma once

#include "base/buf.h"
#include "base/signature.h"
#include "base/str.h"

struct signer;

/** A new key for the algorithm; `bits` is RSA's size, 0 for the others. The caller owns it. */
struct signer *signer_create(enum signature_algorithm algorithm, int bits);

void signer_destroy(struct signer *signer);

/** A key for ES384, on a curve that the program does not support. */
struct signer *signer_create_p384(void);

/** `text` in Base64url, added to `out`. */
void signer_encode(struct buf *out, struct str text);

/** Add the members of the public JWK: `"kty":...`, without braces. */
void signer_write_jwk(const struct signer *signer, struct buf *out);

/** The public key, in PEM, added to `out`. */
void signer_write_pem(const struct signer *signer, struct buf *out);

/** Sign as JOSE does; the raw signature is added to `out`. */
void signer_sign(const struct signer *signer, struct str message, struct buf *out);

/** ECDSA's signature as OpenSSL makes it: in DER. */
void signer_sign_der(const struct signer *signer, struct str message, struct buf *out);

/** HMAC with SHA-256, for forgers. */
void signer_hmac(struct str key, struct str message, struct buf *out);

/** A whole token from the JSON of header and payload, added to `out`. */
void signer_write_token(const struct signer *signer, const char *header, const char *payload,
                        struct buf *out);
