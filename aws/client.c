/*
 * client.c - see client.h.
 */
#include "aws/client.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/failure.h"
#include "aws/retry.h"
#include "aws/service.h"
#include "aws/session_internal.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"

enum {
    ANSWER_MAX = 4 * 1024 * 1024,  /* bytes; Glue's largest schema definition has 170 KB */
    MEMORY_MAX = 64 * 1024 * 1024, /* bytes of an answer's JSON tree */
    HEADERS_MAX = 1 + AWS_REQUEST_HEADERS_MAX + SIGV4_HEADERS_MAX,
    ATTEMPTS = 3,
    ATTEMPT_US = 3 * US_PER_S,
    BYTES_PER_S = 1024 * 1024, /* a body gets a second more for so many bytes */
    CONNECT_US = 2 * US_PER_S,
};

struct aws_client {
    struct aws_session *session;
    const struct aws_config *config;
    const struct aws_service_row *service;
    struct fetch_client *http;
    struct arena *arena; /* owns the texts */
    const char *region;
    const char *url;
    bool is_at_aws;
    struct aws_endpoint endpoint; /* slices of `url` */
    int64_t attempt_us;           /* 0: by the length of the body */
    struct aws_retry retry;
    atomic_llong skew_s;
    atomic_bool interrupted;
    pthread_mutex_t mutex; /* only for waiting on `change` */
    pthread_cond_t change;
};

/* One call and its latest attempt. */
struct attempt {
    const struct aws_request *request;
    struct arena *arena;
    struct fetch_answer *answer;
    struct json_object *json; /* the body of the answer; NULL: it is not JSON */
    struct aws_failure *failure;
    bool is_json;     /* a success is a JSON object */
    bool clock_set;   /* the clock was corrected during this call */
    bool key_renewed; /* the credentials were rejected and replaced during this call */
};

/* What to do after an attempt. */
enum next { NEXT_DONE, NEXT_AT_ONCE, NEXT_LATER, NEXT_GIVE_UP };

static bool is_set(const char *text)
{
    return text && *text;
}

/* Put the bucket into the URL. */
static bool choose_bucket(struct aws_client *client, const struct aws_client_options *options,
                          struct error *err)
{
    struct str bucket = str_from_c(options->bucket);
    struct aws_endpoint endpoint;

    if (!aws_endpoint_check_bucket(bucket, err) ||
        !aws_endpoint_parse(str_from_c(client->url), &endpoint, err))
        return false;
    client->url = aws_endpoint_with_bucket(&endpoint, bucket, options->path_style, client->arena);
    return true;
}

/* Choose region and URL. */
static bool choose_place(struct aws_client *client, enum aws_service service,
                         const struct aws_client_options *options, struct error *err)
{
    const struct aws_config *config = client->config;
    const char *region = is_set(options->region) ? options->region : config->region;

    client->is_at_aws = !is_set(options->endpoint_url) && !*config->endpoints[service];
    if (!*region)
        return fail(err, ERR_CONFIG, "no AWS region: set aws.region or AWS_REGION");
    if (!aws_endpoint_is_region(str_from_c(region)))
        return fail(err, ERR_CONFIG, "region: \"%s\" is none", region);
    if (client->is_at_aws && service == AWS_SERVICE_S3 && config->use_fips &&
        str_starts_with(str_from_c(region), STR("cn-")))
        return fail(err, ERR_CONFIG, "S3 has no FIPS endpoint in %s", region);
    client->region = arena_copy(client->arena, str_from_c(region)).ptr;
    client->url = is_set(options->endpoint_url)
                      ? arena_copy(client->arena, str_from_c(options->endpoint_url)).ptr
                      : aws_config_endpoint(config, service, region, client->arena);
    if (is_set(options->bucket) && !choose_bucket(client, options, err))
        return false;
    return aws_endpoint_parse(str_from_c(client->url), &client->endpoint, err);
}

