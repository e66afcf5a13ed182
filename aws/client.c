/*
 * client.c - see client.h.
 */
#include "aws/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "aws/endpoint.h"
#include "aws/failure.h"
#include "aws/retry.h"
#include "aws/session_internal.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/memory.h"

enum {
    ANSWER_MAX = 4 * 1024 * 1024,  /* bytes; Glue's largest schema definition has 170 KB */
    MEMORY_MAX = 64 * 1024 * 1024, /* bytes of an answer's JSON tree */
    HEADERS_MAX = 4 + SIGV4_HEADERS_MAX,
    ATTEMPT_US = 3 * US_PER_S,
    CONNECT_US = 2 * US_PER_S,
};

struct aws_client {
    struct aws_session *session;
    const struct aws_config *config;
    struct fetch_client *http;
    char *service;
    char *target;
    char *url;
    struct aws_endpoint endpoint; /* slices of `url` */
    int64_t attempt_us;
    struct aws_retry retry;
    atomic_llong skew_s;
    atomic_bool interrupted;
    pthread_mutex_t mutex; /* only for waiting on `change` */
    pthread_cond_t change;
};

/* One call and its latest attempt. */
struct attempt {
    const struct aws_call *call;
    struct arena *arena;
    struct fetch_answer answer;
    struct json_object *json;
    struct aws_failure *failure;
    bool clock_set;   /* the clock was corrected during this call */
    bool key_renewed; /* the credentials were rejected and replaced during this call */
};

/* What to do after an attempt. */
enum next { NEXT_DONE, NEXT_AT_ONCE, NEXT_LATER, NEXT_GIVE_UP };

bool aws_client_create(struct aws_session *session, const struct aws_client_options *options,
                       struct aws_client **out, struct error *err)
{
    const struct aws_config *config = aws_session_config(session);
    enum aws_service service;

    if (!*config->region)
        return fail(err, ERR_CONFIG, "no AWS region: set aws.region or AWS_REGION");
    if (!aws_config_find_service(options->service, &service))
        return fail(err, ERR_CONFIG, "no AWS service %s", options->service);

    struct aws_client *client = mem_alloc(sizeof(*client));

