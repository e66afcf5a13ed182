/*
 * session_internal.h - the functions of a session that a client (client.c) needs.
 *
 * Threads: any.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "aws/config.h"
#include "aws/credentials.h"
#include "aws/session.h"
#include "base/attr.h"
#include "base/error.h"

/** The settings. Immutable; they live as long as the session. */
const struct aws_config *aws_session_config(const struct aws_session *session);

/** How long a caller waits for credentials. */
struct aws_wait {
    int64_t deadline_us;            /* by clock_monotonic_us() */
    const atomic_bool *interrupted; /* true ends the wait; set it, then call aws_session_wake() */
};

/** A copy of the session's credentials. */
struct aws_key {
    struct aws_credentials credentials; /* owned: aws_credentials_done() */
    uint64_t number;                    /* identifies them for aws_session_reject() */
};

/**
 * Copy the current credentials to `*out`. Waits for new ones when there are none or the current
 * ones expire soon. When new ones cannot be fetched, the current ones are returned, expired or
 * not. ERR_UNREACHABLE: there are none before the deadline; other codes: why the provider failed.
 */
NODISCARD bool aws_session_acquire(struct aws_session *session, const struct aws_wait *wait,
                                   struct aws_key *out, struct error *err);

/** Wake all waiting callers, so that they check `interrupted` again. */
void aws_session_wake(struct aws_session *session);

/** AWS refused the credentials with this number: never return them again. */
void aws_session_reject(struct aws_session *session, uint64_t number);
