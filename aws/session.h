/*
 * session.h - region, endpoints and credentials for AWS; credentials are renewed before they
 * expire.
 *
 * A session is created from the configuration, the environment and the shared profile, as in AWS
 * SDKs (docs/decisions/017). The first use gets credentials from the first configured provider of
 * this chain: environment, profile, web identity, container, instance metadata. If that provider
 * fails, the result is an error; later providers are not tried. With `role_arn`, these credentials
 * only assume the role, and the session's credentials are those of the role.
 *
 * Threads: aws_session_create() reads the environment, so no thread may change the environment at
 * that time. The other functions may be called by any thread. The session's own thread,
 * `aws-credentials`, calls the providers: in the background 15 minutes before expiry, and at once
 * when a caller waits for credentials.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct aws_session;

/** Settings that precede the environment and the profile; "" or NULL: not set. Copied. */
struct aws_session_options {
    const char *region;
    const char *profile;
    const char *endpoint_url; /* for Glue; clients have one of their own */
    const char *role_arn;     /* assume this role; sts:AssumeRole is needed on it */
};

/**
 * Create a session without credentials. The caller owns it. ERR_CONFIG: the profile does not exist,
 * its file cannot be read, or a setting is invalid.
 */
NODISCARD bool aws_session_create(const struct aws_session_options *options,
                                  struct aws_session **out, struct error *err);

/** Stop the thread and wipe the credentials. Destroy the session's clients first. NULL is fine. */
void aws_session_destroy(struct aws_session *session);

/** The region; "": none is configured, and no client can be created. */
const char *aws_session_region(const struct aws_session *session);

/** Expiry of the current credentials, seconds since 1970; 0: never, or no credentials yet. */
int64_t aws_session_credential_expiry(struct aws_session *session);

/**
 * Get credentials now, not later than `deadline_us` (clock_monotonic_us()). `*source` is the
 * provider's name, a constant: "environment", "profile", "web identity", "container", "instance
 * metadata", or "role" with `role_arn`. The error says what is missing.
 */
NODISCARD bool aws_session_check(struct aws_session *session, int64_t deadline_us,
                                 const char **source, struct error *err);
