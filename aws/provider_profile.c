/*
 * provider_profile.c - credentials that the shared profile contains or describes.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
 * A profile may contain keys, a role with a web identity token, a role to assume with the
 * credentials of another profile or provider, or a program that prints credentials. A role comes
 * before keys, except in a `source_profile`, where keys come first: so a profile may name itself
 * as its source.
 */
#include <string.h>

#include "aws/ask.h"
#include "aws/credentials.h"
#include "aws/process.h"
#include "aws/profile.h"
#include "aws/sts.h"
#include "base/clock.h"
#include "base/secret.h"

enum {
    DEPTH_MAX = 5, /* profiles in a chain of `source_profile` */
    PROCESS_TIMEOUT_US = US_PER_MINUTE,
};

/* The profiles visited so far, from the chosen one along `source_profile`. */
struct walk {
    const struct aws_providers *providers;
    const struct aws_profiles *profiles;
    const char *names[DEPTH_MAX];
    size_t count;
};

static const char *get(const struct walk *walk, const char *name, const char *property)
{
    return aws_profiles_get(walk->profiles, name, property);
}

static enum aws_found broken(struct error *err, const char *name, const char *problem)
{
    (void)fail(err, ERR_UNREACHABLE, "%s: %s", name, problem);
    return AWS_BROKEN;
}

static enum aws_found named(struct error *err, const char *name)
{
    (void)fail_within(err, name);
    return AWS_BROKEN;
}

static enum aws_found from_keys(struct walk *walk, const char *name, struct aws_credentials *out,
                                struct error *err)
{
    const struct aws_credentials found = {
        .key_id = str_from_c(get(walk, name, "aws_access_key_id")),
        .secret = str_from_c(get(walk, name, "aws_secret_access_key")),
        .token = str_from_c(get(walk, name, "aws_session_token")),
    };

    if (found.key_id.len == 0)
        return AWS_ABSENT;
    if (found.secret.len == 0)
        return broken(err, name, "aws_access_key_id without aws_secret_access_key");
    *out = aws_credentials_copy(&found);
    return AWS_FOUND;
}

static struct aws_role role_of(const struct walk *walk, const char *name)
{
    return (struct aws_role){
        .arn = get(walk, name, "role_arn"),
        .session_name = get(walk, name, "role_session_name"),
        .external_id = get(walk, name, "external_id"),
        .duration = get(walk, name, "duration_seconds"),
    };
}

static enum aws_found from_web_identity(struct walk *walk, const char *name,
                                        struct aws_credentials *out, struct error *err)
{
    const char *file = get(walk, name, "web_identity_token_file");
    struct aws_role role = role_of(walk, name);

    if (!*file)
        return AWS_ABSENT;
    if (!*role.arn)
        return broken(err, name, "web_identity_token_file without role_arn");
    role.external_id = ""; /* AssumeRoleWithWebIdentity has no such parameter */
    if (!aws_sts_web_identity(walk->providers, &role, file, out, err))
        return named(err, name);
    return AWS_FOUND;
}

/* Ask the provider that `credential_source` names. */
static enum aws_found from_source(const struct walk *walk, const char *name, const char *source,
                                  struct aws_credentials *out, struct error *err)
{
    static const struct {
        const char *name;
        const struct aws_provider *provider;
    } sources[] = {
        { "Environment", &aws_provider_environment },
        { "Ec2InstanceMetadata", &aws_provider_metadata },
        { "EcsContainer", &aws_provider_container },
    };

    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        if (strcmp(sources[i].name, source) != 0)
            continue;

        enum aws_found found = sources[i].provider->find(walk->providers, out, err);

        if (found == AWS_ABSENT)
            return broken(err, name, "credential_source has no credentials");
        return found == AWS_FOUND ? found : named(err, name);
    }
    return broken(err, name,
                  "credential_source: expected Environment, Ec2InstanceMetadata or EcsContainer");
}

static enum aws_found from_profile(struct walk *walk, const char *name, struct aws_credentials *out,
                                   struct error *err);

/* Get the credentials with which the role of profile `name` is assumed. */
/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static enum aws_found for_role(struct walk *walk, const char *name, struct aws_credentials *out,
                               struct error *err)
{
    const char *profile = get(walk, name, "source_profile");
    const char *source = get(walk, name, "credential_source");
    enum aws_found found;

