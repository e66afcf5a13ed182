/*
 * oauth.h - access tokens by OAuth client credentials (RFC 6749 section 4.4), for one sink.
 *
 * A token is kept until shortly before it expires. One caller at a time fetches a token; callers
 * that need it wait for that fetch, and share its failure.
 *
 * Threads: oauth_authorize(), oauth_refuse() and oauth_interrupt() from any thread at any time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

/** Everything must outlive the tokens' keeper. */
struct oauth_options {
    const char *token_url;
    const char *client_id;
    const char *client_secret_file; /* read for each token: its first line */
    const char *scope;              /* "": none is asked for */
    const char *ca_file;            /* "": the system's */
    int64_t timeout_us;             /* of one request */
    bool in_form; /* id and secret are sent in the form; otherwise in Authorization */
};

struct oauth;

/** Fetches nothing. The caller owns it. */
struct oauth *oauth_create(const struct oauth_options *options);

/** NULL is fine. */
void oauth_destroy(struct oauth *oauth);

struct oauth_grant {
    struct str authorization; /* a header's value; freed with secret_free() */
    uint64_t number;          /* of the token, from 1 */
};

/**
 * The value of the header Authorization. ERR_CONFIG: the client or its request is refused, or the
 * secret cannot be read; ERR_UNREACHABLE: there is no answer now, or it asks to come again.
 */
NODISCARD bool oauth_authorize(struct oauth *oauth, struct oauth_grant *out, struct error *err);

/** The target does not accept the token with that number: no caller is granted it again. */
void oauth_refuse(struct oauth *oauth, uint64_t number);

/** The fetch under way and all later ones fail at once. */
void oauth_interrupt(struct oauth *oauth);
