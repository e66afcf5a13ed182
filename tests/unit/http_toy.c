/*
 * http_toy.c - see http_toy.h.
 */
#include "tests/unit/http_toy.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "base/attr.h"
#include "tests/unit/wait.h"

enum { PATIENCE_S = 20 };

static struct timespec patience(void)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    return until;
}

static void count_handled(struct http_toy *toy)
{
    (void)pthread_mutex_lock(&toy->mutex);
    toy->handled++;
    (void)pthread_mutex_unlock(&toy->mutex);
}

static enum handler_step handle_echo(void *self, struct request *request, struct response *response)
{
    count_handled(self);
    response->status = 200;
    response->body = arena_copy(request->arena, request->body);
    response->note.outcome = STR("valid");
    if (request->header(request->connection, "x-twice").ptr)
        response->duplicate = true;
    return HANDLER_DONE;
}

static bool admit_guarded(void *self, const struct request *request, struct response *response)
{
    (void)self;
    if (str_equal(request->header(request->connection, "X-Key"), STR("good")))
        return true;
    response_refuse(response, request->arena, 401, NULL);
    response->www_authenticate = "ApiKey";
    return false;
}

static enum handler_step handle_held(void *self, struct request *request, struct response *response)
{
    struct http_toy *toy = self;
    struct timespec until = patience();

    (void)request;
    (void)pthread_mutex_lock(&toy->mutex);
    toy->handled++;
    toy->held++;
    (void)pthread_cond_broadcast(&toy->changed);
    while (!toy->let_go && pthread_cond_timedwait(&toy->changed, &toy->mutex, &until) == 0)
        continue;
    (void)pthread_mutex_unlock(&toy->mutex);
    response->status = 200;
    response->body = STR("{\"held\":true}");
    return HANDLER_DONE;
}

/* http_toy.h lists the bodies with a special meaning. */
static enum handler_step handle_wait(void *self, struct request *request, struct response *response)
{
    struct http_toy *toy = self;

    (void)response;
    request->state = arena_alloc(request->arena, sizeof(size_t));
    if (str_equal(request->body, STR("at once")))
        waker_wake(request->waker);
    (void)pthread_mutex_lock(&toy->mutex);
    toy->handled++;
    if (toy->waiting < HTTP_TOY_WAITING)
        toy->wakers[toy->waiting++] = request->waker;
    (void)pthread_cond_broadcast(&toy->changed);
    (void)pthread_mutex_unlock(&toy->mutex);
    return HANDLER_WAIT;
}

static enum handler_step resume_wait(void *self, struct request *request, struct response *response,
                                     enum resume_reason reason)
{
    struct http_toy *toy = self;
    size_t *calls = request->state;

    (void)pthread_mutex_lock(&toy->mutex);
    toy->resumed++;
    (void)pthread_cond_broadcast(&toy->changed);
    (void)pthread_mutex_unlock(&toy->mutex);
    if (++*calls == 1 && reason == HANDLER_WOKEN && str_equal(request->body, STR("twice")))
        return HANDLER_WAIT;
    response->status = reason == HANDLER_WOKEN ? 200 : 503;
    response->body = arena_copy(request->arena, request->body);
    return HANDLER_DONE;
}

static enum handler_step handle_health(void *self, struct request *request,
                                       struct response *response)
{
    (void)request;
    count_handled(self);
    response->status = 200;
    response->body = STR("{\"status\":\"ok\"}");
    return HANDLER_DONE;
}

static enum handler_step handle_metrics(void *self, struct request *request,
                                        struct response *response)
{
    (void)handle_health(self, request, response);
    response->body = STR("up 1\n");
    response->content_type = "text/plain; version=0.0.4";
    return HANDLER_DONE;
}

static void keep(char *to, size_t size, struct str text)
{
    (void)snprintf(to, size, "%.*s", STR_ARG(text));
}

static void answering(void *self, const struct http_exchange_summary *summary)
{
    struct http_toy *toy = self;

    (void)summary;
    (void)pthread_mutex_lock(&toy->mutex);
    toy->counted++;
    (void)pthread_mutex_unlock(&toy->mutex);
}

static void answered(void *self, const struct http_exchange_summary *summary)
{
    struct http_toy *toy = self;
    char name[16] = "";

    (void)pthread_getname_np(pthread_self(), name, sizeof(name));

    struct str number = str_from(str_from_c(name), sizeof("http-loop-") - 1);
    size_t loop = number.len == 1 ? (size_t)(number.ptr[0] - '0') : 0;

    (void)pthread_mutex_lock(&toy->mutex);
    keep(toy->last.method, sizeof(toy->last.method), summary->method);
    keep(toy->last.path, sizeof(toy->last.path), summary->path);
    keep(toy->last.id, sizeof(toy->last.id), summary->id);
    keep(toy->last.trace_id, sizeof(toy->last.trace_id), summary->trace_id);
    keep(toy->last.outcome, sizeof(toy->last.outcome), summary->note->outcome);
    toy->last.end = summary->end;
    toy->last.status = summary->status;
    toy->last.bytes_in = summary->bytes_in;
    toy->last.bytes_out = summary->bytes_out;
    toy->by_loop[loop]++;
    toy->reports++;
    (void)pthread_cond_broadcast(&toy->changed);
    (void)pthread_mutex_unlock(&toy->mutex);
}

