/*
 * loop.c - see loop.h.
 *
 * One turn: wait for MHD's epoll descriptor, the inbox, an idle connection's first byte or the next
 * deadline; read the inbox; let MHD work; act on deadlines; write the log. The order lets an answer
 * that is ready leave before its deadline is checked. There is one MHD daemon for plain connections
 * and one for TLS. All calls to MHD are made in this thread.
 */
#include "server/http/loop.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/http/deadlines.h"
#include "server/http/evict.h"
#include "server/http/failure.h"
#include "server/http/request.h"

enum {
    NEWCOMER_US = 50 * US_PER_MS,    /* how often a connection to evict is looked for */
    SLICE_US = 10 * US_PER_MS,       /* for requests in one run of MHD, and for wake-ups */
    SHORT_SLICE_US = 50 * US_PER_MS, /* the same for bodies of up to ... */
    SHORT_BODY = 2048,               /* ... this many bytes */
    FUTILE_TURNS_MAX = 16,
    FUTILE_TURN_MS = 10,
    FUTILE_TURN_SENDING_MS = 1,
};

size_t http_loop_load(const struct http_loop *loop)
{
    return atomic_load_explicit(&loop->load, memory_order_relaxed);
}

void http_loop_wake(struct http_loop *loop)
{
    http_inbox_wake(&loop->inbox);
}

bool http_loop_has_turned(struct http_loop *loop)
{
    bool turned = atomic_exchange(&loop->turned, false);

    http_loop_wake(loop);
    return turned;
}

bool http_loop_has_time(const struct http_loop *loop, size_t len)
{
    return loop->now_us - loop->slice_began_us < (len <= SHORT_BODY ? SHORT_SLICE_US : SLICE_US);
}

static void begin_slice(struct http_loop *loop)
{
    loop->slice_began_us = clock_monotonic_us();
    loop->now_us = loop->slice_began_us;
}

/* Connections come and go. */

static void on_connection(void *self, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = http_connection_start(self, mhd);
    } else if (*context) {
        http_connection_end(*context);
        *context = NULL;
    }
}

/*
 * MHD refuses a request with a complete head: its own page has neither JSON nor an id, and before
 * 1.0 its head comes twice. MHD does not say which request it is; nearly always it is the one that
 * began last.
 */
static void on_refusal(void *self, int status)
{
    const struct http_loop *loop = self;
    const struct list *reading = &loop->connections.queues[HTTP_QUEUE_REQUEST];
    struct list_link *link = list_is_empty(reading) ? NULL : reading->ends.previous;

    for (; link; link = list_previous(reading, link))
        if (http_request_refuse(CONTAINER_OF(link, struct http_connection, queued), status))
            return;
    http_failure_report_refusal(&loop->http->options, status);
}

void http_loop_count_out(struct http_loop *loop, const struct http_address *address)
{
    struct http *http = loop->http;

    if (address)
        http_addresses_leave(http->addresses, *address);
    atomic_fetch_sub_explicit(&loop->load, 1, memory_order_relaxed);

    /* Both waiters check the count before they sleep on their event, so the count is first. */
    size_t before = atomic_fetch_sub(&http->connections, 1);

    if (before == http->options.max_connections)
        (void)eventfd_write(http->room_event, 1);
    if (before == 1 && atomic_load(&http->draining))
        (void)eventfd_write(http->empty_event, 1);
}

void http_loop_add(struct http_loop *loop, const struct http_arrival *arrival)
{
    atomic_fetch_add_explicit(&loop->load, 1, memory_order_relaxed);
    http_inbox_add_arrival(&loop->inbox, arrival);
}

/* MHD closes the descriptor when it refuses it, whether it has started the connection or not. */
void http_loop_serve(struct http_loop *loop, const struct http_arrival *arrival)
{
    const struct http_daemon *daemon = arrival->endpoint->tls ? &loop->secure : &loop->plain;
    socklen_t len = arrival->peer.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                        : sizeof(struct sockaddr_in);

    loop->adding = arrival;
    (void)MHD_add_connection(daemon->mhd, arrival->fd, (const struct sockaddr *)&arrival->peer,
                             len);
    if (loop->adding)
        http_loop_count_out(loop, arrival->proxied ? NULL : &arrival->address);
    loop->adding = NULL;
}

static void take_arrival(struct http_loop *loop, const struct http_arrival *arrival)
{
    if (arrival->endpoint->proxy_protocol)
        http_arrivals_add(loop, arrival);
    else
        http_loop_serve(loop, arrival);
}

