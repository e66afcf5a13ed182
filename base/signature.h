/*
 * signature.h - public keys, and whether a signature is theirs.
 *
 * Four algorithms, named as JOSE names them (RFC 7518, RFC 8037). Each belongs to one kind of key,
 * and a key answers for no other: there is no way to use an RSA key's bytes as a shared secret, or
 * one curve's point on another.
 *
 * Threads: a key is immutable once made; any threads may use it at once.
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
 * An RSA key; `n` and `e` are big-endian. 2048 to 8192 bits, an odd exponent from 3 of at most 8
 * bytes. ERR_MALFORMED otherwise. The caller owns the key, as those below.
 */
NODISCARD bool signature_key_rsa(struct str n, struct str e, struct signature_key **out,
                                 struct error *err);

/** A point on P-256; `x` and `y` are big-endian, 32 bytes each. ERR_MALFORMED: it is none. */
NODISCARD bool signature_key_p256(struct str x, struct str y, struct signature_key **out,
                                  struct error *err);

/** An Ed25519 key of 32 bytes (RFC 8032). ERR_MALFORMED: it is none. */
NODISCARD bool signature_key_ed25519(struct str x, struct signature_key **out, struct error *err);

/** NULL is fine. */
void signature_key_destroy(struct signature_key *key);

/** May the key be used with the algorithm? */
bool signature_key_fits(const struct signature_key *key, enum signature_algorithm algorithm);

/** Did the key's owner sign `message`? False also when key and algorithm do not fit. */
bool signature_verify(const struct signature_key *key, enum signature_algorithm algorithm,
                      struct str message, struct str signature);
