/*
 * admin_guard.h - which requests the admin address serves, beside probes and metrics.
 *
 * A browser may hold a credential while it shows other pages. So a request must name this server in
 * Host (a page whose name is made to point here does not), must not come from another origin, and,
 * if it changes something, must have a header that forms cannot set.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "handlers/auth/auth.h"
#include "handlers/handler.h"
#include "server/console_tokens.h"

struct admin_guard;

struct admin_guard_options {
    const char *host;         /* of the address; the rest is borrowed as well */
    const char *const *hosts; /* further names */
    size_t host_count;
    struct auth *auth; /* NULL: tokens only */
    struct console_tokens *tokens;
};

/** The caller owns it. */
struct admin_guard *admin_guard_create(const struct admin_guard_options *options);

/** NULL is fine. */
void admin_guard_destroy(struct admin_guard *guard);

/** What a request is about to do. */
enum admin_guard_act {
    ADMIN_READS,
    ADMIN_OPENS,   /* a page: a link in another page may lead to it, and a token may be in its query
                    */
    ADMIN_CHANGES, /* needs the header X-Sluice-Console: 1 */
};

/** May the request be served? If not, `response` is the 400, 401 or 403. */
bool admin_guard_admit(const struct admin_guard *guard, const struct request *request,
                       enum admin_guard_act act, struct response *response);

/** How the caller of an admitted request has proved itself, for the log; constant. */
struct str admin_guard_proof(const struct admin_guard *guard, const struct request *request);

/** The token in the request's query, if it is valid; else ptr NULL. */
struct str admin_guard_token(const struct admin_guard *guard, const struct request *request);