/* Wake-ups. */

static void on_wake(struct waker waker)
{
    struct http_loop *loop = waker.target;

    http_inbox_add_token(&loop->inbox, waker.token);
}

struct waker http_loop_waker(struct http_connection *connection)
{
    struct http_loop *loop = connection->loop;
    uint64_t token = http_wakeups_add(&loop->wakeups, connection);

    connection->exchange->token = token;
    return (struct waker){ on_wake, loop, token };
}

void http_loop_forget_waker(struct http_connection *connection)
{
    http_wakeups_remove(&connection->loop->wakeups, connection->exchange->token);
}

static void take_token(struct http_loop *loop, uint64_t token)
{
    struct http_connection *connection = http_wakeups_find(&loop->wakeups, token);

    if (connection && connection->state == HTTP_SUSPENDED)
        http_request_resume(connection, HANDLER_WOKEN);
}

/* Tokens beyond the slice go back into the inbox, for the next turn. */
static void read_inbox(struct http_loop *loop)
{
    const struct http_messages *messages = http_inbox_take(&loop->inbox);

    for (size_t i = 0; i < messages->arrival_count; i++)
        take_arrival(loop, &messages->arrivals[i]);
    begin_slice(loop);
    for (size_t i = 0; i < messages->token_count; i++)
        if (http_loop_has_time(loop, SIZE_MAX))
            take_token(loop, messages->tokens[i]);
        else
            http_inbox_add_token(&loop->inbox, messages->tokens[i]);
}

/* A turn. */

static bool is_waiting(const struct http_loop *loop, enum http_queue queue)
{
    return http_connections_first(&loop->connections, queue) != NULL;
}

/*
 * Milliseconds until MHD wants a turn. When a line between chunks is longer than its buffer, 0.9.75
 * wants one at once, again and again, until the deadline and beyond; then it gets a pause. A short
 * one while it may be sending, which it does not signal either.
 */
