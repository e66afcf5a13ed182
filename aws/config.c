/*
 * config.c - see config.h.
 */
#include "aws/config.h"

#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/service.h"
#include "base/memory.h"
#include "base/secret.h"

static const char *const names[AWS_VAR_COUNT] = {
    [AWS_VAR_ACCESS_KEY_ID] = "AWS_ACCESS_KEY_ID",
    [AWS_VAR_SECRET_ACCESS_KEY] = "AWS_SECRET_ACCESS_KEY",
    [AWS_VAR_SESSION_TOKEN] = "AWS_SESSION_TOKEN",
    [AWS_VAR_PROFILE] = "AWS_PROFILE",
    [AWS_VAR_CREDENTIALS_FILE] = "AWS_SHARED_CREDENTIALS_FILE",
    [AWS_VAR_CONFIG_FILE] = "AWS_CONFIG_FILE",
    [AWS_VAR_WEB_IDENTITY_TOKEN_FILE] = "AWS_WEB_IDENTITY_TOKEN_FILE",
    [AWS_VAR_ROLE_ARN] = "AWS_ROLE_ARN",
    [AWS_VAR_ROLE_SESSION_NAME] = "AWS_ROLE_SESSION_NAME",
    [AWS_VAR_CONTAINER_RELATIVE_URI] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    [AWS_VAR_CONTAINER_FULL_URI] = "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    [AWS_VAR_CONTAINER_TOKEN] = "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    [AWS_VAR_CONTAINER_TOKEN_FILE] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    [AWS_VAR_METADATA_DISABLED] = "AWS_EC2_METADATA_DISABLED",
    [AWS_VAR_METADATA_ENDPOINT] = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    [AWS_VAR_METADATA_ENDPOINT_MODE] = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    [AWS_VAR_REGION] = "AWS_REGION",
    [AWS_VAR_DEFAULT_REGION] = "AWS_DEFAULT_REGION",
    [AWS_VAR_ENDPOINT_URL] = "AWS_ENDPOINT_URL",
    [AWS_VAR_ENDPOINT_URL_GLUE] = "AWS_ENDPOINT_URL_GLUE",
    [AWS_VAR_ENDPOINT_URL_STS] = "AWS_ENDPOINT_URL_STS",
    [AWS_VAR_ENDPOINT_URL_KINESIS] = "AWS_ENDPOINT_URL_KINESIS",
    [AWS_VAR_ENDPOINT_URL_FIREHOSE] = "AWS_ENDPOINT_URL_FIREHOSE",
    [AWS_VAR_ENDPOINT_URL_SQS] = "AWS_ENDPOINT_URL_SQS",
    [AWS_VAR_ENDPOINT_URL_SNS] = "AWS_ENDPOINT_URL_SNS",
    [AWS_VAR_ENDPOINT_URL_EVENTBRIDGE] = "AWS_ENDPOINT_URL_EVENTBRIDGE",
    [AWS_VAR_ENDPOINT_URL_DYNAMODB] = "AWS_ENDPOINT_URL_DYNAMODB",
    [AWS_VAR_ENDPOINT_URL_S3] = "AWS_ENDPOINT_URL_S3",
    [AWS_VAR_ENDPOINT_URL_SECRETS_MANAGER] = "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    [AWS_VAR_IGNORE_ENDPOINT_URLS] = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    [AWS_VAR_USE_FIPS] = "AWS_USE_FIPS_ENDPOINT",
    [AWS_VAR_USE_DUALSTACK] = "AWS_USE_DUALSTACK_ENDPOINT",
    [AWS_VAR_CA_BUNDLE] = "AWS_CA_BUNDLE",
    [AWS_VAR_HOME] = "HOME",
};

static const char *keep(const struct aws_config *config, const char *text)
{
    return arena_copy(config->arena, str_from_c(text ? text : "")).ptr;
}

/* The first text that is neither NULL nor empty, else `c`. */
static const char *first(const char *a, const char *b, const char *c)
{
    if (a && *a)
        return a;
    return b && *b ? b : c;
}

static bool is_true(const char *text)
{
    return str_equal_ignore_case(str_from_c(text), STR("true"));
}

