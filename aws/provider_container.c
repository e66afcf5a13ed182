/*
 * provider_container.c - credentials of a container: ECS tasks, EKS pod identities, and systems
 * with the same protocol.
 *
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "aws/ask.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"

#define ECS "http://169.254.170.2"

enum { TIMEOUT_US = 2 * US_PER_S, URL_MAX = 2048 };

/*
 * May plain HTTP be used for this host? Only for loopback, ECS and EKS addresses: other networks
 * could read the token.
 */
static bool is_trusted(struct str host)
{
    static const char *const addresses[] = { "169.254.170.2", "169.254.170.23", "fd00:ec2::23",
                                             "::1" };
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr address;
    struct in6_addr known;
    struct in_addr old;

    if (str_equal_ignore_case(host, STR("localhost")))
        return true;
    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.ptr, host.len);
    if (inet_pton(AF_INET, text, &old) == 1 && ntohl(old.s_addr) >> 24 == 127)
        return true;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        if (strcmp(addresses[i], text) == 0)
            return true;
        if (inet_pton(AF_INET6, text, &address) == 1 &&
            inet_pton(AF_INET6, addresses[i], &known) == 1 &&
            memcmp(&address, &known, sizeof(known)) == 0)
            return true;
    }
    return false;
}

/* Check AWS_CONTAINER_CREDENTIALS_FULL_URI, which may have a query. */
static bool is_allowed(const char *url, struct error *err)
{
    struct str text = { url, strcspn(url, "?") };
    struct aws_endpoint endpoint;

    if (strlen(url) >= URL_MAX || !aws_endpoint_parse(text, &endpoint, err))
        return fail(err, ERR_UNREACHABLE, "AWS_CONTAINER_CREDENTIALS_FULL_URI: expected a URL");
    if (!endpoint.tls && !is_trusted(endpoint.host))
        return fail(err, ERR_UNREACHABLE,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI: http is for this machine, ECS and EKS");
    return true;
}

static bool choose_url(const char *const *variables, char url[static URL_MAX], struct error *err)
{
    const char *relative = variables[AWS_VAR_CONTAINER_RELATIVE_URI];
    const char *full = variables[AWS_VAR_CONTAINER_FULL_URI];

    if (*relative) {
        if (*relative != '/' || strlen(relative) > URL_MAX - sizeof(ECS))
            return fail(err, ERR_UNREACHABLE,
                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: expected a path");
        (void)snprintf(url, URL_MAX, ECS "%s", relative);
        return true;
    }
    if (!is_allowed(full, err))
        return false;
    (void)snprintf(url, URL_MAX, "%s", full);
    return true;
}

/* The file is read each time because EKS replaces it. The caller owns `*token`; may be empty. */
static bool read_token(const char *const *variables, struct str *token, struct error *err)
{
    const char *file = variables[AWS_VAR_CONTAINER_TOKEN_FILE];
    struct str text = str_from_c(variables[AWS_VAR_CONTAINER_TOKEN]);

    if (*file) {
        bool ok = secret_read_file(file, token, err);

        if (!ok)
            err->code = ERR_UNREACHABLE;
        return ok;
    }
    if (text.len > 0 && (memchr(text.ptr, '\r', text.len) || memchr(text.ptr, '\n', text.len)))
        return fail(err, ERR_UNREACHABLE, "AWS_CONTAINER_AUTHORIZATION_TOKEN: expected one line");
    *token = (struct str){ mem_copy(text.ptr, text.len), text.len };
    return true;
}

static enum aws_found find_container(const struct aws_providers *providers,
                                     struct aws_credentials *out, struct error *err)
{
    const char *const *variables = providers->config->variables;
    char url[URL_MAX];
    struct str token = STR_NONE;

    if (!*variables[AWS_VAR_CONTAINER_RELATIVE_URI] && !*variables[AWS_VAR_CONTAINER_FULL_URI])
        return AWS_ABSENT;
    if (!choose_url(variables, url, err) || !read_token(variables, &token, err))
        return AWS_BROKEN;

    const struct fetch_header header = { "Authorization", token };
    const struct fetch_request request = {
        .url = url,
        .headers = &header,
        .header_count = token.len > 0,
        .timeout_us = TIMEOUT_US,
        .proxy = FETCH_PROXY_NEVER,
        .ca_file = providers->config->ca_file,
    };
    bool ok = aws_ask_credentials(providers, &request, out, err);

    secret_free(token);
    return ok ? AWS_FOUND : AWS_BROKEN;
}

const struct aws_provider aws_provider_container = { "container", find_container };