bool aws_client_create(struct aws_session *session, const struct aws_client_options *options,
                       struct aws_client **out, struct error *err)
{
    enum aws_service service;

    if (!aws_service_find(options->service, &service))
        return fail(err, ERR_CONFIG, "no AWS service %s", options->service);

    struct aws_client *client = mem_alloc(sizeof(*client));

    client->session = session;
    client->config = aws_session_config(session);
    client->service = aws_service_get(service);
    client->http = fetch_client_create();
    client->arena = arena_create();
    client->attempt_us = options->attempt_time_us;
    aws_retry_init(&client->retry, options->attempts > 0 ? options->attempts : ATTEMPTS,
                   options->pause_unit_us ? options->pause_unit_us : US_PER_S);
    atomic_init(&client->skew_s, 0);
    atomic_init(&client->interrupted, false);
    (void)pthread_mutex_init(&client->mutex, NULL);
    clock_init_condition(&client->change);
    if (!choose_place(client, service, options, err)) {
        aws_client_destroy(client);
        return false;
    }
    *out = client;
    return true;
}

void aws_client_destroy(struct aws_client *client)
{
    if (!client)
        return;
    fetch_client_destroy(client->http);
    (void)pthread_cond_destroy(&client->change);
    (void)pthread_mutex_destroy(&client->mutex);
    arena_destroy(client->arena);
    mem_free(client);
}

void aws_client_interrupt(struct aws_client *client)
{
    (void)pthread_mutex_lock(&client->mutex);
    atomic_store(&client->interrupted, true);
    (void)pthread_cond_broadcast(&client->change);
    (void)pthread_mutex_unlock(&client->mutex);
    aws_session_wake(client->session);
    fetch_client_interrupt(client->http);
}

int64_t aws_client_clock_skew(const struct aws_client *client)
{
    return atomic_load(&client->skew_s);
}

const char *aws_client_endpoint(const struct aws_client *client)
{
    return client->url;
}

bool aws_client_is_at_aws(const struct aws_client *client)
{
    return client->is_at_aws;
}

/* Sleep. False when interrupted, or at once when the pause would end after the deadline. */
static bool pause_for(struct aws_client *client, int64_t pause_us, int64_t deadline_us)
{
    int64_t end_us = clock_monotonic_us() + pause_us;
    struct timespec at = clock_timespec(end_us);

    if (end_us >= deadline_us)
        return false;
    (void)pthread_mutex_lock(&client->mutex);
    while (!atomic_load(&client->interrupted) && clock_monotonic_us() < end_us)
        (void)pthread_cond_timedwait(&client->change, &client->mutex, &at);
    (void)pthread_mutex_unlock(&client->mutex);
    return !atomic_load(&client->interrupted);
}

static enum next give_up(struct attempt *attempt, enum aws_failure_kind kind,
                         const struct error *err)
{
    *attempt->failure = (struct aws_failure){ .kind = kind, .error = *err };
    return NEXT_GIVE_UP;
}

/* The request's path after the endpoint's own. */
static struct str full_path(const struct aws_client *client, struct str path, struct arena *arena)
{
    struct str prefix = client->endpoint.path;

    if (prefix.len == 0)
        return path;
    return path.len <= 1 ? prefix : arena_printf(arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(path));
}

static const char *full_url(const struct aws_client *client, struct str path, struct str query,
                            struct arena *arena)
{
    return arena_printf(arena, "%s://%.*s%.*s%s%.*s", client->endpoint.tls ? "https" : "http",
                        STR_ARG(client->endpoint.authority), STR_ARG(path),
                        query.len > 0 ? "?" : "", STR_ARG(query))
        .ptr;
}

