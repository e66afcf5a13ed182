/*
 * credentials.h - an AWS access key, and the chain of providers that may have one.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 *
 * Threads: a struct aws_credentials belongs to one thread at a time. Only the session's own thread
 * (session.h) calls providers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "aws/config.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/str.h"

/** An access key. Owns its strings; aws_credentials_done() frees them. All zero: no key. */
struct aws_credentials {
    struct str key_id;
    struct str secret;
    struct str token;   /* empty: none */
    int64_t expires_us; /* time of day, as clock_now_us(); 0: never */
};

/** Wipe and free the strings. A zeroed struct is fine. */
void aws_credentials_done(struct aws_credentials *credentials);

/** A copy that owns its strings. */
struct aws_credentials aws_credentials_copy(const struct aws_credentials *credentials);

/** Member names that differ between kinds of answers. */
struct aws_credentials_names {
    const char *token;      /* "Token" or "SessionToken" */
    const char *expiration; /* its value: an RFC 3339 text, or a number of seconds since 1970 */
};

/**
 * Read credentials from a JSON object `{AccessKeyId, SecretAccessKey, …}`. Token and expiration
 * are optional. The caller owns `*out`. ERR_INVALID names the member that is missing or invalid.
 */
NODISCARD bool aws_credentials_from_json(struct json_object *object,
                                         const struct aws_credentials_names *names,
                                         struct aws_credentials *out, struct error *err);

/** Overwrite every string of a tree. Call it before the tree is released. */
void aws_credentials_wipe_json(struct json_object *tree);

/** The settings and tools of all providers. */
struct aws_providers {
    const struct aws_config *config;
    struct fetch_client *http;
    int stop_fd; /* becomes readable when the session stops; -1: never */
};

enum aws_found {
    AWS_FOUND,
    AWS_ABSENT, /* this provider is not configured: try the next one */
    AWS_BROKEN, /* this provider is configured but fails; the error says why */
};

/** `find` sets `*out` when it returns AWS_FOUND (the caller owns it), `*err` when AWS_BROKEN. */
struct aws_provider {
    const char *name;
    enum aws_found (*find)(const struct aws_providers *providers, struct aws_credentials *out,
                           struct error *err);
};

extern const struct aws_provider aws_provider_environment;
extern const struct aws_provider aws_provider_profile;
extern const struct aws_provider aws_provider_web_identity;
extern const struct aws_provider aws_provider_container;
extern const struct aws_provider aws_provider_metadata;

/**
 * Get credentials from the first configured provider of the chain, and with them those of the
 * configured role, if there is one. The caller owns `*out`; `*source` is the provider's name or
 * "role", a constant. If that provider fails, its error is returned. ERR_UNREACHABLE: no provider
 * is configured, or the error of the provider or of STS.
 */
NODISCARD bool aws_credentials_find(const struct aws_providers *providers,
                                    struct aws_credentials *out, const char **source,
                                    struct error *err);
