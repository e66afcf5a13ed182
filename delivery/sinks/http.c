/*
 * http.c - records posted to a URL, one for each request or as a JSON array.
 *
 * judge() decides what an answer means: 2xx is delivered; the table has the reasons of the rest
 * (docs/decisions/016). http_headers.c makes the headers, webhook.c the signatures, oauth.c the
 * tokens.
 */
#include "delivery/sinks/http.h"

#include <pthread.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/compress.h"
#include "base/fetch.h"
#include "base/memory.h"
#include "delivery/sinks/http_headers.h"
#include "delivery/sinks/oauth.h"

enum {
    BATCH_BYTES = 1024 * 1024, /* what most receivers accept by default */
    LONGEST_WAIT_S = 86400,
    BATCH_KEY_BYTES = 6000, /* of one header; many receivers accept less than 8 KiB */
    SAID_MAX = 2048,        /* bytes of an answer that are kept */
};

/* What one delivery at a time has for itself. */
struct slot {
    struct fetch_client *client; /* NULL: not used yet; set once, under the mutex */
    struct buf array;            /* the body, if it is an array, */
    struct buf packed;           /* and the body in gzip */
};

struct sink_http {
    struct sink_http_options options;
    struct oauth *oauth; /* NULL: none */
    struct slot slots[SINK_SLOTS_MAX];
    pthread_mutex_t mutex; /* guards what follows */
    bool is_interrupted;
};

/* A request of one delivery. */
struct post {
    struct sink_http *http;
    const struct sink_batch *batch;
    struct slot *slot;
    struct str body;
    uint64_t token; /* the number of the one that is sent; 0: none */
};

static void open_slot(struct sink_http *http, struct slot *slot)
{
    if (slot->client)
        return;

    struct fetch_client *client = fetch_client_create();

    (void)pthread_mutex_lock(&http->mutex);
    slot->client = client;
    if (http->is_interrupted)
        fetch_client_interrupt(client);
    (void)pthread_mutex_unlock(&http->mutex);
}

static struct str body_of(struct sink_http *http, const struct sink_batch *batch, struct slot *slot)
{
    struct str body = batch->records[0].bytes;

    if (http->options.batch > 1) {
        buf_clear(&slot->array);
        for (size_t i = 0; i < batch->count; i++) {
            buf_add_char(&slot->array, i == 0 ? '[' : ',');
            buf_add(&slot->array, batch->records[i].bytes);
        }
        buf_add_char(&slot->array, ']');
        body = buf_str(&slot->array);
    }
    if (http->options.gzip) {
        buf_clear(&slot->packed);
        compress_all(COMPRESS_GZIP, body, &slot->packed);
        body = buf_str(&slot->packed);
    }
    return body;
}

static bool add_token(struct post *post, struct http_headers *headers, struct error *err)
{
    struct oauth_grant grant;

    if (!post->http->oauth)
        return true;
    if (!oauth_authorize(post->http->oauth, &grant, err))
        return false;
    post->token = grant.number;
    http_headers_add_secret(headers, "Authorization", grant.authorization);
    return true;
}

static bool send_post(struct post *post, struct fetch_answer *answer, struct error *err)
{
    CLEANUP(http_headers_done) struct http_headers headers = { 0 };
    const struct sink_http_options *options = &post->http->options;

    if (!http_headers_collect(options, post->batch, post->body, &headers, err) ||
        !add_token(post, &headers, err))
        return false;
    return fetch_client_run(post->slot->client,
                            &(struct fetch_request){
                                .method = "POST",
                                .url = options->url,
                                .headers = headers.list,
                                .header_count = headers.count,
                                .body = post->body,
                                .timeout_us = options->timeout_us,
                                .proxy = FETCH_PROXY_ENVIRONMENT,
                                .ca_file = options->ca_file,
                                .status_only = true,
                                .cert_file = options->cert_file,
                                .key_file = options->key_file,
                            },
                            answer, err);
}

/* A token may be withdrawn before it expires: the second try has a new one. */
static bool send_batch(struct sink_http *http, const struct sink_batch *batch,
                       struct fetch_answer *answer, struct error *err)
{
    struct slot *slot = &http->slots[batch->slot];
    struct post post = { .http = http, .batch = batch, .slot = slot };

