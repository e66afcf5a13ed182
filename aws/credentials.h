/*
 * credentials.h - an access key, and the providers that it may come from.
 *
 * Threads: a struct aws_credentials belongs to one thread at a time. Providers are asked by the
 * session's own thread only (session.h).
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

/** Owns its strings; ended by aws_credentials_done(). All zero: none. */
struct aws_credentials {
    struct str key_id;
    struct str secret;
    struct str token;   /* empty: none */
    int64_t expires_us; /* clock_now_us(); 0: never */
};

/** Wipe and free. Fine for zeroes. */
void aws_credentials_done(struct aws_credentials *credentials);

/** A copy that owns its strings. */
struct aws_credentials aws_credentials_copy(const struct aws_credentials *credentials);

/** How a kind of answer names its members. */
struct aws_credentials_names {
    const char *token;      /* "Token" or "SessionToken" */
    const char *expiration; /* a time in words, or seconds since 1970 */
};

/**
 * From a JSON object `{AccessKeyId, SecretAccessKey, …}`; without a token or expiration there is
 * none. The error names what is missing or wrong.
 */
NODISCARD bool aws_credentials_from_json(struct json_object *object,
                                         const struct aws_credentials_names *names,
                                         struct aws_credentials *out, struct error *err);

/** Overwrite every string of a tree that held secrets; before it is released. */
void aws_credentials_wipe_json(struct json_object *tree);

/** What providers work with. */
struct aws_providers {
    const struct aws_config *config;
    struct fetch_client *http;
    int stop_fd; /* readable once nobody waits for an answer any more; -1: never */
};

enum aws_found {
    AWS_FOUND,
    AWS_ABSENT, /* this provider is not configured: ask the next one */
    AWS_BROKEN, /* it is, and does not work; the error says why */
};

/** A provider: its name, and how to ask it. `find` sets `*out` or `*err` and says how it went. */
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
 * The first provider of the chain that has credentials. `*source` is its name. When none is
 * configured, the error says what was looked for.
 */
NODISCARD bool aws_credentials_find(const struct aws_providers *providers,
                                    struct aws_credentials *out, const char **source,
                                    struct error *err);
