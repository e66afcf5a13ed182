/*
 * bearer.h - bearer tokens of an OAuth server (RFC 6750): the token in the header, the issuer's
 * keys, the cache of tokens that were checked recently, and the limit on invalid tokens per sender.
 *
 * Threads: bearer_check() from any thread; the rest from one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "handlers/handler.h"

struct bearer;

struct bearer_options {
    const char *issuer;            /* all of them are copied */
    const char *audience;          /* "": tokens must have no audience */
    const char *jwks_url;          /* where the keys are; "": in jwks_file */
    const char *jwks_file;         /* not read if jwks_url is set */
    const char *const *client_ids; /* the token must name one of them; none: any client */
    size_t client_id_count;
    const char *const *scopes; /* the token must have all of them */
    size_t scope_count;
};

/** If the keys are in a file, read it. The caller owns the result. ERR_CONFIG names the file. */
NODISCARD bool bearer_create(const struct bearer_options *options, struct bearer **out,
                             struct error *err);

/** NULL is fine. */
void bearer_destroy(struct bearer *bearer);

/**
 * If the keys are at a URL, fetch them; keep them up to date from now on. A server that cannot be
 * reached is not an error: it is asked again, and until then every token is refused. The keys of
 * `predecessor` (may be NULL) are taken over if they come from the same URL. ERR_SYSTEM.
 */
NODISCARD bool bearer_start(struct bearer *bearer, struct bearer *predecessor, struct error *err);

enum bearer_verdict {
    BEARER_ABSENT, /* the request carries no bearer token */
    BEARER_GOOD,
    BEARER_BAD,
    BEARER_UNCHECKED, /* the sender is over its limit of bad tokens, or the server over its own */
};

/**
 * Does the request carry a valid token? BEARER_BAD and BEARER_UNCHECKED set `*reason` to constant
 * text, which quotes nothing of the token.
 */
enum bearer_verdict bearer_check(struct bearer *bearer, const struct request *request,
                                 const char **reason);
