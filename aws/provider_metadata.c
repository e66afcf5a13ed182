/*
 * provider_metadata.c - credentials of an EC2 instance, from its metadata service, version 2.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
 * A session token is fetched first, with PUT, which a forged request through a proxy cannot send.
 * Version 1 has no token and is not used.
 */
#include <stdio.h>
#include <string.h>

#include "aws/ask.h"
#include "aws/credentials.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/secret.h"

#define ENDPOINT      "http://169.254.169.254"
#define ENDPOINT_IPV6 "http://[fd00:ec2::254]"
#define TOKEN_PATH    "/latest/api/token"
#define ROLES_PATH    "/latest/meta-data/iam/security-credentials/"

enum {
    TIMEOUT_US = US_PER_S, /* the service is link-local: it answers fast or does not exist */
    URL_MAX = 1024,
    OK = 200,
    NOT_FOUND = 404,
};

static const char *endpoint(const struct aws_config *config)
{
    const char *chosen = config->variables[AWS_VAR_METADATA_ENDPOINT];
    struct str mode = str_from_c(config->variables[AWS_VAR_METADATA_ENDPOINT_MODE]);

    if (*chosen)
        return chosen;
    return str_equal_ignore_case(mode, STR("ipv6")) ? ENDPOINT_IPV6 : ENDPOINT;
}

static struct fetch_request make_request(const struct aws_config *config, const char *path,
                                         char url[static URL_MAX])
{
    struct str base = str_from_c(endpoint(config));

    if (str_ends_with(base, STR("/")))
        base.len--;
    (void)snprintf(url, URL_MAX, "%.*s%s", STR_ARG(base), path);
    return (
        struct fetch_request){ .url = url, .timeout_us = TIMEOUT_US, .proxy = FETCH_PROXY_NEVER };
}

/*
 * A missing or disabled metadata service is not an error, because most machines are not EC2
 * instances. It is an error when the operator has configured the endpoint.
 */
static enum aws_found fetch_token(const struct aws_providers *providers, struct aws_answer *answer,
                                  struct error *err)
{
    static const struct fetch_header ttl = { "X-aws-ec2-metadata-token-ttl-seconds",
                                             STR_INIT("21600") };
    bool named = *providers->config->variables[AWS_VAR_METADATA_ENDPOINT];
    char url[URL_MAX];
    struct fetch_request request = make_request(providers->config, TOKEN_PATH, url);

    request.method = "PUT";
    request.headers = &ttl;
    request.header_count = 1;
    request.body = STR("");
    if (!aws_ask(providers, &request, answer, err))
        return named ? AWS_BROKEN : AWS_ABSENT;
    if (answer->http.status == OK && aws_answer_line(answer).len > 0)
        return AWS_FOUND;
    (void)fail(err, ERR_UNREACHABLE, "it gives no session token, it answered %d",
               answer->http.status);
    return named ? AWS_BROKEN : AWS_ABSENT;
}

/* Write the path of the role's credentials. An instance without a role is not an error. */
static enum aws_found find_role(const struct aws_providers *providers,
                                const struct fetch_header *token, char path[static URL_MAX],
                                struct error *err)
{
    char url[URL_MAX];
    struct fetch_request request = make_request(providers->config, ROLES_PATH, url);
    struct aws_answer answer;
    enum aws_found found = AWS_BROKEN;
    struct buf role;

    buf_init(&role, URL_MAX / 2);
    request.headers = token;
    request.header_count = 1;
    if (aws_ask(providers, &request, &answer, err)) {
        sigv4_encode(&role, aws_answer_line(&answer), false);
        if (answer.http.status == NOT_FOUND)
            found = AWS_ABSENT;
        else if (answer.http.status == OK && role.len > 0 && !role.overflow)
            found = AWS_FOUND;
        else
            (void)fail(err, ERR_UNREACHABLE, "it names no role, it answered %d",
                       answer.http.status);
    }
    (void)snprintf(path, URL_MAX, ROLES_PATH "%.*s", STR_ARG(buf_str(&role)));
    buf_done(&role);
    aws_answer_done(&answer);
    return found;
}

static bool fetch_credentials(const struct aws_providers *providers,
                              const struct fetch_header *token, const char *path,
                              struct aws_credentials *out, struct error *err)
{
    char url[URL_MAX];
    struct fetch_request request = make_request(providers->config, path, url);

    request.headers = token;
    request.header_count = 1;
    return aws_ask_credentials(providers, &request, out, err);
}

static enum aws_found find_metadata(const struct aws_providers *providers,
                                    struct aws_credentials *out, struct error *err)
{
    const char *disabled = providers->config->variables[AWS_VAR_METADATA_DISABLED];
    char path[URL_MAX];
    struct aws_answer answer;

    if (str_equal_ignore_case(str_from_c(disabled), STR("true")))
        return AWS_ABSENT;

    enum aws_found found = fetch_token(providers, &answer, err);
    const struct fetch_header token = { "X-aws-ec2-metadata-token", aws_answer_line(&answer) };

    if (found == AWS_FOUND)
        found = find_role(providers, &token, path, err);
    if (found == AWS_FOUND && !fetch_credentials(providers, &token, path, out, err))
        found = AWS_BROKEN;
    aws_answer_done(&answer);
    return found;
}

const struct aws_provider aws_provider_metadata = { "instance metadata", find_metadata };
