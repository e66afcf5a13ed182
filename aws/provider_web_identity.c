/*
 * provider_web_identity.c - a role and a token that somebody else signed: IAM roles for service
 * accounts on EKS, and whoever else sets AWS_WEB_IDENTITY_TOKEN_FILE.
 */
#include "aws/credentials.h"
#include "aws/sts.h"

static enum aws_found find(const struct aws_providers *providers, struct aws_credentials *out,
                           struct error *err)
{
    const char *const *variables = providers->settings->variables;
    const char *file = variables[AWS_VAR_WEB_IDENTITY_TOKEN_FILE];
    const struct aws_role role = {
        .arn = variables[AWS_VAR_ROLE_ARN],
        .session_name = variables[AWS_VAR_ROLE_SESSION_NAME],
        .external_id = "",
        .duration = "",
    };

    if (!*file)
        return AWS_ABSENT;
    if (!*role.arn) {
        (void)fail(err, ERR_UNREACHABLE, "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
        return AWS_BROKEN;
    }
    return aws_sts_web_identity(providers, &role, file, out, err) ? AWS_FOUND : AWS_BROKEN;
}

const struct aws_provider aws_provider_web_identity = { "web identity", find };
