/*
 * session.h - who we are to AWS: region, endpoints, and credentials that stay fresh.
 *
 * Made once from the configuration, the environment and the shared profile, as AWS SDKs do it
 * (docs/decisions/017). Credentials are found at first use by the first provider of the chain that
 * is configured: environment, profile, web identity, container, instance metadata. A provider that
 * is configured and broken is an error; the next one is not tried.
 *
 * Threads: aws_session_create() reads the environment, so nobody may change that meanwhile; after
 * it, any thread. The session has a thread of its own, `aws-credentials`, which alone asks
 * providers: 15 minutes ahead of expiry in the background, at once when somebody needs it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct aws_session;

/** What the configuration says before all else; "" or NULL: nothing. Copied. */
struct aws_session_options {
    const char *region;
    const char *profile;
    const char *endpoint_url; /* for the services that Sluice works with, not for STS */
};

/**
 * The caller owns it. ERR_CONFIG when the profile is not there, its file cannot be read, or a
 * setting is impossible. No credential is looked for yet.
 */
NODISCARD bool aws_session_create(const struct aws_session_options *options,
                                  struct aws_session **out, struct error *err);

/** Stop its thread, wipe the credentials. Clients of it end before. NULL is fine. */
void aws_session_destroy(struct aws_session *session);

/** "" when there is none: then no call can be made. */
const char *aws_session_region(const struct aws_session *session);

/** When the present credentials expire, seconds since 1970; 0: never, or there are none yet. */
int64_t aws_session_credential_expiry(struct aws_session *session);

/**
 * Find credentials now, within `deadline_us` (clock_monotonic_us()). `*source` is the provider's
 * name, a constant: "environment", "profile", "web identity", "container", "instance metadata".
 * The error says what is missing.
 */
NODISCARD bool aws_session_check(struct aws_session *session, int64_t deadline_us,
                                 const char **source, struct error *err);
