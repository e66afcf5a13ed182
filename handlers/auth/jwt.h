/*
 * jwt.h - checks bearer tokens (RFC 7515, RFC 7519, with the advice of RFC 8725).
 *
 * The header of a token can only narrow the check: `alg` must be one of four and fit the key, `kid`
 * selects among the keys that are known, and keys or their addresses in a token (jwk, jku, x5c,
 * x5u) are ignored. `crit` and `b64` are refused. A type other than JWT or at+jwt is refused, so
 * that another kind of token of the same issuer is not accepted. `token_use`, which Amazon Cognito
 * writes, must be `access`.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "handlers/auth/jwks.h"

enum {
    JWT_MAX = 8 * 1024,           /* bytes of a token */
    JWT_LEEWAY_US = US_PER_MINUTE /* how far clocks may differ */
};

struct jwt_texts {
    const struct str *list;
    size_t count;
};

struct jwt_rules {
    struct str issuer;   /* `iss` must be it */
    struct str audience; /* `aud` must be it or contain it; empty: no `aud` allowed */
    struct jwt_texts
        client_ids;          /* `client_id`, or else `azp`, must be one of them; none: any client */
    struct jwt_texts scopes; /* `scope`, or else `scp`, must have all of them */
};

struct jwt_verdict {
    bool valid;
    bool unknown_key;   /* invalid: no known key can have signed it */
    bool verified;      /* the signature was checked, which is the costly part */
    bool forged;        /* invalid: the signature is wrong */
    const char *reason; /* why it is invalid, constant text; NULL: it is valid */
    int64_t expires_us; /* if valid: since 1970, leeway included */
};

/** Check `token` at `now_us` (since 1970). Allocates at most a few hundred KiB in the arena. */
struct jwt_verdict jwt_check(struct arena *arena, const struct jwks *jwks,
                             const struct jwt_rules *rules, struct str token, int64_t now_us);
