/*
 * jwt.h - is this bearer token good? (RFC 7515, RFC 7519, with the advice of RFC 8725)
 *
 * What a token says about itself is believed only as far as it narrows: `alg` must be one of four
 * and fit the key, `kid` picks among the keys that we hold already, and keys or addresses of keys
 * that come with the token (jwk, jku, x5c, x5u) are not even read. `crit` and `b64` are refused, a
 * type other than JWT or at+jwt too, so that another kind of token of the same issuer does not
 * pass; a `token_use`, as Amazon Cognito writes it, must be `access`.
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
    struct str issuer;           /* what `iss` must be */
    struct str audience;         /* what `aud` must be or hold; empty: there must be no `aud` */
    struct jwt_texts client_ids; /* one must be `client_id`, else `azp`; none: any client */
    struct jwt_texts scopes;     /* all of which must be in `scope`, else `scp` */
};

struct jwt_verdict {
    bool valid;
    bool unknown_key;   /* it is not: no key that we hold can have signed it */
    bool verified;      /* a signature was checked, which is what costs */
    bool forged;        /* and it is wrong */
    const char *reason; /* why it is not, in words that quote nothing of it; NULL when it is */
    int64_t expires_us; /* when it is: since 1970, the leeway included */
};

/**
 * Check `token` against the keys at `now_us` (since 1970). What is allocated meanwhile, at most a
 * few hundred KiB, belongs to the arena.
 */
struct jwt_verdict jwt_check(struct arena *arena, const struct jwks *jwks,
                             const struct jwt_rules *rules, struct str token, int64_t now_us);
