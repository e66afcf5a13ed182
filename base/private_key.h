/*
 * private_key.h - private keys of TLS certificates, and signatures by them.
 *
 * RSA and ECDSA (P-256, P-384) only. OpenSSL takes a quarter of GnuTLS's time for an RSA signature
 * and half of it for one on P-256.
 *
 * Threads: a key is immutable; any thread may use it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

struct private_key;

enum private_key_hash {
    PRIVATE_KEY_SHA256,
    PRIVATE_KEY_SHA384,
    PRIVATE_KEY_SHA512,
    PRIVATE_KEY_NAMED, /* the digest is in a DigestInfo (RFC 8017, 9.2), which names its hash */
};

struct private_key_scheme {
    bool is_ecdsa; /* else RSA, */
    bool is_pss;   /* with a salt as long as the digest; else RSASSA-PKCS1-v1_5 */
    enum private_key_hash hash;
};

/** The key of a PKCS #8 structure in DER. NULL: not valid, or of another kind. The caller owns it.
 */
struct private_key *private_key_create(struct str der);

/** Wipe and free. NULL is fine. */
void private_key_destroy(struct private_key *key);

bool private_key_is_ecdsa(const struct private_key *key);

/** Of the modulus, or of the curve. */
int private_key_bits(const struct private_key *key);

/** The most bytes of a signature. */
size_t private_key_signature_size(const struct private_key *key);

/**
 * Sign a digest made with the scheme's hash; `*len` bytes are written. False: it is not one, the
 * scheme is of another kind of key, or there is no memory.
 */
NODISCARD bool private_key_sign(const struct private_key *key,
                                const struct private_key_scheme *scheme, struct str digest,
                                uint8_t *signature, size_t *len);