/* Write all headers, those of the signature included. Returns their number. */
static size_t write_headers(struct aws_client *client, const struct attempt *attempt,
                            struct str path, const struct aws_credentials *key,
                            struct fetch_header *headers)
{
    const struct aws_request *request = attempt->request;
    const struct sigv4_scope scope = {
        .region = str_from_c(client->region),
        .service = str_from_c(client->service->signing),
        .time_us = clock_now_us() + aws_client_clock_skew(client) * US_PER_S,
        .s3 = client->service->protocol == AWS_REST,
    };
    struct sigv4_headers added;
    size_t count = 0;

    headers[count++] = (struct fetch_header){ "Host", client->endpoint.authority };
    for (size_t i = 0; i < request->header_count; i++)
        headers[count++] = request->headers[i];
    sigv4_sign(&(struct sigv4_request){ request->method, path, request->query, headers, count,
                                        request->body },
               &(struct sigv4_credentials){ key->key_id, key->secret, key->token }, &scope,
               attempt->arena, &added);
    for (size_t i = 0; i < added.count; i++)
        headers[count++] = added.list[i];
    return count;
}

/* The longest time of one attempt. */
static int64_t attempt_time(const struct aws_client *client, const struct aws_request *request)
{
    int64_t left_us = request->deadline_us - clock_monotonic_us();
    int64_t most_us = client->attempt_us;

    if (most_us == 0)
        most_us = ATTEMPT_US + (int64_t)(request->body.len / BYTES_PER_S) * US_PER_S;
    return left_us < most_us ? left_us : most_us;
}

/* Send the request once, signed with `key`. False: no complete answer. */
static bool send_once(struct aws_client *client, struct attempt *attempt,
                      const struct aws_credentials *key, struct error *err)
{
    const struct aws_request *request = attempt->request;
    struct str path = full_path(client, request->path, attempt->arena);
    int64_t time_us = attempt_time(client, request);
    struct fetch_header headers[HEADERS_MAX];
    const struct fetch_request sent = {
        .method = request->method,
        .url = full_url(client, path, request->query, attempt->arena),
        .headers = headers,
        .header_count = write_headers(client, attempt, path, key, headers),
        .body = request->body,
        .timeout_us = time_us,
        .connect_timeout_us = time_us < CONNECT_US ? time_us : CONNECT_US,
        .proxy = FETCH_PROXY_ENVIRONMENT,
        .ca_file = client->config->ca_file,
    };

    return fetch_client_run(client->http, &sent, attempt->answer, err);
}

/* Take the time from the answer's Date. True: it differs by minutes, which explains the failure. */
static bool correct_clock(struct aws_client *client, struct attempt *attempt)
{
    int64_t skew_s;

    if (attempt->clock_set ||
        !aws_failure_clock(attempt->answer, aws_client_clock_skew(client), &skew_s))
        return false;
    atomic_store(&client->skew_s, skew_s);
    attempt->clock_set = true;
    return true;
}

/* New credentials may help: the current ones have expired, or were deleted after a rotation. */
static bool is_about_key(enum aws_failure_kind kind)
{
    return kind == AWS_EXPIRED_TOKEN || kind == AWS_BAD_CREDENTIALS;
}

/* Decide after an answer whose status is not 2xx. */
static enum next judge_refusal(struct aws_client *client, struct attempt *attempt, uint64_t number)
{
    struct aws_failure *failure = attempt->failure;

    aws_failure_from_answer(attempt->answer, attempt->json, failure);
    if (aws_failure_may_be_clock(str_from_c(failure->code))) {
        if (correct_clock(client, attempt))
            return NEXT_AT_ONCE;
        if (attempt->clock_set)
            failure->kind = AWS_CLOCK_SKEW;
    }
    if (is_about_key(failure->kind) && !attempt->key_renewed) {
        aws_session_reject(client->session, number);
        attempt->key_renewed = true;
        return NEXT_AT_ONCE;
    }
    return aws_failure_is_passing(failure->kind) ? NEXT_LATER : NEXT_GIVE_UP;
}

static enum next judge(struct aws_client *client, struct attempt *attempt, uint64_t number)
{
    const struct json_read_options options = { .max_memory = MEMORY_MAX };
    struct str body = buf_str(&attempt->answer->body);
    bool done = attempt->answer->status >= 200 && attempt->answer->status < 300;
    struct error err;

