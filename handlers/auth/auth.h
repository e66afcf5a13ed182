/*
 * auth.h - which requests may post: API keys in any header, HTTP Basic (RFC 7617), bearer tokens.
 *
 * One accepted credential is enough, so an old and a new secret can both be valid during a
 * rotation. Secrets are in files, or where base/vault.h says; auth_refresh() reads a secret again
 * when it has changed. While it cannot be read, the old one stays valid.
 *
 * Threads: auth_admit() from any thread (it reads no file); the rest from one thread.
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
    const char *header;     /* the header that carries the key */
    const char *value_file; /* its first line is the key */
};

struct auth_basic {
    const char *user;
    const char *password_file; /* its first line is the password */
};

struct auth_options {
    const struct auth_api_key *api_keys; /* all pointers are borrowed during the call */
    size_t api_key_count;
    const struct auth_basic *basic;
    size_t basic_count;
    const struct bearer_options *bearer; /* NULL: no tokens */

    /** A request has a key or a password that is not accepted; from any thread. NULL: none. */
    void (*on_wrong)(void *self);
    void *self;
};

/** Read all secrets. The caller owns the result. ERR_CONFIG names a file that cannot be used. */
NODISCARD bool auth_create(const struct auth_options *options, struct auth **out,
                           struct error *err);

/** Wipe the secrets and free. NULL is fine. */
void auth_destroy(struct auth *auth);

/**
 * Start bearer_start() if tokens are configured. Before the first request. `predecessor` (may be
 * NULL) is the one in force until now. ERR_SYSTEM.
 */
NODISCARD bool auth_start(struct auth *auth, struct auth *predecessor, struct error *err);

/** Read the secrets whose files have changed. Call it about once a second. */
void auth_refresh(struct auth *auth);

/**
 * Does the request carry an accepted credential? If not, `response` is the 401, which is valid
 * while `auth` lives; or a 429, if a limit was reached and the token was not checked.
 */
bool auth_admit(struct auth *auth, const struct request *request, struct response *response);
