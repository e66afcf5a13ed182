/*
 * provider_environment.c - an access key in AWS_ACCESS_KEY_ID and its companions.
 */
#include "aws/credentials.h"

static enum aws_found find(const struct aws_providers *providers, struct aws_credentials *out,
                           struct error *err)
{
    const char *const *variables = providers->settings->variables;
    const struct aws_credentials found = {
        .key_id = str_from_c(variables[AWS_VAR_ACCESS_KEY_ID]),
        .secret = str_from_c(variables[AWS_VAR_SECRET_ACCESS_KEY]),
        .token = str_from_c(variables[AWS_VAR_SESSION_TOKEN]),
    };

    if (found.key_id.len == 0)
        return AWS_ABSENT;
    if (found.secret.len == 0) {
        (void)fail(err, ERR_UNREACHABLE, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
        return AWS_BROKEN;
    }
    *out = aws_credentials_copy(&found);
    return AWS_FOUND;
}

const struct aws_provider aws_provider_environment = { "environment", find };
