/*
 * sender.c - see sender.h.
 *
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
 */
#include "server/cli/sender.h"

#include "base/chars.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/secret.h"

enum {
    TIMEOUT_US = 5 * US_PER_S, /* EventBridge's, for connection and answer */
    BODY_MAX = 1024 * 1024,    /* EventBridge asks for so much with Range */
    HEADERS_MAX = 7,
};

struct sender {
    const struct sender_options *options;
    struct fetch_client *client;
};

bool sender_basic(const char *user, const char *password_file, struct str *out, struct error *err)
{
    struct buf text;
    struct str password;
    struct str base64;

    if (!secret_read_file(password_file, &password, err))
        return false;
    buf_init(&text, (size_t)2 * SECRET_FILE_MAX);
    buf_printf(&text, "%s:%.*s", user, STR_ARG(password));
    base64 = secret_base64(buf_str(&text));
    secret_wipe(text.ptr, text.len);
    buf_clear(&text);
    buf_printf(&text, "Basic %.*s", STR_ARG(base64));
    *out = (struct str){ mem_copy(text.ptr, text.len), text.len };
    secret_wipe(text.ptr, text.len);
    buf_done(&text);
    secret_free(password);
    secret_free(base64);
    return true;
}

struct sender *sender_create(const struct sender_options *options)
{
    struct sender *sender = mem_alloc(sizeof(*sender));

    sender->options = options;
    sender->client = fetch_client_create();
    return sender;
}

void sender_destroy(struct sender *sender)
{
    if (!sender)
        return;
    fetch_client_destroy(sender->client);
    mem_free(sender);
}

/* Seconds or a date; a negative number ends the retries. False: the answer has none. */
static bool read_retry_after(const struct fetch_answer *answer, int64_t *seconds)
{
    struct str text = fetch_answer_header(answer, "Retry-After");
    bool negative = str_starts_with(text, STR("-"));
    int64_t value;

    if (clock_parse_http(text, &value)) {
        value -= clock_now_us();
        *seconds = value > 0 ? value / US_PER_S : 0;
        return true;
    }
    if (!whole_number(str_from(text, negative ? 1 : 0), INT32_MAX, &value))
        return false;
    *seconds = negative ? -value : value;
    return true;
}

static bool is_retried(enum sender_bus bus, int status)
{
    return bus == SENDER_CUSTOM || status == 0 || status == 401 || status == 407 || status == 409 ||
           status == 429 || status >= 500;
}

static void judge(const struct sender *sender, const struct fetch_answer *answer,
                  struct sender_result *result)
{
    int64_t seconds;

    if (result->status >= 200 && result->status < 300) {
        result->verdict = SENDER_DELIVERED;
        return;
    }
    result->verdict =
        is_retried(sender->options->bus, result->status) ? SENDER_RETRY : SENDER_FINAL;
    if (result->verdict != SENDER_RETRY || !read_retry_after(answer, &seconds))
        return;
    if (seconds < 0)
        result->verdict = SENDER_FINAL;
    else
        result->retry_after_us = seconds * US_PER_S;
}

/* The headers of an API destination. `grant` is ended by the caller. */
static bool add_headers(const struct sender *sender, struct fetch_header headers[HEADERS_MAX],
                        size_t *count, struct oauth_grant *grant, struct error *err)
{
    static const struct fetch_header fixed[] = {
        { "User-Agent", STR_INIT("Amazon/EventBridge/ApiDestinations") },
        { "Content-Type", STR_INIT("application/json; charset=utf-8") },
        { "Range", STR_INIT("bytes=0-1048575") },
        { "Accept-Encoding", STR_INIT("gzip,deflate") },
        { "Connection", STR_INIT("close") },
    };
    const struct sender_options *options = sender->options;

    memcpy(headers, fixed, sizeof(fixed));
    *count = COUNT_OF(fixed);
    if (*options->header)
        headers[(*count)++] = (struct fetch_header){ options->header, options->header_value };
    if (!options->oauth)
        return true;
    if (!oauth_authorize(options->oauth, grant, err))
        return false;
    headers[(*count)++] = (struct fetch_header){ "Authorization", grant->authorization };
    return true;
}

struct sender_result sender_send(struct sender *sender, struct str body)
{
    const struct sender_options *options = sender->options;
    CLEANUP(fetch_answer_done) struct fetch_answer answer;
    struct fetch_header headers[HEADERS_MAX];
    struct sender_result result = { 0 };
    struct oauth_grant grant = { 0 };
    int64_t start_us = clock_monotonic_us();
    struct fetch_request request = {
        .method = "POST",
        .url = options->url,
        .headers = headers,
        .body = body,
        .timeout_us = TIMEOUT_US,
        .ca_file = options->ca_file,
        .any_certificate = options->any_certificate,
        .without_accept = true,
    };

    fetch_answer_init(&answer, BODY_MAX);
    if (add_headers(sender, headers, &request.header_count, &grant, &result.error) &&
        fetch_client_run(sender->client, &request, &answer, &result.error))
        result.status = answer.status;
    result.took_us = clock_monotonic_us() - start_us;
    result.timed_out = answer.failure == FETCH_TIMEOUT;
    if (options->oauth && (result.status == 401 || result.status == 407))
        oauth_refuse(options->oauth, grant.number);
    judge(sender, &answer, &result);
    secret_free(grant.authorization);
    return result;
}

const char *sender_error_code(const struct sender_result *result)
{
    if (result->status == 0)
        return result->timed_out ? "TIMEOUT" : "CONNECTION_FAILURE";
    if (result->status == 429)
        return "THROTTLING";
    return result->status == 401 || result->status == 403 || result->status == 407
               ? "NO_PERMISSIONS"
               : "SDK_CLIENT_ERROR";
}
