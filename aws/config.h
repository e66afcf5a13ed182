/*
 * config.h - the AWS settings from the configuration, the environment and the shared profile.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html
 * The settings are read once. Each value comes from the first source that has one, in this order:
 * the configuration, the environment, the profile.
 *
 * Threads: aws_config_create() reads the environment, so no thread may change the environment at
 * that time. The result is immutable and may be shared.
 */
#pragma once

#include <stdbool.h>

#include "aws/profile.h"
#include "aws/session.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

/** The environment variables that are read. An empty one counts as not set. */
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
    AWS_VAR_ENDPOINT_URL_KINESIS,
    AWS_VAR_ENDPOINT_URL_FIREHOSE,
    AWS_VAR_ENDPOINT_URL_SQS,
    AWS_VAR_ENDPOINT_URL_SNS,
    AWS_VAR_ENDPOINT_URL_EVENTBRIDGE,
    AWS_VAR_ENDPOINT_URL_DYNAMODB,
    AWS_VAR_ENDPOINT_URL_S3,
    AWS_VAR_ENDPOINT_URL_SECRETS_MANAGER,
    AWS_VAR_IGNORE_ENDPOINT_URLS,
    AWS_VAR_USE_FIPS,
    AWS_VAR_USE_DUALSTACK,
    AWS_VAR_CA_BUNDLE,
    AWS_VAR_HOME,
    AWS_VAR_COUNT,
};

/** The services that Sluice calls; each has a row in service.c. */
enum aws_service {
    AWS_SERVICE_GLUE,
    AWS_SERVICE_STS,
    AWS_SERVICE_KINESIS,
    AWS_SERVICE_FIREHOSE,
    AWS_SERVICE_SQS,
    AWS_SERVICE_SNS,
    AWS_SERVICE_EVENTBRIDGE,
    AWS_SERVICE_DYNAMODB,
    AWS_SERVICE_S3,
    AWS_SERVICE_SECRETS_MANAGER,
    AWS_SERVICE_COUNT,
};

struct aws_config {
    struct arena *arena;                  /* private: owns all strings */
    const char *variables[AWS_VAR_COUNT]; /* never NULL; "": not set */
    const char *profile;                  /* "default" when none is chosen */
    bool profile_is_configured; /* by the configuration: it precedes keys in the environment */
    bool profile_is_chosen;     /* by the configuration or by AWS_PROFILE */
    const char *role_arn;       /* to assume with the credentials of the chain; "": none */
    const char *region;         /* "": none */
    const char *ca_file;        /* "": the CA certificates of the system */
    bool use_fips;
    bool use_dual_stack;
    const char *endpoints[AWS_SERVICE_COUNT]; /* URLs that are set; "": AWS's own endpoint */
};

/**
 * Read all settings. The caller owns `*out`. ERR_CONFIG: the chosen profile does not exist, or a
 * file or value is invalid.
 */
NODISCARD bool aws_config_create(const struct aws_session_options *options, struct aws_config **out,
                                 struct error *err);

/** Wipe the secrets and free everything. NULL is fine. */
void aws_config_destroy(struct aws_config *config);

/**
 * Read both files of the shared profile again. The caller owns `*out`. ERR_CONFIG: a file cannot
 * be read or has a syntax error.
 */
NODISCARD bool aws_config_profiles(const struct aws_config *config, struct aws_profiles **out,
                                   struct error *err);

/**
 * Report the files that the environment and all profiles name for settings and credentials, whether
 * they exist or not. A profile file that cannot be read names none.
 */
void aws_config_files(void (*report)(void *self, const char *path), void *self);

/**
 * The URL of a service in `region`: the one that is set, else AWS's own, in `arena`; "" when none
 * is set and `region` is "".
 */
const char *aws_config_endpoint(const struct aws_config *config, enum aws_service service,
                                const char *region, struct arena *arena);