    attempt->json = NULL;
    if (attempt->is_json)
        (void)!json_read_in(attempt->arena, body, &options, &attempt->json, &err);
    if (!done)
        return judge_refusal(client, attempt, number);
    if (!attempt->is_json || json_is_object(attempt->json))
        return NEXT_DONE;
    (void)fail(&err, ERR_UNREACHABLE, "the answer is no JSON object");
    return give_up(attempt, AWS_GARBLED, &err);
}

static enum next try_once(struct aws_client *client, struct attempt *attempt)
{
    const struct aws_wait wait = { attempt->request->deadline_us, &client->interrupted };
    struct aws_key key;
    struct error err = { 0 };

    if (!aws_session_acquire(client->session, &wait, &key, &err))
        return give_up(attempt, AWS_NO_CREDENTIALS, &err);

    bool whole = send_once(client, attempt, &key.credentials, &err);

    aws_credentials_done(&key.credentials);
    if (whole)
        return judge(client, attempt, key.number);
    (void)give_up(attempt, AWS_UNREACHABLE, &err);
    return attempt->answer->failure == FETCH_INTERRUPTED ? NEXT_GIVE_UP : NEXT_LATER;
}

/* Sleep as long as the next attempt requires. False: there is no next attempt. */
static bool go_on(struct aws_client *client, const struct attempt *attempt, enum next next)
{
    const struct aws_retry_cause cause = {
        .throttled = attempt->failure->kind == AWS_THROTTLED,
        .retry_after_us = attempt->failure->retry_after_us,
    };
    int64_t pause_us = 0;
    int64_t deadline_us = attempt->request->deadline_us;

    if (next == NEXT_AT_ONCE)
        return clock_monotonic_us() < deadline_us;
    return next == NEXT_LATER && aws_retry_again(&client->retry, cause, &pause_us) &&
           pause_for(client, pause_us, deadline_us);
}

static bool run(struct aws_client *client, struct attempt *attempt)
{
    enum next next;

    aws_retry_begin(&client->retry);
    do {
        attempt->answer->status = 0;
        next = try_once(client, attempt);
    } while (next != NEXT_DONE && go_on(client, attempt, next));
    if (next == NEXT_DONE)
        aws_retry_succeeded(&client->retry);
    return next == NEXT_DONE;
}

bool aws_client_call(struct aws_client *client, const struct aws_call *call, struct arena *arena,
                     struct json_object **answer, struct aws_failure *failure)
{
    const char *type = client->service->protocol == AWS_JSON_1_0 ? "application/x-amz-json-1.0"
                                                                 : "application/x-amz-json-1.1";
    const struct fetch_header headers[] = {
        { "Content-Type", str_from_c(type) },
        { "X-Amz-Target", arena_printf(arena, "%s.%s", client->service->target, call->operation) },
    };
    const struct aws_request request = {
        .method = "POST",
        .path = STR("/"),
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = call->body,
        .deadline_us = call->deadline_us,
    };
    struct fetch_answer http;
    struct attempt attempt = {
        .request = &request, .arena = arena, .answer = &http, .failure = failure, .is_json = true
    };

    fetch_answer_init(&http, call->max_answer_bytes ? call->max_answer_bytes : ANSWER_MAX);

    bool ok = run(client, &attempt);

    fetch_answer_done(&http);
    if (ok)
        *answer = attempt.json;
    return ok;
}

bool aws_client_send(struct aws_client *client, const struct aws_request *request,
                     struct arena *arena, struct fetch_answer *answer, struct aws_failure *failure)
{
    struct attempt attempt = {
        .request = request, .arena = arena, .answer = answer, .failure = failure
    };

    assert(request->header_count <= AWS_REQUEST_HEADERS_MAX);
    return run(client, &attempt);
}
