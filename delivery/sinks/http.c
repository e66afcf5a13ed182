/*
 * http.c - records posted to a URL, one for each request or as a JSON array.
 *
 * judge() decides what an answer means: 2xx is delivered. No answer, a redirect, 5xx, and the 4xx
 * about credentials or overload postpone the records. Any other 4xx is the record's own fault; for
 * an array it is not known whose (docs/decisions/016).
 *
 * A record may be sent again in another batch: alone as a retry, or in half of a batch. So each
 * record has its own key. For an array, Idempotency-Keys has one key for each element, and
 * Idempotency-Key is a key of exactly this array.
 */
#include "delivery/sinks/http.h"

#include <stdio.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "base/secret.h"

enum {
    BATCH_BYTES = 1024 * 1024, /* what most receivers accept by default */
    LONGEST_WAIT_S = 86400,
    BATCH_KEY_BYTES = 6000, /* of one header; many receivers accept less than 8 KiB */
    OWN_HEADERS = 3,        /* Content-Type, Idempotency-Key, Idempotency-Keys */
};

struct sink_http {
    struct sink_http_options options;
    struct fetch_client *client;
    struct buf body; /* an array's */
};

/* A request's headers; the values of secret ones are owned. */
struct headers {
    struct fetch_header *list;
    size_t count;
    struct str *secrets;
    size_t secret_count;
};

static bool is_configured(const struct sink_http *http, const char *name)
{
    for (size_t i = 0; i < http->options.header_count; i++)
        if (str_equal_ignore_case(str_from_c(http->options.headers[i].name), str_from_c(name)))
            return true;
    return false;
}

/*
 * A key is an event's id, which may be any text. Bytes that a header cannot carry, the per cent
 * sign, and in a list the comma are percent-encoded.
 */
static void add_key(struct buf *out, struct str key, bool in_list)
{
    for (size_t i = 0; i < key.len; i++) {
        unsigned char byte = (unsigned char)key.ptr[i];

        if (byte > ' ' && byte < 0x7f && byte != '%' && !(in_list && byte == ','))
            buf_add_char(out, (char)byte);
        else
            buf_printf(out, "%%%02X", byte);
    }
}

/* One key for each element of an array, in order. */
static struct str keys_of(const struct sink_batch *batch)
{
    struct buf *keys = arena_buf(batch->arena, SIZE_MAX);

    for (size_t i = 0; i < batch->count; i++) {
        if (i > 0)
            buf_add_char(keys, ',');
        add_key(keys, batch->records[i].key, true);
    }
    return buf_str(keys);
}

/* A record's key; for an array a digest of its records' keys, so the same array has the same key.
 */
static struct str key_of(const struct sink_batch *batch)
{
    struct buf *keys = arena_buf(batch->arena, SIZE_MAX);
    struct buf *hex;
    uint8_t digest[SECRET_DIGEST_SIZE];

    for (size_t i = 0; i < batch->count; i++) {
        if (i > 0)
            buf_add_char(keys, ' ');
        add_key(keys, batch->records[i].key, false);
    }
    if (batch->count == 1)
        return buf_str(keys);
    hex = arena_buf(batch->arena, 2 * SECRET_DIGEST_SIZE + 1);
    secret_digest(buf_str(keys), digest);
    for (size_t i = 0; i < SECRET_DIGEST_SIZE; i++)
        buf_printf(hex, "%02x", digest[i]);
    return buf_str(hex);
}

static void add_header(struct headers *headers, const char *name, struct str value)
{
    headers->list[headers->count++] = (struct fetch_header){ name, value };
}

static bool collect_headers(const struct sink_http *http, const struct sink_batch *batch,
                            struct headers *headers, struct error *err)
{
    size_t most = http->options.header_count + OWN_HEADERS;

    headers->list = arena_alloc(batch->arena, most * sizeof(*headers->list));
    headers->secrets = arena_alloc(batch->arena, most * sizeof(*headers->secrets));
    if (!is_configured(http, "Content-Type"))
        add_header(headers, "Content-Type", STR("application/json"));
    if (!is_configured(http, "Idempotency-Key"))
        add_header(headers, "Idempotency-Key", key_of(batch));
    if (http->options.batch > 1 && !is_configured(http, "Idempotency-Keys"))
        add_header(headers, "Idempotency-Keys", keys_of(batch));
    for (size_t i = 0; i < http->options.header_count; i++) {
        const struct sink_http_header *header = &http->options.headers[i];
        struct str value = str_from_c(header->value);

        if (header->file) {
            if (!secret_read_file(header->file, &value, err))
                return false;
            headers->secrets[headers->secret_count++] = value;
        }
        add_header(headers, header->name, value);
    }
    return true;
}