/* The path of a file of the shared profile; "" when it is in the home and HOME is not set. */
static const char *profile_path(const struct aws_config *config, enum aws_variable variable,
                                const char *name)
{
    const char *chosen = config->variables[variable];
    const char *home = config->variables[AWS_VAR_HOME];

    if (*chosen && strncmp(chosen, "~/", 2) != 0)
        return chosen;
    if (!*home)
        return "";
    return arena_printf(config->arena, "%s/%s", home, *chosen ? chosen + 2 : name).ptr;
}

bool aws_config_profiles(const struct aws_config *config, struct aws_profiles **out,
                         struct error *err)
{
    struct aws_profiles *profiles = aws_profiles_create();
    const char *config_path = profile_path(config, AWS_VAR_CONFIG_FILE, ".aws/config");
    const char *credentials_path =
        profile_path(config, AWS_VAR_CREDENTIALS_FILE, ".aws/credentials");

    if ((*config_path && !aws_profiles_add_file(profiles, config_path, AWS_CONFIG_FILE, err)) ||
        (*credentials_path &&
         !aws_profiles_add_file(profiles, credentials_path, AWS_CREDENTIALS_FILE, err))) {
        aws_profiles_destroy(profiles);
        return false;
    }
    *out = profiles;
    return true;
}

static void choose_profile(struct aws_config *config, const char *configured)
{
    const char *profile = first(configured, config->variables[AWS_VAR_PROFILE], "");

    config->profile_is_configured = configured && *configured;
    config->profile_is_chosen = *profile;
    config->profile = *profile ? keep(config, profile) : "default";
}

static bool choose_role(struct aws_config *config, const struct aws_session_options *options,
                        struct error *err)
{
    struct str arn = str_from_c(options->role_arn);

    config->role_arn = keep(config, options->role_arn);
    if (arn.len > 0 && !str_matches_glob(arn, STR("arn:*:iam::*:role/?*")))
        return fail(err, ERR_CONFIG, "role_arn: expected arn:aws:iam::ACCOUNT:role/NAME");
    return true;
}

static bool choose_region(struct aws_config *config, const char *configured,
                          const struct aws_profiles *profiles, struct error *err)
{
    const char *region = first(configured, config->variables[AWS_VAR_REGION],
                               config->variables[AWS_VAR_DEFAULT_REGION]);

    region = first(region, aws_profiles_get(profiles, config->profile, "region"), "");
    if (*region && !aws_endpoint_is_region(str_from_c(region)))
        return fail(err, ERR_CONFIG, "region: \"%s\" is none", region);
    config->region = keep(config, region);
    return true;
}

/* A setting that is "true" in the environment, or else in the profile. */
static bool choose_flag(const struct aws_config *config, enum aws_variable variable,
                        const struct aws_profiles *profiles, const char *key)
{
    return is_true(
        first(config->variables[variable], aws_profiles_get(profiles, config->profile, key), ""));
}

/* The URL that the environment or the profile sets for a service; "": none. */
static const char *endpoint_around(const struct aws_config *config,
                                   const struct aws_service_row *row,
                                   const struct aws_profiles *profiles)
{
    const char *from_profile =
        first(aws_profiles_service_endpoint(profiles, config->profile, row->name),
              aws_profiles_get(profiles, config->profile, "endpoint_url"), "");

    if (choose_flag(config, AWS_VAR_IGNORE_ENDPOINT_URLS, profiles,
                    "ignore_configured_endpoint_urls"))
        return "";
    return first(config->variables[row->endpoint], config->variables[AWS_VAR_ENDPOINT_URL],
                 from_profile);
}

static bool choose_endpoint(struct aws_config *config, enum aws_service service,
                            const char *configured, const struct aws_profiles *profiles,
                            struct error *err)
{
    const struct aws_service_row *row = aws_service_get(service);
    const char *url = first(row->takes_session_endpoint ? configured : "",
                            endpoint_around(config, row, profiles), "");
    struct aws_endpoint endpoint;

    config->endpoints[service] = keep(config, url);
    return !*url || aws_endpoint_parse(str_from_c(url), &endpoint, err) ||
           fail_within(err, row->name);
}

