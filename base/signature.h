/*
 * signature.h - public keys, and the verification of signatures.
 *
 * Four algorithms, with the names of JOSE (RFC 7518, RFC 8037). Each algorithm takes one kind of
 * key only, so that an RSA key cannot be used as a shared secret, nor a point on another curve.
 *
 * Threads: a key is immutable; any thread may use it.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

enum signature_algorithm {
    SIGNATURE_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256 */
    SIGNATURE_PS256, /* RSASSA-PSS with SHA-256, MGF1 with SHA-256, a salt of 32 bytes */
    SIGNATURE_ES256, /* ECDSA on P-256 with SHA-256; r and s, 32 bytes each */
    SIGNATURE_EDDSA, /* Ed25519 */
};

struct signature_key;

/**
 * An RSA key with the modulus `n` (2048 to 8192 bits) and the exponent `e` (odd, 3 or more, at most
 * 8 bytes), both big-endian. ERR_MALFORMED otherwise. The caller owns the key, as those below.
 */
NODISCARD bool signature_key_rsa(struct str n, struct str e, struct signature_key **out,
                                 struct error *err);

/** A point on P-256; `x` and `y` have 32 bytes each, big-endian. ERR_MALFORMED otherwise. */
NODISCARD bool signature_key_p256(struct str x, struct str y, struct signature_key **out,
                                  struct error *err);

/** An Ed25519 key (RFC 8032) of 32 bytes. ERR_MALFORMED otherwise. */
NODISCARD bool signature_key_ed25519(struct str x, struct signature_key **out, struct error *err);

/** NULL is fine. */
void signature_key_destroy(struct signature_key *key);

/** Is the key of the kind that the algorithm takes? */
bool signature_key_fits(const struct signature_key *key, enum signature_algorithm algorithm);

/** Is `signature` the key owner's of `message`? False also when key and algorithm do not fit. */
bool signature_verify(const struct signature_key *key, enum signature_algorithm algorithm,
                      struct str message, struct str signature);