static int64_t mhd_timeout_ms(struct http_loop *loop)
{
    int64_t plain_ms = http_daemon_timeout_ms(&loop->plain);
    int64_t secure_ms = http_daemon_timeout_ms(&loop->secure);
    int64_t ms = plain_ms < secure_ms ? plain_ms : secure_ms;

    loop->futile_turns = ms > 0 || loop->progressed ? 0 : loop->futile_turns + 1;
    if (loop->futile_turns <= FUTILE_TURNS_MAX ||
        !(is_waiting(loop, HTTP_QUEUE_REQUEST) || is_waiting(loop, HTTP_QUEUE_CLOSING)))
        return ms;
    return is_waiting(loop, HTTP_QUEUE_SENDING) ? FUTILE_TURN_SENDING_MS : FUTILE_TURN_MS;
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

/* When the loop itself, without MHD, has something to do; INT64_MAX: it has not. */
static int64_t next_due_us(const struct http_loop *loop)
{
    int64_t due_us = loop->deadline_us;
    int64_t log_us = log_waiting_since_us();

    due_us = earlier(due_us, http_trim_due_us(&loop->trim));
    due_us = earlier(due_us, http_linger_due_us(&loop->linger));
    if (log_us)
        due_us = earlier(due_us, log_us + LOG_DELAY_US);
    if (UNLIKELY(atomic_load_explicit(&loop->http->room_wanted, memory_order_relaxed)))
        due_us = earlier(due_us, clock_monotonic_us() + NEWCOMER_US);
    return due_us;
}

static int poll_timeout_ms(struct http_loop *loop)
{
    int64_t ms = mhd_timeout_ms(loop);

    if (loop->resumed || ms == 0)
        return 0;

    int64_t due_us = next_due_us(loop);

    if (due_us < INT64_MAX) {
        int64_t left_us = due_us - clock_monotonic_us();

        ms = left_us <= 0 ? 0 : earlier(ms, (left_us + US_PER_MS - 1) / US_PER_MS);
    }
    if (ms == INT64_MAX)
        return -1;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void run_daemons(struct http_loop *loop)
{
    http_daemon_run(&loop->plain);
    http_daemon_run(&loop->secure);
}

/*
 * A resumed connection's answer is begun in one run and sent in the next. Connections that must
 * wait are suspended before the next run, in which they could get what they wait for.
 */
static void run_mhd(struct http_loop *loop)
{
    int runs = loop->resumed ? 2 : 1;

    loop->resumed = false;
    loop->progressed = false;
    begin_slice(loop);
    for (int i = 0; i < runs; i++) {
        run_daemons(loop);
        http_connections_flush(&loop->connections);
        http_connections_suspend(&loop->connections);
    }
    http_linger_run(&loop->linger);
}

/* The lines of a few turns share a write. */
static void write_log(void)
{
    int64_t since_us = log_waiting_since_us();

    if (since_us && clock_monotonic_us() - since_us >= LOG_DELAY_US)
        log_flush();
}

static void turn(struct http_loop *loop)
{
    struct pollfd events[] = {
        { .fd = loop->inbox.event, .events = POLLIN },
        { .fd = loop->watch.event, .events = POLLIN },
        { .fd = loop->plain.event, .events = POLLIN },
        { .fd = loop->secure.event, .events = POLLIN },
        { .fd = loop->arrivals.event, .events = POLLIN },
    };

    (void)poll(events, COUNT_OF(events), poll_timeout_ms(loop));
    if (events[0].revents)
        read_inbox(loop);
    if (events[1].revents)
        http_watch_take(&loop->watch, http_deadlines_on_bytes);
    if (events[4].revents)
        http_arrivals_take(loop);
    run_mhd(loop);
    http_trim_run(&loop->trim);
    /* Last: what has arrived is in time. */
    loop->deadline_us = earlier(http_deadlines_expire(loop), http_arrivals_expire(loop));
    http_evict_unread(loop);
    http_evict_for_newcomer(loop);
    write_log();
    atomic_store_explicit(&loop->turned, true, memory_order_relaxed);
}

/* Start and end. */

static void stop_daemons(struct http_loop *loop)
{
    http_daemon_stop(&loop->plain);
    http_daemon_stop(&loop->secure);
}

/* MHD must not be stopped while a connection is suspended. */
static void *run_loop(void *self)
{
    struct http_loop *loop = self;

    if (loop->http->options.is_background)
        thread_lower_priority();
    log_batch();
    while (!atomic_load(&loop->stopping))
        turn(loop);
    read_inbox(loop);
    http_arrivals_close(loop);
    http_connections_abandon(&loop->connections);
    run_daemons(loop);
    stop_daemons(loop);
    log_flush();
    return NULL;
}

static bool start_daemons(struct http_loop *loop, struct error *err)
{
    for (size_t i = 0; i < loop->http->endpoint_count; i++) {
        bool tls = loop->http->endpoints[i].tls != NULL;
        struct http_daemon *daemon = tls ? &loop->secure : &loop->plain;
        const struct http_daemon_options options = { &loop->http->options, tls, on_connection,
                                                     on_refusal, loop };

        if (!daemon->mhd && !http_daemon_start(daemon, &options, err))
            return false;
    }
    return true;
}

static bool start_all(struct http_loop *loop, size_t index, struct error *err)
{
    char name[16];

    if (!http_inbox_init(&loop->inbox, err) || !http_watch_init(&loop->watch, err) ||
        !http_arrivals_init(&loop->arrivals, err) || !start_daemons(loop, err))
        return false;
    (void)snprintf(name, sizeof(name), "http-loop-%zu", index);
    loop->started = thread_start(&loop->thread, name, run_loop, loop, err);
    return loop->started;
}

bool http_loop_start(struct http *http, size_t index, struct http_loop **out, struct error *err)
{
    struct http_loop *loop = mem_alloc(sizeof(*loop));

    loop->http = http;
    loop->plain.event = -1;
    loop->secure.event = -1;
    loop->watch.event = -1;
    loop->arrivals.event = -1;
    list_init(&loop->arrivals.waiting);
    loop->deadline_us = INT64_MAX;
    http_connections_init(&loop->connections);
    http_linger_init(&loop->linger);
    atomic_init(&loop->turned, true);
    if (!start_all(loop, index, err)) {
        http_loop_stop(loop);
        return false;
    }
    *out = loop;
    return true;
}

void http_loop_stop(struct http_loop *loop)
{
    if (!loop)
        return;
    if (loop->started) {
        atomic_store(&loop->stopping, true);
        http_loop_wake(loop);
        (void)pthread_join(loop->thread, NULL); /* the thread stops the daemons, too */
    }
    stop_daemons(loop);
    http_arrivals_close(loop);
    http_linger_done(&loop->linger);
    http_watch_done(&loop->watch);
    http_inbox_done(&loop->inbox);
    http_wakeups_done(&loop->wakeups);
    http_exchanges_done(&loop->exchanges);
    mem_free(loop);
}
