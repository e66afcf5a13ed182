/*
 * provider_environment.c - two providers that only environment variables configure: an access key,
 * and a role with a web identity token.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
 * The second one is used by IAM roles for service accounts on EKS and by other systems that set
 * AWS_WEB_IDENTITY_TOKEN_FILE.
 */
#include "aws/credentials.h"
#include "aws/sts.h"

static enum aws_found find_key(const struct aws_providers *providers, struct aws_credentials *out,
                               struct error *err)
{
    const char *const *variables = providers->config->variables;
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

const struct aws_provider aws_provider_environment = { "environment", find_key };

static enum aws_found find_web_identity(const struct aws_providers *providers,
                                        struct aws_credentials *out, struct error *err)
{
    const char *const *variables = providers->config->variables;
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

const struct aws_provider aws_provider_web_identity = { "web identity", find_web_identity };
