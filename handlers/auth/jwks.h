/*
 * jwks.h - a set of public keys as an OAuth server publishes it (RFC 7517, RFC 8037).
 *
 * Keys that this program cannot use (for encryption, other curves, shared secrets, too short ones)
 * are ignored, see RFC 7517 section 5. A key that is published with its private part is ignored,
 * too, because anyone can sign with it. A set without a usable key is an error.
 *
 * Threads: immutable once read; any number of threads may use it.
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
    JWKS_TRIES_MAX = 4,         /* keys that are tried for one signature */
};

struct jwks;

/** Read a set. The caller owns it. ERR_MALFORMED: not a set, or no usable key in it. */
NODISCARD bool jwks_read(struct str text, struct jwks **out, struct error *err);

/** NULL is fine. */
void jwks_destroy(struct jwks *jwks);

/** The number of usable keys. */
size_t jwks_count(const struct jwks *jwks);

/** The algorithm of that name in JOSE. False: not supported, as `none` and HS256 are. */
NODISCARD bool jwks_algorithm(struct str name, enum signature_algorithm *out);

enum jwks_verdict {
    JWKS_SIGNED,
    JWKS_FORGED,     /* not signed by the key that it names, or by any key that fits */
    JWKS_UNKNOWN_KEY /* the set has no key of that name, or of that kind */
};

/** What a token states about its signature. */
struct jwks_claim {
    enum signature_algorithm algorithm;
    struct str kid; /* the key's name; ptr NULL: any that fits */
    struct str message;
    struct str signature;
};

/** Was the message signed with a key of the set? */
enum jwks_verdict jwks_verify(const struct jwks *jwks, const struct jwks_claim *claim);
