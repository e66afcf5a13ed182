/*
 * config.h - what configuration, environment and shared profile say about AWS, read once.
 *
 * Each value comes from the first that has one: the configuration, the environment, the profile.
 *
 * Threads: immutable once made; shared. Making them reads the environment.
 */
#pragma once

#include <stdbool.h>

#include "aws/profile.h"
#include "aws/session.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

/** Variables that say something; an empty one is as one that is not set. */
enum aws_variable {
    AWS_VAR_ACCESS_KEY_ID,
    AWS_VAR_SECRET_ACCESS_KEY,
    AWS_VAR_SESSION_TOKEN,
    AWS_VAR_PROFILE,
    AWS_VAR_CREDENTIALS_FILE,
    AWS_VAR_CONFIG_FILE,
    AWS_VAR_WEB_IDENTITY_TOKEN_FILE,
    AWS_VAR_ROLE_ARN,
    AWS_VAR_ROLE_SESSION_NAME,
    AWS_VAR_CONTAINER_RELATIVE_URI,
    AWS_VAR_CONTAINER_FULL_URI,
    AWS_VAR_CONTAINER_TOKEN,
    AWS_VAR_CONTAINER_TOKEN_FILE,
    AWS_VAR_METADATA_DISABLED,
    AWS_VAR_METADATA_ENDPOINT,
    AWS_VAR_METADATA_ENDPOINT_MODE,
    AWS_VAR_REGION,
    AWS_VAR_DEFAULT_REGION,
    AWS_VAR_ENDPOINT_URL,
    AWS_VAR_ENDPOINT_URL_GLUE,
    AWS_VAR_ENDPOINT_URL_STS,
    AWS_VAR_USE_FIPS,
    AWS_VAR_USE_DUALSTACK,
    AWS_VAR_CA_BUNDLE,
    AWS_VAR_HOME,
    AWS_VAR_COUNT,
};

/** Services that Sluice talks to; each has a row in config.c. */
enum aws_service { AWS_SERVICE_GLUE, AWS_SERVICE_STS, AWS_SERVICE_COUNT };

struct aws_config {
    struct arena *arena;                  /* holds all of it; not for others */
    const char *variables[AWS_VAR_COUNT]; /* never NULL; "": not set */
    const char *profile;                  /* "default" when none is chosen */
    bool profile_is_configured; /* by the configuration: then it goes before the environment */
    bool profile_is_chosen;     /* by anybody */
    const char *region;         /* "": none */
    const char *ca_file;        /* "": the system's */
    const char *endpoints[AWS_SERVICE_COUNT]; /* "": there is no region to make one from */
};

/** The caller owns them. ERR_CONFIG: the chosen profile is not there, a file or value is wrong. */
NODISCARD bool aws_config_create(const struct aws_session_options *options, struct aws_config **out,
                                 struct error *err);

/** Wipe what is secret, free the rest. NULL is fine. */
void aws_config_destroy(struct aws_config *config);

/** Both files of the shared profile, read now. The caller owns them. ERR_CONFIG. */
NODISCARD bool aws_config_profiles(const struct aws_config *config, struct aws_profiles **out,
                                   struct error *err);

/** The service with this name ("glue"). */
bool aws_config_find_service(const char *name, enum aws_service *service);
