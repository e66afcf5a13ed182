/*
 * jwks.h - a set of public keys as an OAuth server publishes it (RFC 7517, RFC 8037).
 *
 * Keys that this program has no use for (encryption, other curves, shared secrets, too short ones)
 * are left out, as RFC 7517 section 5 wants it, and so is a key that comes with its private part:
 * what everybody can read proves nothing. A set in which nothing is left is an error.
 *
 * Threads: immutable once read; any threads may use it at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/signature.h"
#include "base/str.h"

enum {
    JWKS_TEXT_MAX = 256 * 1024, /* bytes of a set's text */
    JWKS_KEYS_MAX = 64,         /* keys in a set */
    JWKS_TRIES_MAX = 4,         /* keys that one signature is held against */
};

struct jwks;

/** Read a set. The caller owns it. ERR_MALFORMED: it is none, or holds no usable key. */
NODISCARD bool jwks_read(struct str text, struct jwks **out, struct error *err);

/** NULL is fine. */
void jwks_destroy(struct jwks *jwks);

/** How many usable keys it has. */
size_t jwks_count(const struct jwks *jwks);

/** The algorithm that JOSE calls `name`. False: it is none of ours; `none` and HS256 are not. */
NODISCARD bool jwks_algorithm(struct str name, enum signature_algorithm *out);

enum jwks_verdict {
    JWKS_SIGNED,
    JWKS_FORGED,     /* not signed by the key that it names, or by none of those that fit */
    JWKS_UNKNOWN_KEY /* the set has no key of that name, or of that kind */
};

/** What a token says about its signature. */
struct jwks_claim {
    enum signature_algorithm algorithm;
    struct str kid; /* the key's name; ptr NULL: any that fits */
    struct str message;
    struct str signature;
};

/** Is the signature one of the set's keys'? */
enum jwks_verdict jwks_verify(const struct jwks *jwks, const struct jwks_claim *claim);
