/*
 * auth.h - who may post: API keys in any header, HTTP Basic (RFC 7617), and bearer tokens.
 *
 * Any one of the credentials lets a request in, so that old and new overlap while they rotate.
 * Secrets are files; auth_refresh() reads a file that has changed again, and while it cannot be
 * read the old secret stays.
 *
 * Threads: auth_admit() from any thread, which never touches a file; the rest from one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "handlers/auth/bearer.h"
#include "handlers/handler.h"

struct auth;

struct auth_api_key {
    const char *header;     /* which header carries it */
    const char *value_file; /* its first line is the key */
};

struct auth_basic {
    const char *user;
    const char *password_file; /* its first line is the password */
};

struct auth_options {
    const struct auth_api_key *api_keys; /* borrowed during the call, as `basic` */
    size_t api_key_count;
    const struct auth_basic *basic;
    size_t basic_count;
    const struct bearer_options *bearer; /* NULL: no tokens */
};

/** Read all secrets. The caller owns the result. ERR_CONFIG names the file that cannot be used. */
NODISCARD bool auth_create(const struct auth_options *options, struct auth **out,
                           struct error *err);

/** Wipe the secrets and free. NULL is fine. */
void auth_destroy(struct auth *auth);

/**
 * Before the first request: see bearer_start(), which this is when there are tokens.
 * `predecessor` (may be NULL) is what was asked until now. ERR_SYSTEM.
 */
NODISCARD bool auth_start(struct auth *auth, struct auth *predecessor, struct error *err);

/** Look at the files, and read those that have changed. To be called about once a second. */
void auth_refresh(struct auth *auth);

/**
 * Does the request carry a credential? If not, `response` is the 401, good while `auth` lives; or
 * a 429, when its token was not checked because the limits on that are used up.
 */
bool auth_admit(struct auth *auth, const struct request *request, struct response *response);
