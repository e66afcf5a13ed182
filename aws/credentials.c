/*
 * credentials.c - see credentials.h.
 */
#include "aws/credentials.h"

#include <stdio.h>

#include "aws/sts.h"
#include "base/chars.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"

void aws_credentials_done(struct aws_credentials *credentials)
{
    secret_free(credentials->key_id);
    secret_free(credentials->secret);
    secret_free(credentials->token);
    *credentials = (struct aws_credentials){ 0 };
}

static struct str copy(struct str text)
{
    return text.len > 0 ? (struct str){ mem_copy(text.ptr, text.len), text.len } : STR_NONE;
}

struct aws_credentials aws_credentials_copy(const struct aws_credentials *credentials)
{
    return (struct aws_credentials){ copy(credentials->key_id), copy(credentials->secret),
                                     copy(credentials->token), credentials->expires_us };
}

/* A member that goes into HTTP headers, so it must be printable ASCII without spaces. */
static bool get_text(struct json_object *object, const char *name, bool required, struct str *out,
                     struct error *err)
{
    struct json_object *value = NULL;
    bool found = json_find(object, name, &value) && value != NULL;

    if (!found && !required)
        return true;
    if (!found || !json_is_string(value) || (required && json_str(value).len == 0))
        return fail(err, ERR_INVALID, "%s: expected a text", name);
    *out = json_str(value);
    for (size_t i = 0; i < out->len; i++)
        if ((unsigned char)out->ptr[i] <= ' ' || (unsigned char)out->ptr[i] > '~')
            return fail(err, ERR_INVALID, "%s: expected printable ASCII", name);
    return true;
}

/* RFC 3339, also with an offset without a colon (+0000), which some services write. */
static bool read_time(struct str text, int64_t *us)
{
    char colon[40];
    size_t minutes = text.len - 2; /* index of the offset's minutes */

    if (text.len < sizeof("2026-11-25T18:00:00Z") - 1 || text.len >= sizeof(colon) - 1)
        return false;
    if (char_is_one_of(text.ptr[text.len - 5], "+-")) {
        (void)snprintf(colon, sizeof(colon), "%.*s:%.2s", (int)minutes, text.ptr,
                       text.ptr + minutes);
        text = str_from_c(colon);
    }
    return clock_parse(text, us) && *us >= 0;
}

static bool get_time(struct json_object *object, const char *name, int64_t *us, struct error *err)
{
    struct json_object *value = NULL;

    if (!json_find(object, name, &value) || !value)
        return true;
    if (json_is_string(value) && read_time(json_str(value), us))
        return true;
    if (json_kind(value) == JSON_INTEGER || json_kind(value) == JSON_NUMBER) {
        double seconds = json_double(value);

        if (seconds > 0 && seconds < 1e11) {
            *us = (int64_t)seconds * US_PER_S;
            return true;
        }
    }
    return fail(err, ERR_INVALID, "%s: expected a time", name);
}

bool aws_credentials_from_json(struct json_object *object,
                               const struct aws_credentials_names *names,
                               struct aws_credentials *out, struct error *err)
{
    struct aws_credentials found = { 0 };

    if (!json_is_object(object))
        return fail(err, ERR_INVALID, "expected an object with credentials");
    if (!get_text(object, "AccessKeyId", true, &found.key_id, err) ||
        !get_text(object, "SecretAccessKey", true, &found.secret, err) ||
        !get_text(object, names->token, false, &found.token, err) ||
        !get_time(object, names->expiration, &found.expires_us, err))
        return false;
    *out = aws_credentials_copy(&found);
    return true;
}

void aws_credentials_wipe_json(struct json_object *tree)
{
    if (json_is_string(tree)) {
        secret_wipe((void *)json_str(tree).ptr, json_str(tree).len);
    } else if (json_is_object(tree)) {
        for (JSON_EACH(member, tree))
            aws_credentials_wipe_json(json_value(member));
    } else if (json_is_array(tree)) {
        for (size_t i = 0; i < json_count(tree); i++)
            aws_credentials_wipe_json(json_at(tree, i));
    }
}

/* Get credentials from the first configured provider. */
static bool find_in_chain(const struct aws_providers *providers, struct aws_credentials *out,
                          const char **source, struct error *err)
{
    static const struct aws_provider *const chain[] = {
        &aws_provider_environment, &aws_provider_profile,  &aws_provider_web_identity,
        &aws_provider_container,   &aws_provider_metadata,
    };
    /* As with --profile of the AWS command line, a configured profile precedes the environment. */
    size_t first = providers->config->profile_is_configured ? 1 : 0;

    for (size_t i = first; i < COUNT_OF(chain); i++) {
        enum aws_found found = chain[i]->find(providers, out, err);

        if (found == AWS_BROKEN)
            return fail_within(err, chain[i]->name);
        if (found == AWS_FOUND) {
            *source = chain[i]->name;
            return true;
        }
    }
    return fail(err, ERR_UNREACHABLE,
                "no AWS credentials in the environment, the profile \"%s\", web identity, "
                "container or instance metadata",
                providers->config->profile);
}

/* Assume the configured role with `source`. */
static bool assume_role(const struct aws_providers *providers, const struct aws_credentials *source,
                        struct aws_credentials *out, struct error *err)
{
    const struct aws_role role = {
        .arn = providers->config->role_arn,
        .session_name = providers->config->variables[AWS_VAR_ROLE_SESSION_NAME],
        .external_id = "",
        .duration = "",
    };

    return aws_sts_assume_role(providers, &role, source, out, err) || fail_within(err, role.arn);
}

bool aws_credentials_find(const struct aws_providers *providers, struct aws_credentials *out,
                          const char **source, struct error *err)
{
    struct aws_credentials found = { 0 };

    if (!find_in_chain(providers, &found, source, err))
        return false;
    if (!*providers->config->role_arn) {
        *out = found;
        return true;
    }

    bool ok = assume_role(providers, &found, out, err);

    aws_credentials_done(&found);
    *source = "role";
    return ok;
}
