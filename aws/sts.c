/*
 * sts.c - see sts.h.
 *
 * The call is a POST of a form. With "Accept: application/json" STS answers with JSON instead of
 * XML; times are numbers of seconds since 1970.
 */
#include "aws/sts.h"

#include "aws/ask.h"
#include "aws/endpoint.h"
#include "aws/failure.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

enum {
    FORM_MAX = 128 * 1024,
    HEADERS_MAX = 3 + SIGV4_HEADERS_MAX,
    TIMEOUT_US = 5 * US_PER_S,
};

#define OLD_ENDPOINT "https://sts.amazonaws.com" /* in us-east-1; used when no region is set */

/* One call. */
struct sts_call {
    const struct aws_providers *providers;
    const char *action;
    struct buf *form; /* the body */
    struct arena *arena;
    int64_t skew_s; /* seconds by which AWS's clock is ahead of the local one */
    bool clock_set; /* skew_s was corrected from an answer's Date: try again */
};

static void add_field(struct buf *form, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_add_char(form, '&');
    buf_add(form, str_from_c(name));
    buf_add_char(form, '=');
    sigv4_encode(form, value, false);
}

static void begin(struct sts_call *call, const struct aws_role *role)
{
    call->form = arena_buf(call->arena, FORM_MAX);
    buf_printf(call->form, "Action=%s&Version=2011-06-15", call->action);
    add_field(call->form, "RoleArn", str_from_c(role->arn));
    add_field(call->form, "RoleSessionName",
              *role->session_name ? str_from_c(role->session_name) : STR("sluice"));
    add_field(call->form, "ExternalId", str_from_c(role->external_id));
    add_field(call->form, "DurationSeconds", str_from_c(role->duration));
}

/* The code in {"Error":{"Code":"AccessDenied",…}}. The message is not used: it names accounts. */
static struct str error_code(const struct aws_answer *answer)
{
    struct json_object *error = NULL;

    if (json_is_object(answer->json) && json_find(answer->json, "Error", &error) &&
        json_is_object(error))
        return log_identifier(json_find_str(error, "Code"));
    return STR_NONE;
}

static bool refuse(struct sts_call *call, const struct aws_answer *answer, struct error *err)
{
    struct str code = error_code(answer);

    if (aws_failure_may_be_clock(code))
        call->clock_set = aws_failure_clock(&answer->http, call->skew_s, &call->skew_s);
    return fail(err, ERR_UNREACHABLE, "%s: STS answered %d %.*s", call->action, answer->http.status,
                STR_ARG(code));
}

/* The answer to action X is {"XResponse":{"XResult":{"Credentials":{…}}}}. */
static bool sts_read_answer(const struct sts_call *call, const struct aws_answer *answer,
                            struct aws_credentials *out, struct error *err)
{
    static const struct aws_credentials_names names = { "SessionToken", "Expiration" };
    static const char *const suffixes[] = { "Response", "Result" };
    struct json_object *at = answer->json;

    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        struct str name = arena_printf(call->arena, "%s%s", call->action, suffixes[i]);

        if (!json_is_object(at) || !json_find(at, name.ptr, &at))
            return fail(err, ERR_UNREACHABLE, "STS answered without %s", name.ptr);
    }
    if (!json_is_object(at) || !json_find(at, "Credentials", &at))
        return fail(err, ERR_UNREACHABLE, "STS answered without Credentials");
    return aws_credentials_from_json(at, &names, out, err) || fail_within(err, "STS");
}

/* Write the headers of the call, signed if `source` is not NULL. Returns their number. */
static size_t sts_write_headers(const struct sts_call *call, const struct aws_endpoint *endpoint,
                                const struct aws_credentials *source, struct fetch_header *headers)
{
    const struct aws_config *config = call->providers->config;
    size_t count = 0;

    headers[count++] = (struct fetch_header){ "Host", endpoint->authority };
    headers[count++] =
        (struct fetch_header){ "Content-Type", STR("application/x-www-form-urlencoded") };
    headers[count++] = (struct fetch_header){ "Accept", STR("application/json") };
    if (!source)
        return count;

    const struct sigv4_credentials key = { source->key_id, source->secret, source->token };
    const struct sigv4_scope scope = {
        .region = *config->region ? str_from_c(config->region) : STR("us-east-1"),
        .service = STR("sts"),
        .time_us = clock_now_us() + call->skew_s * US_PER_S,
    };
    const struct sigv4_request request = { .method = "POST",
                                           .path = endpoint->path.len ? endpoint->path : STR("/"),
                                           .headers = headers,
                                           .header_count = count,
                                           .body = buf_str(call->form) };
    struct sigv4_headers added;

    sigv4_sign(&request, &key, &scope, call->arena, &added);
    for (size_t i = 0; i < added.count; i++)
        headers[count++] = added.list[i];
    return count;
}

static bool send_form(struct sts_call *call, const struct aws_credentials *source,
                      struct aws_credentials *out, struct error *err)
{
    const struct aws_config *config = call->providers->config;
    const char *url = aws_config_endpoint(config, AWS_SERVICE_STS, config->region, call->arena);
    struct fetch_header headers[HEADERS_MAX];
    struct aws_endpoint endpoint;
    struct aws_answer answer;

    url = *url ? url : OLD_ENDPOINT;
    if (call->form->overflow)
        return fail(err, ERR_UNREACHABLE, "%s: the token is too long", call->action);
    if (!aws_endpoint_parse(str_from_c(url), &endpoint, err))
        return false;

    const struct fetch_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = sts_write_headers(call, &endpoint, source, headers),
        .body = buf_str(call->form),
        .timeout_us = TIMEOUT_US,
        .proxy = FETCH_PROXY_ENVIRONMENT,
        .ca_file = config->ca_file,
    };
    bool ok = aws_ask_json(call->providers, &request, &answer, err) || fail_within(err, "STS");

    if (ok)
        ok = answer.http.status == 200 ? sts_read_answer(call, &answer, out, err)
                                       : refuse(call, &answer, err);
    aws_answer_done(&answer);
    return ok;
}

static bool send_call(struct sts_call *call, const struct aws_credentials *source,
                      struct aws_credentials *out, struct error *err)
{
    struct error first;

    if (send_form(call, source, out, &first))
        return true;
    if (call->clock_set)
        return send_form(call, source, out, err);
    *err = first;
    return false;
}

bool aws_sts_assume_role(const struct aws_providers *providers, const struct aws_role *role,
                         const struct aws_credentials *source, struct aws_credentials *out,
                         struct error *err)
{
    struct sts_call call = { .providers = providers, .action = "AssumeRole" };

    call.arena = arena_create();
    begin(&call, role);

    bool ok = send_call(&call, source, out, err);

    arena_destroy(call.arena);
    return ok;
}

bool aws_sts_web_identity(const struct aws_providers *providers, const struct aws_role *role,
                          const char *token_file, struct aws_credentials *out, struct error *err)
{
    struct sts_call call = { .providers = providers, .action = "AssumeRoleWithWebIdentity" };
    struct str token;

    if (!secret_read_file(token_file, &token, err)) {
        err->code = ERR_UNREACHABLE;
        return false;
    }
    call.arena = arena_create();
    begin(&call, role);
    add_field(call.form, "WebIdentityToken", token);
    secret_free(token);

    bool ok = send_call(&call, NULL, out, err);

    secret_wipe(call.form->ptr, call.form->len);
    arena_destroy(call.arena);
    return ok;
}
