/*
 * settings.c - see settings.h.
 */
#include "aws/settings.h"

#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
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
    [AWS_VAR_USE_FIPS] = "AWS_USE_FIPS_ENDPOINT",
    [AWS_VAR_USE_DUALSTACK] = "AWS_USE_DUALSTACK_ENDPOINT",
    [AWS_VAR_CA_BUNDLE] = "AWS_CA_BUNDLE",
    [AWS_VAR_HOME] = "HOME",
};

static const struct service {
    const char *name;
    enum aws_variable endpoint;
    bool ours; /* the configuration's endpoint_url is meant for it */
} services[AWS_SERVICE_COUNT] = {
    [AWS_SERVICE_GLUE] = { "glue", AWS_VAR_ENDPOINT_URL_GLUE, true },
    [AWS_SERVICE_STS] = { "sts", AWS_VAR_ENDPOINT_URL_STS, false },
};

bool aws_settings_find_service(const char *name, enum aws_service *service)
{
    for (int i = 0; i < AWS_SERVICE_COUNT; i++) {
        if (strcmp(services[i].name, name) == 0) {
            *service = (enum aws_service)i;
            return true;
        }
    }
    return false;
}

static const char *keep(const struct aws_settings *settings, const char *text)
{
    return arena_copy(settings->arena, str_from_c(text ? text : "")).ptr;
}

/* The first text that says something, or "". */
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

/* Where a file of the shared profile is; "" when there is no home to look in. */
static const char *profile_path(const struct aws_settings *settings, enum aws_variable variable,
                                const char *name)
{
    const char *chosen = settings->variables[variable];
    const char *home = settings->variables[AWS_VAR_HOME];

    if (*chosen && strncmp(chosen, "~/", 2) != 0)
        return chosen;
    if (!*home)
        return "";
    return arena_printf(settings->arena, "%s/%s", home, *chosen ? chosen + 2 : name).ptr;
}

bool aws_settings_profiles(const struct aws_settings *settings, struct aws_profiles **out,
                           struct error *err)
{
    struct aws_profiles *profiles = aws_profiles_create();
    const char *config = profile_path(settings, AWS_VAR_CONFIG_FILE, ".aws/config");
    const char *credentials = profile_path(settings, AWS_VAR_CREDENTIALS_FILE, ".aws/credentials");

    if ((*config && !aws_profiles_add_file(profiles, config, AWS_CONFIG_FILE, err)) ||
        (*credentials &&
         !aws_profiles_add_file(profiles, credentials, AWS_CREDENTIALS_FILE, err))) {
        aws_profiles_destroy(profiles);
        return false;
    }
    *out = profiles;
    return true;
}

static void choose_profile(struct aws_settings *settings, const char *configured)
{
    const char *profile = first(configured, settings->variables[AWS_VAR_PROFILE], "");

    settings->profile_is_configured = configured && *configured;
    settings->profile_is_chosen = *profile;
    settings->profile = *profile ? keep(settings, profile) : "default";
}

static bool choose_region(struct aws_settings *settings, const char *configured,
                          const struct aws_profiles *profiles, struct error *err)
{
    const char *region = first(configured, settings->variables[AWS_VAR_REGION],
                               settings->variables[AWS_VAR_DEFAULT_REGION]);

    region = first(region, aws_profiles_get(profiles, settings->profile, "region"), "");
    if (*region && !aws_endpoint_is_region(str_from_c(region)))
        return fail(err, ERR_CONFIG, "region: \"%s\" is none", region);
    settings->region = keep(settings, region);
    return true;
}

static bool choose_endpoint(struct aws_settings *settings, enum aws_service service,
                            const char *configured, const struct aws_profiles *profiles,
                            struct error *err)
{
    const struct service *row = &services[service];
    const char *const *variables = settings->variables;
    const char *profile = settings->profile;
    const char *from_profile = first(aws_profiles_service_endpoint(profiles, profile, row->name),
                                     aws_profiles_get(profiles, profile, "endpoint_url"), "");
    const char *from_environment =
        first(variables[row->endpoint], variables[AWS_VAR_ENDPOINT_URL], "");
    const char *url = first(row->ours ? configured : "", from_environment, from_profile);
    struct aws_endpoint endpoint;

    if (*url) {
        settings->endpoints[service] = keep(settings, url);
        return aws_endpoint_parse(str_from_c(url), &endpoint, err) || fail_within(err, row->name);
    }
    if (!*settings->region) {
        settings->endpoints[service] = "";
        return true;
    }

    const char *fips = first(variables[AWS_VAR_USE_FIPS],
                             aws_profiles_get(profiles, profile, "use_fips_endpoint"), "");
    const char *dual = first(variables[AWS_VAR_USE_DUALSTACK],
                             aws_profiles_get(profiles, profile, "use_dualstack_endpoint"), "");
    const struct aws_endpoint_choice choice = { row->name, settings->region, is_true(fips),
                                                is_true(dual) };

    settings->endpoints[service] = aws_endpoint_default(&choice, settings->arena);
    return true;
}

static bool resolve(struct aws_settings *settings, const struct aws_session_options *options,
                    const struct aws_profiles *profiles, struct error *err)
{
    if (settings->profile_is_chosen && !aws_profiles_has(profiles, settings->profile))
        return fail(err, ERR_CONFIG, "there is no AWS profile \"%s\"", settings->profile);
    settings->ca_file =
        keep(settings, first(settings->variables[AWS_VAR_CA_BUNDLE],
                             aws_profiles_get(profiles, settings->profile, "ca_bundle"), ""));
    if (!choose_region(settings, options->region, profiles, err))
        return false;
    for (int i = 0; i < AWS_SERVICE_COUNT; i++)
        if (!choose_endpoint(settings, (enum aws_service)i, options->endpoint_url, profiles, err))
            return false;
    return true;
}

bool aws_settings_create(const struct aws_session_options *options, struct aws_settings **out,
                         struct error *err)
{
    struct aws_settings *settings = mem_alloc(sizeof(*settings));
    struct aws_profiles *profiles = NULL;

    settings->arena = arena_create();
    for (size_t i = 0; i < AWS_VAR_COUNT; i++) {
        const char *value = getenv(names[i]); /* NOLINT(concurrency-mt-unsafe): see settings.h */

        settings->variables[i] = keep(settings, value);
    }
    choose_profile(settings, options->profile);

    bool ok = aws_settings_profiles(settings, &profiles, err) &&
              resolve(settings, options, profiles, err);

    aws_profiles_destroy(profiles);
    if (!ok) {
        aws_settings_destroy(settings);
        return false;
    }
    *out = settings;
    return true;
}

void aws_settings_destroy(struct aws_settings *settings)
{
    static const enum aws_variable secrets[] = { AWS_VAR_SECRET_ACCESS_KEY, AWS_VAR_SESSION_TOKEN,
                                                 AWS_VAR_CONTAINER_TOKEN };

    if (!settings)
        return;
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        const char *secret = settings->variables[secrets[i]];

        secret_wipe((void *)secret, strlen(secret));
    }
    arena_destroy(settings->arena);
    mem_free(settings);
}
