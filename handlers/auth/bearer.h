/*
 * bearer.h - who may post with a bearer token of an OAuth server (RFC 6750): the token in the
 * header, the issuer's keys, and the tokens that were good a moment ago.
 *
 * Threads: bearer_check() from any thread; the rest belongs to one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "handlers/handler.h"

struct bearer;

struct bearer_options {
    const char *issuer;            /* copied, as all of them; "": no tokens at all */
    const char *audience;          /* "": tokens must name none */
    const char *jwks_url;          /* one of these two */
    const char *jwks_file;         /* */
    const char *const *client_ids; /* of which the token must name one; none: any */
    size_t client_id_count;
    const char *const *scopes; /* of which the token must have all */
    size_t scope_count;
};

/** Reads the keys when they are in a file. The caller owns it. ERR_CONFIG names the file. */
NODISCARD bool bearer_create(const struct bearer_options *options, struct bearer **out,
                             struct error *err);

/** NULL is fine. */
void bearer_destroy(struct bearer *bearer);

/**
 * Fetch the keys when they are at a URL, and keep them fresh from now on. A server that cannot be
 * reached yet is no failure: it is asked again, and until then nobody has a good token. With
 * `predecessor` (may be NULL) the keys of before are there at once. ERR_SYSTEM.
 */
NODISCARD bool bearer_start(struct bearer *bearer, struct bearer *predecessor, struct error *err);

enum bearer_verdict {
    BEARER_ABSENT, /* the request brings no bearer token */
    BEARER_GOOD,
    BEARER_BAD,
    BEARER_UNCHECKED, /* too many that were bad came from this sender, or it is over another limit
                       */
};

/**
 * Does the request bring a good token? Else `*reason` says why, and quotes nothing, unless none
 * came: then it is left as it is.
 */
enum bearer_verdict bearer_check(struct bearer *bearer, const struct request *request,
                                 const char **reason);