static void end_headers(struct headers *headers)
{
    for (size_t i = 0; i < headers->secret_count; i++)
        secret_free(headers->secrets[i]);
}

static struct str body_of(struct sink_http *http, const struct sink_batch *batch)
{
    if (http->options.batch == 1)
        return batch->records[0].bytes;
    buf_clear(&http->body);
    for (size_t i = 0; i < batch->count; i++) {
        buf_add_char(&http->body, i == 0 ? '[' : ',');
        buf_add(&http->body, batch->records[i].bytes);
    }
    buf_add_char(&http->body, ']');
    return buf_str(&http->body);
}

static bool post(struct sink_http *http, const struct sink_batch *batch,
                 struct fetch_answer *answer, struct error *err)
{
    CLEANUP(end_headers) struct headers headers = { 0 };

    return collect_headers(http, batch, &headers, err) &&
           fetch_client_run(http->client,
                            &(struct fetch_request){
                                .method = "POST",
                                .url = http->options.url,
                                .headers = headers.list,
                                .header_count = headers.count,
                                .body = body_of(http, batch),
                                .timeout_us = http->options.timeout_us,
                                .proxy = FETCH_PROXY_ENVIRONMENT,
                                .ca_file = http->options.ca_file,
                                .status_only = true,
                            },
                            answer, err);
}

/* Retry-After (RFC 9110 section 10.2.3): seconds or a date. 0: neither. */
static int64_t retry_after_us(struct str value)
{
    int64_t longest_us = LONGEST_WAIT_S * (int64_t)US_PER_S;
    int64_t date_us = 0;
    int64_t us = 0;

    if (value.len == 0 || all_are(value, char_is_digit)) {
        for (size_t i = 0; i < value.len && us < longest_us; i++)
            us = us * 10 + (value.ptr[i] - '0') * (int64_t)US_PER_S;
    } else if (clock_parse_http(value, &date_us)) {
        us = date_us - clock_now_us();
    }
    return us < 0 ? 0 : us > longest_us ? longest_us : us;
}

/* 4xx that are not about the record: credentials, proxy, timeout, wrong server, too early, too
 * many. */
static const int postponing[] = { 401, 403, 407, 408, 421, 425, 429 };

static enum sink_result judge(int status)
{
    if (status >= 200 && status < 300)
        return SINK_DELIVERED;
    if (status < 400 || status >= 500)
        return SINK_POSTPONED;
    for (size_t i = 0; i < COUNT_OF(postponing); i++)
        if (status == postponing[i])
            return SINK_POSTPONED;
    return SINK_REFUSED;
}

/* Did the receiver not get the records at all? Then they cannot be at fault. */
static bool is_out_of_reach(enum fetch_failure failure)
{
    return failure == FETCH_RESOLVE || failure == FETCH_CONNECT || failure == FETCH_TLS ||
           failure == FETCH_INTERRUPTED;
}

static void http_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    CLEANUP(fetch_answer_done) struct fetch_answer got;
    struct sink_http *http = self;
    struct error err;

    fetch_answer_init(&got, 0);
    if (!post(http, batch, &got, &err)) {
        answer->is_sink_wide = is_out_of_reach(got.failure);
        sink_answer_all(batch, answer, SINK_POSTPONED,
                        arena_copy(batch->arena, str_from_c(err.text)).ptr);
        return;
    }

    enum sink_result result = judge(got.status);
    const char *reason = NULL;

    if (result != SINK_DELIVERED)
        reason = arena_printf(batch->arena, "answered %d", got.status).ptr;
    answer->together = result == SINK_REFUSED && batch->count > 1;
    if (result == SINK_POSTPONED)
        answer->retry_after_us = retry_after_us(fetch_answer_header(&got, "Retry-After"));
    answer->is_sink_wide = got.status == 429 || got.status == 503 || answer->retry_after_us > 0;
    sink_answer_all(batch, answer, result, reason);
}

static void interrupt(void *self)
{
    struct sink_http *http = self;

    fetch_client_interrupt(http->client);
}

static void http_destroy(void *self)
{
    struct sink_http *http = self;

    fetch_client_destroy(http->client);
    buf_done(&http->body);
    mem_free(http);
}

struct sink sink_http(const struct sink_http_options *options)
{
    struct sink_http *http = mem_alloc(sizeof(*http));

    http->options = *options;
    http->client = fetch_client_create();
    buf_init(&http->body, SIZE_MAX);
    return (struct sink){ .in_flight = 1,
                          .max_records = options->batch,
                          .max_bytes = BATCH_BYTES,
                          .max_key_bytes = options->batch > 1 ? BATCH_KEY_BYTES : 0,
                          .deliver = http_deliver,
                          .interrupt = interrupt,
                          .destroy = http_destroy,
                          .self = http };
}