    if (!*profile == !*source)
        return broken(err, name,
                      *profile ? "both source_profile and credential_source"
                               : "role_arn without source_profile or credential_source");
    if (*source)
        return from_source(walk, name, source, out, err);
    if (!aws_profiles_has(walk->profiles, profile))
        return broken(err, name, "source_profile is not there");
    found = from_keys(walk, profile, out, err);
    if (found == AWS_ABSENT)
        found = from_profile(walk, profile, out, err);
    return found == AWS_ABSENT ? broken(err, profile, "no credentials") : found;
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static enum aws_found from_role(struct walk *walk, const char *name, struct aws_credentials *out,
                                struct error *err)
{
    const struct aws_role role = role_of(walk, name);
    struct aws_credentials source = { 0 };

    if (!*role.arn)
        return AWS_ABSENT;
    if (*get(walk, name, "mfa_serial"))
        return broken(err, name, "mfa_serial: there is nobody to ask for a code");
    if (for_role(walk, name, &source, err) != AWS_FOUND)
        return AWS_BROKEN;

    bool ok = aws_sts_assume_role(walk->providers, &role, &source, out, err);

    aws_credentials_done(&source);
    return ok ? AWS_FOUND : named(err, name);
}

/* {"Version": 1, "AccessKeyId": …} */
static bool read_process(struct str text, struct aws_credentials *out, struct error *err)
{
    static const struct aws_credentials_names names = { "SessionToken", "Expiration" };
    struct json_object *tree = NULL;
    struct json_object *version = NULL;
    struct error problem;
    int64_t number = 0;

    if (!json_read(text, NULL, &tree, &problem))
        return fail(err, ERR_UNREACHABLE, "it printed no JSON");

    bool ok = json_is_object(tree) && json_find(tree, "Version", &version) && version &&
              json_int64(version, &number) && number == 1;

    if (!ok)
        (void)fail(err, ERR_UNREACHABLE, "expected \"Version\": 1");
    ok = ok && aws_credentials_from_json(tree, &names, out, err);
    aws_credentials_wipe_json(tree);
    json_release(tree);
    return ok;
}

static enum aws_found from_process(struct walk *walk, const char *name, struct aws_credentials *out,
                                   struct error *err)
{
    const char *command = get(walk, name, "credential_process");
    struct buf text;

    if (!*command)
        return AWS_ABSENT;
    buf_init(&text, AWS_ASK_MAX);

    bool ok = process_run(command, PROCESS_TIMEOUT_US, walk->providers->stop_fd, &text, err) &&
              read_process(buf_str(&text), out, err);

    secret_wipe(text.ptr, text.len);
    buf_done(&text);
    if (ok)
        return AWS_FOUND;
    (void)fail_within(err, "credential_process");
    return named(err, name);
}

static enum aws_found from_sso(struct walk *walk, const char *name, struct aws_credentials *out,
                               struct error *err)
{
    (void)out;
    if (!*get(walk, name, "sso_session") && !*get(walk, name, "sso_start_url"))
        return AWS_ABSENT;
    return broken(err, name,
                  "a login with SSO needs a person; use credential_process = aws configure "
                  "export-credentials --profile PROFILE");
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX bounds it */
static enum aws_found from_profile(struct walk *walk, const char *name, struct aws_credentials *out,
                                   struct error *err)
{
    static enum aws_found (*const ways[])(struct walk *, const char *, struct aws_credentials *,
                                          struct error *) = { from_web_identity, from_role,
                                                              from_keys, from_process, from_sso };
    enum aws_found found = AWS_ABSENT;

    for (size_t i = 0; i < walk->count; i++)
        if (strcmp(walk->names[i], name) == 0)
            return broken(err, name, "profiles that assume roles with one another in a circle");
    if (walk->count == DEPTH_MAX)
        return broken(err, name, "too many roles, one assumed with another");
    walk->names[walk->count++] = name;
    for (size_t i = 0; i < COUNT_OF(ways) && found == AWS_ABSENT; i++)
        found = ways[i](walk, name, out, err);
    return found;
}

static enum aws_found find_profile(const struct aws_providers *providers,
                                   struct aws_credentials *out, struct error *err)
{
    const struct aws_config *config = providers->config;
    struct walk walk = { .providers = providers };
    struct aws_profiles *profiles;
    enum aws_found found;

    /* Read the files again: keys may have been replaced. */
    if (!aws_config_profiles(config, &profiles, err)) {
        err->code = ERR_UNREACHABLE;
        return AWS_BROKEN;
    }
    walk.profiles = profiles;
    found = from_profile(&walk, config->profile, out, err);
    aws_profiles_destroy(profiles);
    return found;
}

const struct aws_provider aws_provider_profile = { "profile", find_profile };