    open_slot(http, slot);
    post.body = body_of(http, batch, slot);
    if (!send_post(&post, answer, err))
        return false;
    if (answer->status != 401 || !http->oauth)
        return true;
    oauth_refuse(http->oauth, post.token);
    return send_post(&post, answer, err);
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

/*
 * What a status other than 2xx means. 401 and 407 are about credentials, and 3xx about the URL: a
 * redirect is not followed, because a POST may become a GET. They hold for every record, so all
 * wait for the operator. 403 may also be a firewall's word about one record's contents, and 408,
 * 421, 425, 429 and 5xx pass by themselves. Any other 4xx, 404 and 410 too, is usually about what
 * the record refers to.
 */
static const struct {
    int first;
    int last;
    enum sink_result result;
} meanings[] = {
    { 200, 299, SINK_DELIVERED },     { 300, 399, SINK_MISCONFIGURED },
    { 401, 401, SINK_MISCONFIGURED }, { 403, 403, SINK_POSTPONED },
    { 407, 407, SINK_MISCONFIGURED }, { 408, 408, SINK_POSTPONED },
    { 421, 421, SINK_POSTPONED },     { 425, 425, SINK_POSTPONED },
    { 429, 429, SINK_POSTPONED },     { 400, 499, SINK_REFUSED },
};

static enum sink_result judge(int status)
{
    for (size_t i = 0; i < COUNT_OF(meanings); i++)
        if (status >= meanings[i].first && status <= meanings[i].last)
            return meanings[i].result;
    return SINK_POSTPONED;
}

/* Did the receiver not get the records at all? Then they cannot be at fault. */
static bool is_out_of_reach(enum fetch_failure failure)
{
    return failure == FETCH_RESOLVE || failure == FETCH_CONNECT || failure == FETCH_TLS ||
           failure == FETCH_INTERRUPTED;
}

/* There is no answer. A token is fetched before anything is sent. */
static void explain(const struct sink_batch *batch, const struct fetch_answer *got,
                    const struct error *err, struct sink_answer *answer)
{
    bool is_config = err->code == ERR_CONFIG || got->failure == FETCH_CERTIFICATE;
    const char *reason = arena_copy(batch->arena, str_from_c(err->text)).ptr;

    answer->is_sink_wide =
        is_config || got->failure == FETCH_NO_FAILURE || is_out_of_reach(got->failure);
    sink_answer_all(batch, answer, is_config ? SINK_MISCONFIGURED : SINK_POSTPONED, reason);
}

static void http_deliver(void *self, const struct sink_batch *batch, struct sink_answer *answer)
{
    CLEANUP(fetch_answer_done) struct fetch_answer got;
    struct error err;

    fetch_answer_init(&got, SAID_MAX);
    if (!send_batch(self, batch, &got, &err)) {
        explain(batch, &got, &err, answer);
        return;
    }

    enum sink_result result = judge(got.status);
    const char *reason = NULL;

    if (result != SINK_DELIVERED)
        reason = arena_printf(batch->arena, "answered %d", got.status).ptr;
    answer->together = result == SINK_REFUSED && batch->count > 1;
    if (result == SINK_POSTPONED)
        answer->retry_after_us = retry_after_us(fetch_answer_header(&got, "Retry-After"));
    if (got.status == 429)
        answer->busy = SINK_THROTTLED;
    else if (got.status == 503 || answer->retry_after_us > 0)
        answer->busy = SINK_UNAVAILABLE;
    answer->is_sink_wide = result == SINK_MISCONFIGURED || answer->busy != SINK_NOT_BUSY;
    sink_answer_all(batch, answer, result, reason);
    if (result != SINK_DELIVERED && got.body.len > 0)
        answer->said = arena_copy(batch->arena, buf_str(&got.body));
}

static void http_interrupt(void *self)
{
    struct sink_http *http = self;

    (void)pthread_mutex_lock(&http->mutex);
    http->is_interrupted = true;
    for (size_t i = 0; i < SINK_SLOTS_MAX; i++)
        if (http->slots[i].client)
            fetch_client_interrupt(http->slots[i].client);
    (void)pthread_mutex_unlock(&http->mutex);
    if (http->oauth)
        oauth_interrupt(http->oauth);
}

static void http_destroy(void *self)
{
    struct sink_http *http = self;

    for (size_t i = 0; i < SINK_SLOTS_MAX; i++) {
        fetch_client_destroy(http->slots[i].client);
        buf_done(&http->slots[i].array);
        buf_done(&http->slots[i].packed);
    }
    oauth_destroy(http->oauth);
    (void)pthread_mutex_destroy(&http->mutex);
    mem_free(http);
}

static struct oauth *create_oauth(const struct sink_http_options *options)
{
    if (!options->oauth.token_url || !*options->oauth.token_url)
        return NULL;
    return oauth_create(&(struct oauth_options){
        .token_url = options->oauth.token_url,
        .client_id = options->oauth.client_id,
        .client_secret_file = options->oauth.client_secret_file,
        .scope = options->oauth.scope ? options->oauth.scope : "",
        .ca_file = options->ca_file,
        .timeout_us = options->timeout_us,
    });
}

struct sink sink_http(const struct sink_http_options *options)
{
    struct sink_http *http = mem_alloc(sizeof(*http));

    http->options = *options;
    http->oauth = create_oauth(options);
    (void)pthread_mutex_init(&http->mutex, NULL);
    for (size_t i = 0; i < SINK_SLOTS_MAX; i++) {
        buf_init(&http->slots[i].array, SIZE_MAX);
        buf_init(&http->slots[i].packed, SIZE_MAX);
    }
    return (struct sink){ .in_flight = options->in_flight > 0 ? options->in_flight : 1,
                          .max_records = options->batch,
                          .max_bytes = BATCH_BYTES,
                          .max_key_bytes = options->batch > 1 ? BATCH_KEY_BYTES : 0,
                          .deliver = http_deliver,
                          .interrupt = http_interrupt,
                          .destroy = http_destroy,
                          .self = http };
}
