/*
 * session_internal.h - what clients ask of a session.
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

/** Immutable; lives as long as the session. */
const struct aws_config *aws_session_config(const struct aws_session *session);

/** How long somebody waits. */
struct aws_wait {
    int64_t deadline_us;            /* clock_monotonic_us() */
    const atomic_bool *interrupted; /* he gives up; told by aws_session_wake() */
};

/** Credentials in use. */
struct aws_key {
    struct aws_credentials credentials; /* owned: aws_credentials_done() */
    uint64_t number;
};

/**
 * A copy of the present credentials. Waits when there are none or they end soon; credentials that
 * could not be renewed are given as long as there are no others.
 */
NODISCARD bool aws_session_acquire(struct aws_session *session, const struct aws_wait *wait,
                                   struct aws_key *out, struct error *err);

/** Whoever waits shall look whether he is interrupted. */
void aws_session_wake(struct aws_session *session);

/** AWS says that the credentials with this number have expired: do not give them again. */
void aws_session_reject(struct aws_session *session, uint64_t number);