struct http_options http_toy_options(void)
{
    return (struct http_options){
        .threads = 1,
        .max_connections = 1000,
        .max_head = 16384,
        .max_body = 8000,
        .max_inflight_bytes = 1 << 20,
        .deadline_us = (int64_t)PATIENCE_S * 1000000,
        .idle_timeout_us = (int64_t)PATIENCE_S * 1000000,
    };
}

void http_toy_start(struct http_toy *toy, struct http_options options)
{
    const struct handler handlers[] = {
        { .path = "/echo", .method = HANDLER_POST, .handle = handle_echo, .self = toy },
        { .path = "/guarded",
          .method = HANDLER_POST,
          .admit = admit_guarded,
          .handle = handle_echo,
          .self = toy },
        { .path = "/held", .method = HANDLER_POST, .handle = handle_held, .self = toy },
        { .path = "/wait",
          .method = HANDLER_POST,
          .handle = handle_wait,
          .resume = resume_wait,
          .self = toy },
        { .path = "/healthz", .handle = handle_health, .self = toy, .is_probe = true },
    };
    const struct handler metrics[] = {
        { .path = "/metrics", .handle = handle_metrics, .self = toy },
    };
    const struct http_listener listeners[] = {
        { "127.0.0.1", 0, { handlers, COUNT_OF(handlers) }, NULL, 0 },
        { "127.0.0.1", 0, { metrics, COUNT_OF(metrics) }, NULL, 0 },
    };
    struct error err = { 0 };

    *toy = (struct http_toy){ 0 };
    (void)pthread_mutex_init(&toy->mutex, NULL);
    (void)pthread_cond_init(&toy->changed, NULL);
    options.listeners = listeners;
    options.listener_count = COUNT_OF(listeners);
    options.answering = answering;
    options.answered = answered;
    options.self = toy;

    bool started = http_start(&options, &toy->http, &err);

    assert(started);
    if (!started)
        return;
    toy->port = http_port(toy->http, 0);
    toy->metrics_port = http_port(toy->http, 1);
}

void http_toy_stop(struct http_toy *toy)
{
    http_toy_let_go(toy);
    http_stop(toy->http);
    (void)pthread_cond_destroy(&toy->changed);
    (void)pthread_mutex_destroy(&toy->mutex);
}

bool http_toy_await_waiting(struct http_toy *toy, size_t waiting, size_t resumed)
{
    struct timespec until = patience();

    (void)pthread_mutex_lock(&toy->mutex);
    while ((toy->waiting < waiting || toy->resumed < resumed) &&
           pthread_cond_timedwait(&toy->changed, &toy->mutex, &until) == 0)
        continue;

    bool reached = toy->waiting >= waiting && toy->resumed >= resumed;

    (void)pthread_mutex_unlock(&toy->mutex);
    return reached;
}

struct http_toy_report http_toy_await(struct http_toy *toy, size_t reports)
{
    struct timespec until = patience();

    (void)pthread_mutex_lock(&toy->mutex);
    while (toy->reports < reports &&
           pthread_cond_timedwait(&toy->changed, &toy->mutex, &until) == 0)
        continue;

    struct http_toy_report report =
        toy->reports == reports ? toy->last : (struct http_toy_report){ .status = -1 };

    (void)pthread_mutex_unlock(&toy->mutex);
    return report;
}

bool http_toy_await_held(struct http_toy *toy, size_t held)
{
    struct timespec until = patience();

    (void)pthread_mutex_lock(&toy->mutex);
    while (toy->held < held && pthread_cond_timedwait(&toy->changed, &toy->mutex, &until) == 0)
        continue;

    bool reached = toy->held >= held;

    (void)pthread_mutex_unlock(&toy->mutex);
    return reached;
}

void http_toy_let_go(struct http_toy *toy)
{
    (void)pthread_mutex_lock(&toy->mutex);
    toy->let_go = true;
    (void)pthread_cond_broadcast(&toy->changed);
    (void)pthread_mutex_unlock(&toy->mutex);
}

struct awaited {
    struct http_toy *toy;
    size_t amount;
};

static bool has_connections(void *self)
{
    const struct awaited *awaited = self;

    return http_connections(awaited->toy->http) == awaited->amount;
}

static bool holds_bytes(void *self)
{
    const struct awaited *awaited = self;

    return http_inflight_bytes(awaited->toy->http) == awaited->amount;
}

static bool has_handled(void *self)
{
    const struct awaited *awaited = self;

    (void)pthread_mutex_lock(&awaited->toy->mutex);
    bool reached = awaited->toy->handled >= awaited->amount;
    (void)pthread_mutex_unlock(&awaited->toy->mutex);
    return reached;
}

bool http_toy_await_connections(struct http_toy *toy, size_t connections)
{
    return wait_until(has_connections, &(struct awaited){ toy, connections });
}

bool http_toy_await_bytes(struct http_toy *toy, size_t bytes)
{
    return wait_until(holds_bytes, &(struct awaited){ toy, bytes });
}

bool http_toy_await_handled(struct http_toy *toy, size_t handled)
{
    return wait_until(has_handled, &(struct awaited){ toy, handled });
}