    client->session = session;
    client->config = config;
    client->http = fetch_client_create();
    client->service = mem_copy_string(options->service);
    client->target = mem_copy_string(options->target);
    client->url = mem_copy_string(config->endpoints[service]);
    client->attempt_us = options->attempt_time_us ? options->attempt_time_us : ATTEMPT_US;
    aws_retry_init(&client->retry, options->pause_unit_us ? options->pause_unit_us : US_PER_S);
    atomic_init(&client->skew_s, 0);
    atomic_init(&client->interrupted, false);
    (void)pthread_mutex_init(&client->mutex, NULL);
    clock_init_condition(&client->change);
    if (!aws_endpoint_parse(str_from_c(client->url), &client->endpoint, err)) {
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
    mem_free(client->service);
    mem_free(client->target);
    mem_free(client->url);
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

/* Send the call once, signed with `key`. False: no complete answer. */
static bool send_once(struct aws_client *client, struct attempt *attempt,
                      const struct aws_credentials *key, struct error *err)
{
    const struct aws_call *call = attempt->call;
    struct str path = client->endpoint.path.len ? client->endpoint.path : STR("/");
    struct str target = arena_printf(attempt->arena, "%s.%s", client->target, call->operation);
    struct fetch_header headers[HEADERS_MAX] = {
        { "Host", client->endpoint.authority },
        { "Content-Type", STR("application/x-amz-json-1.1") },
        { "X-Amz-Target", target },
    };
    size_t count = 3;
    const struct sigv4_scope scope = {
        .region = str_from_c(client->config->region),
        .service = str_from_c(client->service),
        .time_us = clock_now_us() + aws_client_clock_skew(client) * US_PER_S,
    };
    struct sigv4_headers added;
    int64_t left_us = call->deadline_us - clock_monotonic_us();

    sigv4_sign(&(struct sigv4_request){ "POST", path, STR_NONE, headers, count, call->body },
               &(struct sigv4_credentials){ key->key_id, key->secret, key->token }, &scope,
               attempt->arena, &added);
    for (size_t i = 0; i < added.count; i++)
        headers[count++] = added.list[i];

    const struct fetch_request request = {
        .method = "POST",
        .url = client->url,
        .headers = headers,
        .header_count = count,
        .body = call->body,
        .timeout_us = left_us < client->attempt_us ? left_us : client->attempt_us,
        .connect_timeout_us = left_us < CONNECT_US ? left_us : CONNECT_US,
        .proxy = FETCH_PROXY_ENVIRONMENT,
        .ca_file = client->config->ca_file,
    };

    return fetch_client_run(client->http, &request, &attempt->answer, err);
}

/* Take the time from the answer's Date. True: it differs by minutes, which explains the failure. */
static bool correct_clock(struct aws_client *client, struct attempt *attempt)
{
    int64_t skew_s;

    if (attempt->clock_set ||
        !aws_failure_clock(&attempt->answer, aws_client_clock_skew(client), &skew_s))
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

/* Decide after an answer whose status is not 200. */
static enum next judge_refusal(struct aws_client *client, struct attempt *attempt, uint64_t number)
{
    struct aws_failure *failure = attempt->failure;

    aws_failure_from_answer(&attempt->answer, attempt->json, failure);
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
    struct error err;

    attempt->json = NULL;

    bool is_json = json_read_in(attempt->arena, buf_str(&attempt->answer.body), &options,
                                &attempt->json, &err);

    if (attempt->answer.status != 200)
        return judge_refusal(client, attempt, number);
    if (is_json && json_is_object(attempt->json))
        return NEXT_DONE;
    (void)fail(&err, ERR_UNREACHABLE, "the answer is no JSON object");
    return give_up(attempt, AWS_GARBLED, &err);
}

static enum next try_once(struct aws_client *client, struct attempt *attempt)
{
    const struct aws_wait wait = { attempt->call->deadline_us, &client->interrupted };
    struct aws_key key;
    struct error err = { 0 };

    if (!aws_session_acquire(client->session, &wait, &key, &err))
        return give_up(attempt, AWS_NO_CREDENTIALS, &err);

    bool whole = send_once(client, attempt, &key.credentials, &err);

    aws_credentials_done(&key.credentials);
    if (whole)
        return judge(client, attempt, key.number);
    (void)give_up(attempt, AWS_UNREACHABLE, &err);
    return attempt->answer.failure == FETCH_INTERRUPTED ? NEXT_GIVE_UP : NEXT_LATER;
}

/* Sleep as long as the next attempt requires. False: there is no next attempt. */
static bool go_on(struct aws_client *client, const struct attempt *attempt, enum next next)
{
    int64_t pause_us = 0;
    int64_t deadline_us = attempt->call->deadline_us;

    if (next == NEXT_AT_ONCE)
        return clock_monotonic_us() < deadline_us;
    return next == NEXT_LATER &&
           aws_retry_again(&client->retry, attempt->answer.failure == FETCH_TIMEOUT, &pause_us) &&
           pause_for(client, pause_us, deadline_us);
}

bool aws_client_call(struct aws_client *client, const struct aws_call *call, struct arena *arena,
                     struct json_object **answer, struct aws_failure *failure)
{
    struct attempt attempt = { .call = call, .arena = arena, .failure = failure };
    enum next next;

    fetch_answer_init(&attempt.answer, ANSWER_MAX);
    aws_retry_begin(&client->retry);
    do {
        next = try_once(client, &attempt);
    } while (next != NEXT_DONE && go_on(client, &attempt, next));
    fetch_answer_done(&attempt.answer);
    if (next != NEXT_DONE)
        return false;
    aws_retry_succeeded(&client->retry);
    *answer = attempt.json;
    return true;
}