const char *aws_config_endpoint(const struct aws_config *config, enum aws_service service,
                                const char *region, struct arena *arena)
{
    const struct aws_endpoint_choice choice = { aws_service_get(service)->host, region,
                                                config->use_fips, config->use_dual_stack };

    if (*config->endpoints[service] || !*region)
        return config->endpoints[service];
    return aws_endpoint_default(&choice, arena);
}

static bool resolve(struct aws_config *config, const struct aws_session_options *options,
                    const struct aws_profiles *profiles, struct error *err)
{
    if (config->profile_is_chosen && !aws_profiles_has(profiles, config->profile))
        return fail(err, ERR_CONFIG, "there is no AWS profile \"%s\"", config->profile);
    config->ca_file =
        keep(config, first(config->variables[AWS_VAR_CA_BUNDLE],
                           aws_profiles_get(profiles, config->profile, "ca_bundle"), ""));
    if (!choose_role(config, options, err) ||
        !choose_region(config, options->region, profiles, err))
        return false;
    config->use_fips = choose_flag(config, AWS_VAR_USE_FIPS, profiles, "use_fips_endpoint");
    config->use_dual_stack =
        choose_flag(config, AWS_VAR_USE_DUALSTACK, profiles, "use_dualstack_endpoint");
    for (int i = 0; i < AWS_SERVICE_COUNT; i++)
        if (!choose_endpoint(config, (enum aws_service)i, options->endpoint_url, profiles, err))
            return false;
    return true;
}

/* A configuration with the variables alone. */
static struct aws_config *read_variables(void)
{
    struct aws_config *config = mem_alloc(sizeof(*config));

    config->arena = arena_create();
    for (size_t i = 0; i < AWS_VAR_COUNT; i++) {
        const char *value = getenv(names[i]); /* NOLINT(concurrency-mt-unsafe): see config.h */

        config->variables[i] = keep(config, value);
    }
    return config;
}

void aws_config_files(void (*report)(void *self, const char *path), void *self)
{
    static const char *const properties[] = { "web_identity_token_file", "ca_bundle" };
    struct aws_config *config = read_variables();
    const char *const files[] = {
        profile_path(config, AWS_VAR_CONFIG_FILE, ".aws/config"),
        profile_path(config, AWS_VAR_CREDENTIALS_FILE, ".aws/credentials"),
        config->variables[AWS_VAR_WEB_IDENTITY_TOKEN_FILE],
        config->variables[AWS_VAR_CONTAINER_TOKEN_FILE],
        config->variables[AWS_VAR_CA_BUNDLE],
    };
    struct aws_profiles *profiles = NULL;
    struct error err;

    for (size_t i = 0; i < COUNT_OF(files); i++)
        if (*files[i])
            report(self, files[i]);
    if (aws_config_profiles(config, &profiles, &err))
        for (size_t i = 0; i < COUNT_OF(properties); i++) {
            const char *path;
            size_t at = 0;

            while ((path = aws_profiles_next(profiles, properties[i], &at)))
                report(self, path);
        }
    aws_profiles_destroy(profiles);
    aws_config_destroy(config);
}

bool aws_config_create(const struct aws_session_options *options, struct aws_config **out,
                       struct error *err)
{
    struct aws_config *config = read_variables();
    struct aws_profiles *profiles = NULL;

    choose_profile(config, options->profile);

    bool ok =
        aws_config_profiles(config, &profiles, err) && resolve(config, options, profiles, err);

    aws_profiles_destroy(profiles);
    if (!ok) {
        aws_config_destroy(config);
        return false;
    }
    *out = config;
    return true;
}

void aws_config_destroy(struct aws_config *config)
{
    static const enum aws_variable secrets[] = { AWS_VAR_SECRET_ACCESS_KEY, AWS_VAR_SESSION_TOKEN,
                                                 AWS_VAR_CONTAINER_TOKEN };

    if (!config)
        return;
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        const char *secret = config->variables[secrets[i]];

        secret_wipe((void *)secret, strlen(secret));
    }
    arena_destroy(config->arena);
    mem_free(config);
}
