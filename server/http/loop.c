/*
 * loop.c - see loop.h.
 *
 * One turn: wait for the library's epoll descriptor, our event or the next deadline; take what
 * other threads have left; note who has begun to ask; let the library work; cut who is late; write
 * the log. There is one daemon of the library for plain connections and one for TLS, if any.
 *
 * What other threads leave is taken in take_mail(): new connections, and news for suspended
 * requests. So all calls to the library stay in this thread, and the order of a turn (mail,
 * library, deadlines) lets an answer that is ready go before its deadline is looked at.
 */
#include "server/http/loop.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/http/daemon.h"
#include "server/http/failure.h"
#include "server/http/waiting.h"
#include "server/http/watch.h"

enum {
    SETTLED_US = 50 * US_PER_MS,
    LOG_DELAY_US = 10 * US_PER_MS, /* how long a line may wait for others to share its write */
    SPARE_ARENAS = 16,
    TRIM_AFTER_US = 200 * US_PER_MS,
    VICTIMS_LOOKED_AT = 64,     /* in each queue */
    PROVED_GRACE_US = US_PER_S, /* so long a connection that had a request is no victim */
    VICTIM_LOOK_US = 50 * US_PER_MS,
    VAIN_TURNS_MAX = 16,
    VAIN_TURN_MS = 10,
    VAIN_TURN_SENDING_MS = 1,
    SLICE_US = 10 * US_PER_MS, /* for requests in one run of the library, and for mail in a turn */
    SHORT = 2048,              /* bytes of a body */
    SHORT_SLICE_US = 50 * US_PER_MS, /* the same, where it is short */
};

struct http_loop {
    struct http *http;
    struct http_daemon plain;
    struct http_daemon secure;
    struct http_watch watch;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    atomic_bool turned; /* since somebody asked */
    atomic_size_t connections;
    struct http_mailbox mailbox;

    /* The thread's own. */
    const struct http_arrival *adding; /* is given to the library, which has not started it yet */
    struct http_waiting waiting;
    bool resumed;        /* the library has something to do that it does not tell */
    bool progressed;     /* something came of the last turn's run */
    unsigned vain_turns; /* that the library wanted at once, and nothing came of */
    struct http_queue reading;
    struct http_queue entering; /* waits for news, but is not suspended yet */
    struct http_queue waiting_news;
    struct http_queue sending;
    struct http_queue ending; /* cut, but the library has not noticed yet */
    struct http_queue
        starving;             /* their handshakes need more bytes, but they are not suspended yet */
    struct http_queue parked; /* and these are, until bytes come */
    struct http_queue settling; /* idle, but not for SETTLED_US yet */
    struct http_queue idle;
    struct http_id_source ids;
    struct arena *spare[SPARE_ARENAS]; /* of requests that are over */
    size_t spare_count;
    int64_t slice_us; /* when the present slice began */
    int64_t now_us;   /* as of the last request */
    int64_t heavy_us; /* when a request took much memory that is still to be given back; 0: none */
};

struct http *http_loop_server(const struct http_loop *loop)
{
    return loop->http;
}

struct http_id_source *http_loop_ids(struct http_loop *loop)
{
    return &loop->ids;
}

struct arena *http_loop_take_arena(struct http_loop *loop)
{
    return loop->spare_count ? loop->spare[--loop->spare_count] : arena_create();
}

void http_loop_give_arena(struct http_loop *loop, struct arena *arena)
{
    if (!arena)
        return;
    if (loop->spare_count == SPARE_ARENAS) {
        arena_destroy(arena);
        return;
    }
    arena_reset(arena);
    loop->spare[loop->spare_count++] = arena;
}

size_t http_loop_load(const struct http_loop *loop)
{
    return atomic_load_explicit(&loop->connections, memory_order_relaxed);
}

void http_loop_wake(struct http_loop *loop)
{
    http_mailbox_ring(&loop->mailbox);
}

/* Deadlines. */

int64_t http_loop_await_request(struct http_connection *connection, int64_t now_us)
{
    struct http_queue *reading = &connection->loop->reading;

    if (connection->deadline.queue != reading)
        http_deadline_arm(&connection->deadline, reading, now_us);
    return connection->deadline.since_us;
}

void http_loop_await_news(struct http_connection *connection)
{
    http_deadline_arm(&connection->deadline, &connection->loop->entering,
                      connection->exchange.started_us);
}

void http_loop_await_sent(struct http_connection *connection, int64_t now_us)
{
    http_deadline_arm(&connection->deadline, &connection->loop->sending, now_us);
}

void http_loop_await_next(struct http_connection *connection, int64_t now_us)
{
    http_deadline_arm(&connection->deadline, &connection->loop->settling, now_us);
}

static struct http_connection *first_in(const struct http_queue *queue)
{
    return (struct http_connection *)(void *)queue->first;
}

static bool is_due(const struct http_queue *queue, int64_t limit_us, int64_t now_us)
{
    return queue->first && now_us - queue->first->since_us >= limit_us;
}

/*
 * Handshakes. While one waits for bytes the library would call for it all the time, keeping the
 * processor busy for whoever stops halfway. So the connection is suspended until there are some.
 */

static struct http_connection *connection_of(void *member, size_t offset)
{
    return (struct http_connection *)(void *)((char *)member - offset);
}

static void handshake_starves(struct http_tls_session *session)
{
    struct http_connection *connection =
        connection_of(session, offsetof(struct http_connection, tls));

    (void)http_loop_await_request(connection, clock_monotonic_us()); /* it has begun at least */
    http_deadline_arm(&connection->parking, &connection->loop->starving, 0);
}

/* The client's part is done; what it sends from now on is a request. */
static void handshake_ends(struct http_tls_session *session)
{
    struct http_connection *connection =
        connection_of(session, offsetof(struct http_connection, tls));

    connection->used = true;
    http_deadline_disarm(&connection->parking); /* it has starved and been fed in the same run */
    http_loop_await_next(connection, clock_monotonic_us());
}

static struct http_connection *first_parked(const struct http_queue *queue)
{
    return connection_of(queue->first, offsetof(struct http_connection, parking));
}

static void watch(struct http_connection *connection)
{
    http_watch_add(&connection->loop->watch, connection->fd, connection, connection->watched);
    connection->watched = true;
}

static void park_starving(struct http_loop *loop)
{
    while (loop->starving.first) {
        struct http_connection *connection = first_parked(&loop->starving);

        MHD_suspend_connection(connection->library);
        http_deadline_arm(&connection->parking, &loop->parked, 0);
        watch(connection);
    }
}

static bool is_parked(const struct http_connection *connection)
{
    return connection->parking.queue == &connection->loop->parked;
}

static void unpark(struct http_connection *connection)
{
    http_deadline_disarm(&connection->parking);
    connection->loop->resumed = true;
    MHD_resume_connection(connection->library);
}

/* The library sees the end of the stream and closes; it must not be closed under its hands. */
static void cut(struct http_connection *connection)
{
    connection->exchange.cut = true;
    http_deadline_arm(&connection->deadline, &connection->loop->ending, 0);
    (void)shutdown(connection->fd, SHUT_RDWR);
    if (is_parked(connection))
        unpark(connection);
}

static void cut_due(struct http_queue *queue, int64_t limit_us, int64_t now_us)
{
    while (is_due(queue, limit_us, now_us))
        cut(first_in(queue));
}

/* A byte on an idle connection: from now on the deadline runs. */
static void bytes_come(struct http_connection *connection)
{
    struct http_loop *loop = connection->loop;

    if (is_parked(connection))
        unpark(connection);
    if (connection->deadline.queue != &loop->idle)
        return; /* it has been idle, but the library was faster */
    if (http_watch_is_ended(connection->fd))
        cut(connection);
    else
        http_deadline_arm(&connection->deadline, &loop->reading, clock_monotonic_us());
}

/*
 * The library misses the end of a stream that came together with the request before it. Few
 * connections stay idle for long, so that looking at those that do costs little.
 */
static void settle(struct http_connection *connection, int64_t now_us)
{
    struct http_loop *loop = connection->loop;
    int64_t since_us = connection->deadline.since_us;

    if (http_watch_is_ended(connection->fd)) {
        cut(connection);
    } else if (http_watch_has_heard(connection->fd, !connection->used, now_us - since_us)) {
        http_deadline_arm(&connection->deadline, &loop->reading, since_us);
    } else {
        http_deadline_arm(&connection->deadline, &loop->idle, since_us);
        watch(connection);
    }
}

static void settle_due(struct http_loop *loop, int64_t now_us)
{
    while (is_due(&loop->settling, SETTLED_US, now_us))
        settle(first_in(&loop->settling), now_us);
}

/* The library has it back, answered or to be closed. */
static void resume(struct http_connection *connection)
{
    if (connection->exchange.cut)
        http_deadline_disarm(&connection->deadline);
    connection->loop->resumed = true;
    MHD_resume_connection(connection->library);
}

static void bring_news(struct http_connection *connection, enum resume_reason reason)
{
    if (http_request_go_on(connection, reason))
        resume(connection);
}

static void expire_due(struct http_queue *queue, int64_t limit_us, int64_t now_us)
{
    while (is_due(queue, limit_us, now_us))
        bring_news(first_in(queue), HANDLER_EXPIRED);
}

/* Answers that are not taken may have as much memory as bodies; beyond that the oldest are cut. */
static void cut_untaken(struct http_loop *loop)
{
    struct http *http = loop->http;
    struct http_deadline *waiting = loop->sending.first;

    while (waiting && atomic_load_explicit(&http->untaken, memory_order_relaxed) >
                          http->options.max_inflight_bytes) {
        struct http_connection *connection = (struct http_connection *)(void *)waiting;
        struct http_exchange *ex = &connection->exchange;

        waiting = waiting->behind;
        if (!ex->untaken)
            continue;
        atomic_fetch_sub_explicit(&http->untaken, ex->untaken, memory_order_relaxed);
        ex->untaken = 0;
        cut(connection);
    }
}

static void cut_the_late(struct http_loop *loop)
{
    const struct http_options *options = &loop->http->options;
    int64_t now_us = clock_monotonic_us();

    cut_due(&loop->reading, options->deadline_us, now_us);
    expire_due(&loop->waiting_news, options->deadline_us, now_us);
    cut_due(&loop->sending, options->idle_timeout_us, now_us);
    cut_untaken(loop);
    settle_due(loop, now_us);
    cut_due(&loop->idle, atomic_load(&loop->http->idle_limit_us), now_us);
}

static bool is_room_wanted(const struct http_loop *loop)
{
    return atomic_load_explicit(&loop->http->room_wanted, memory_order_relaxed);
}

/* A connection that may be closed to make room for a newcomer. */
struct victim {
    struct http_connection *connection;
    int64_t weight;
    int64_t age_us;
};

/* Of those that wait longest: the one that, with all of its address, takes slots for longest. */
static void look_for_victim(const struct http_queue *queue, int64_t now_us, struct victim *victim)
{
    const struct http_deadline *waiting = queue->first;

    for (size_t i = 0; waiting && i < VICTIMS_LOOKED_AT; i++, waiting = waiting->behind) {
        struct http_connection *connection = (struct http_connection *)(void *)waiting;
        struct http_addresses *addresses = connection->loop->http->addresses;
        size_t count = http_addresses_count(addresses, connection->address);
        int64_t age_us = now_us - waiting->since_us;
        int64_t weight = (age_us + 1) * (int64_t)(count ? count : 1);
        bool spared = connection->proved && age_us < PROVED_GRACE_US;

        if (!spared && weight > victim->weight)
            *victim = (struct victim){ connection, weight, age_us };
    }
}

/*
 * A newcomer waits: close the connection that has sent nothing whole for longest, weighed by how
 * many its address has, unless all are busy. Another loop may be quicker.
 */
static void make_room(struct http_loop *loop)
{
    struct victim victim = { 0 };

    if (LIKELY(!is_room_wanted(loop)))
        return;

    int64_t now_us = clock_monotonic_us();

    look_for_victim(&loop->reading, now_us, &victim);
    look_for_victim(&loop->idle, now_us, &victim);
    look_for_victim(&loop->settling, now_us, &victim);
    /* It is new: it must have the time to send its request. */
    if (victim.age_us < SETTLED_US)
        return;
    if (victim.connection && atomic_exchange(&loop->http->room_wanted, false))
        cut(victim.connection);
}

/* The earlier of `due_us` and `delay_us` after `since_us`; since 0: nothing is due. */
static int64_t sooner_after(int64_t due_us, int64_t since_us, int64_t delay_us)
{
    return since_us && since_us + delay_us < due_us ? since_us + delay_us : due_us;
}

static int64_t sooner(int64_t due_us, const struct http_queue *queue, int64_t limit_us)
{
    return queue->first ? sooner_after(due_us, queue->first->since_us, limit_us) : due_us;
}

/*
 * The allocator keeps what a large body's tree took. Some time later, so that a stream of large
 * bodies does not pay for it each time, it is asked to give back what is free.
 */
static void trim_memory(struct http_loop *loop)
{
    if (!loop->heavy_us || clock_monotonic_us() - loop->heavy_us < TRIM_AFTER_US)
        return;
    loop->heavy_us = 0;
    mem_trim();
}

void http_loop_note_progress(struct http_loop *loop)
{
    loop->progressed = true;
}

void http_loop_note_time(struct http_loop *loop, int64_t now_us)
{
    loop->now_us = now_us;
}

bool http_loop_has_time(const struct http_loop *loop, size_t len)
{
    return loop->now_us - loop->slice_us < (len <= SHORT ? SHORT_SLICE_US : SLICE_US);
}

static void begin_slice(struct http_loop *loop)
{
    loop->slice_us = clock_monotonic_us();
    loop->now_us = loop->slice_us;
}

void http_loop_note_heavy(struct http_loop *loop)
{
    if (!loop->heavy_us)
        loop->heavy_us = clock_monotonic_us();
}

/*
 * Milliseconds until the library wants a turn. When a line between chunks is longer than its buffer
 * it wants one at once, and again, until the deadline and beyond (0.9.75); for that it has to wait
 * a little. Less, when it may be sending, of which it does not tell either.
 */
static int64_t library_patience_ms(struct http_loop *loop)
{
    int64_t plain_ms = http_daemon_patience_ms(&loop->plain);
    int64_t secure_ms = http_daemon_patience_ms(&loop->secure);
    int64_t ms = plain_ms < secure_ms ? plain_ms : secure_ms;

    loop->vain_turns = ms > 0 || loop->progressed ? 0 : loop->vain_turns + 1;
    if (loop->vain_turns <= VAIN_TURNS_MAX || (!loop->reading.first && !loop->ending.first))
        return ms;
    return loop->sending.first ? VAIN_TURN_SENDING_MS : VAIN_TURN_MS;
}

/* Milliseconds until the library or a deadline wants a turn; -1: neither does. */
static int patience(struct http_loop *loop)
{
    const struct http_options *options = &loop->http->options;
    int64_t library_ms = library_patience_ms(loop);

    if (loop->resumed || library_ms == 0)
        return 0;

    int64_t due_us = INT64_MAX;

    due_us = sooner(due_us, &loop->reading, options->deadline_us);
    due_us = sooner(due_us, &loop->waiting_news, options->deadline_us);
    due_us = sooner(due_us, &loop->sending, options->idle_timeout_us);
    due_us = sooner(due_us, &loop->settling, SETTLED_US);
    due_us = sooner(due_us, &loop->idle, atomic_load(&loop->http->idle_limit_us));
    due_us = sooner_after(due_us, loop->heavy_us, TRIM_AFTER_US);
    if (UNLIKELY(is_room_wanted(loop)))
        due_us = sooner_after(due_us, clock_monotonic_us(), VICTIM_LOOK_US);
    due_us = sooner_after(due_us, log_waiting_since_us(), LOG_DELAY_US);

    int64_t ms = INT64_MAX;

    if (due_us < INT64_MAX) {
        int64_t left_us = due_us - clock_monotonic_us();

        ms = left_us <= 0 ? 0 : (left_us + US_PER_MS - 1) / US_PER_MS;
    }
    if (library_ms < ms)
        ms = library_ms;
    if (ms == INT64_MAX)
        return -1;
    return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* Connections come and go. */

static void count_out(struct http_loop *loop)
{
    struct http *http = loop->http;

    atomic_fetch_sub_explicit(&loop->connections, 1, memory_order_relaxed);

    /* Both waiters look at the count, then sleep on their event; we lower it, then post. */
    size_t before = atomic_fetch_sub(&http->connections, 1);

    if (before == http->options.max_connections)
        (void)eventfd_write(http->room_event, 1);
    if (before == 1 && atomic_load(&http->draining))
        (void)eventfd_write(http->empty_event, 1);
}

static void begin_tls(struct http_connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->library, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    connection->tls.fd = connection->fd;
    connection->tls.starved = handshake_starves;
    connection->tls.finished = handshake_ends;
    if (info)
        http_tls_begin(connection->site->tls, info->tls_session, &connection->tls,
                       connection->loop->http->options.deadline_us);
}

static void connection_start(struct http_loop *loop, struct MHD_Connection *library, void **context)
{
    struct http_connection *connection = mem_alloc(sizeof(*connection));

    connection->loop = loop;
    connection->library = library;
    connection->site = loop->adding->site;
    connection->address = loop->adding->address;
    connection->proxied = loop->adding->proxied;
    connection->fd = loop->adding->fd;
    loop->adding = NULL;
    if (connection->site->tls)
        begin_tls(connection);
    http_loop_await_next(connection, clock_monotonic_us());
    *context = connection;
}

static void tell_failure(struct http_connection *connection, bool tls, const char *reason,
                         const char *detail)
{
    const struct http_options *options = &connection->loop->http->options;

    if (options->failed)
        options->failed(options->self,
                        &(struct http_failure){ tls, reason, detail, connection->address });
}

/* A connection ends: was there anything on it that was not understood? */
static void look_for_failure(struct http_connection *connection)
{
    bool late = connection->exchange.cut;

    if (connection->used)
        return;
    if (connection->site->tls) {
        const char *detail;
        const char *reason = http_tls_failure(&connection->tls, &detail);

        if (reason)
            tell_failure(connection, true, late ? "late" : reason, detail);
    } else if (http_watch_is_unanswered(connection->fd)) {
        tell_failure(connection, false, late ? "late" : "not_http", NULL);
    }
}

static void on_connection(void *self, struct MHD_Connection *library, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_connection *connection = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_start(self, library, context);
        return;
    }
    if (!connection)
        return;
    look_for_failure(connection);
    http_deadline_disarm(&connection->deadline);
    http_deadline_disarm(&connection->parking);
    if (connection->watched)
        http_watch_drop(&connection->loop->watch, connection->fd);
    http_tls_end(&connection->tls);
    if (!connection->proxied)
        http_addresses_leave(connection->loop->http->addresses, connection->address);
    count_out(connection->loop);
    mem_free(connection);
    *context = NULL;
}

/* Before its head was whole. */
static void tell_refusal(const struct http_loop *loop, int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = { { 414, "too_long" }, { 431, "too_long" }, { 505, "version" } };
    const struct http_options *options = &loop->http->options;
    struct http_failure failure = { .reason = "malformed" };

    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            failure.reason = reasons[i].reason;
    if (options->failed)
        options->failed(options->self, &failure);
}

/*
 * The head of a request is whole, and the library refuses it: its own page has neither JSON nor an
 * id, and before 1.0 its head comes twice. Which request that is it does not say; it is nearly
 * always the one that began last.
 */
static void on_refusal(void *self, int status)
{
    const struct http_loop *loop = self;

    for (struct http_deadline *member = loop->reading.last; member; member = member->before)
        if (http_request_refuse((struct http_connection *)(void *)member, status))
            return;
    tell_refusal(loop, status);
}

void http_loop_add(struct http_loop *loop, const struct http_arrival *arrival)
{
    atomic_fetch_add_explicit(&loop->connections, 1, memory_order_relaxed);
    http_mailbox_add_arrival(&loop->mailbox, arrival);
}

/* The library closes the descriptor when it does not want it, whether it had started it or not. */
static void admit(struct http_loop *loop, const struct http_arrival *arrival)
{
    socklen_t len = arrival->peer.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                        : sizeof(struct sockaddr_in);

    const struct http_daemon *daemon = arrival->site->tls ? &loop->secure : &loop->plain;

    loop->adding = arrival;
    (void)MHD_add_connection(daemon->library, arrival->fd, (const struct sockaddr *)&arrival->peer,
                             len);
    if (loop->adding) {
        loop->adding = NULL;
        if (!arrival->proxied)
            http_addresses_leave(loop->http->addresses, arrival->address);
        count_out(loop);
    }
}

/* News for the suspended. */

static void wake(struct waker waker)
{
    struct http_loop *loop = waker.target;

    http_mailbox_add_token(&loop->mailbox, waker.token);
}

struct waker http_loop_waker(struct http_connection *connection)
{
    struct http_loop *loop = connection->loop;
    uint64_t token = http_waiting_enter(&loop->waiting, connection);

    connection->exchange.token = token;
    return (struct waker){ wake, loop, token };
}

void http_loop_forget_waker(struct http_connection *connection)
{
    http_waiting_leave(&connection->loop->waiting, connection->exchange.token);
}

static void take_token(struct http_loop *loop, uint64_t token)
{
    struct http_connection *connection = http_waiting_find(&loop->waiting, token);

    if (connection && connection->exchange.stage == HTTP_WAITING)
        bring_news(connection, HANDLER_WOKEN);
}

static void take_mail(struct http_loop *loop)
{
    const struct http_mail *mail = http_mailbox_take(&loop->mailbox);

    for (size_t i = 0; i < mail->arrival_count; i++)
        admit(loop, &mail->arrivals[i]);
    begin_slice(loop);
    for (size_t i = 0; i < mail->token_count; i++)
        if (http_loop_has_time(loop, SIZE_MAX))
            take_token(loop, mail->tokens[i]);
        else
            http_mailbox_add_token(&loop->mailbox, mail->tokens[i]);
}

/*
 * Not in the handler's call: the library would not note that the request is whole. When it got
 * the connection back it would read first, and take the end of the sender's stream for the end of
 * its interest in an answer.
 */
static void suspend_entering(struct http_loop *loop)
{
    while (loop->entering.first) {
        struct http_connection *connection = first_in(&loop->entering);

        MHD_suspend_connection(connection->library);
        http_deadline_arm(&connection->deadline, &loop->waiting_news,
                          connection->deadline.since_us);
    }
}

static void run_daemons(struct http_loop *loop)
{
    http_daemon_run(&loop->plain);
    http_daemon_run(&loop->secure);
}

/* The library must not be stopped while a connection is suspended. */
static void abandon_waiting(struct http_loop *loop)
{
    while (loop->waiting_news.first) {
        struct http_connection *connection = first_in(&loop->waiting_news);

        connection->exchange.cut = true;
        resume(connection);
    }
    while (loop->parked.first)
        unpark(first_parked(&loop->parked));
    run_daemons(loop);
}

/* Lines of a few turns share a write. */
static void write_log(void)
{
    int64_t since_us = log_waiting_since_us();

    if (since_us && clock_monotonic_us() - since_us >= LOG_DELAY_US)
        log_flush();
}

/*
 * A resumed connection's answer is begun in one run and sent in the next. What is to be suspended
 * is suspended before the next run, in which it could get what it waits for.
 */
static void run_library(struct http_loop *loop)
{
    int runs = loop->resumed ? 2 : 1;

    loop->resumed = false;
    loop->progressed = false;
    begin_slice(loop);
    for (int i = 0; i < runs; i++) {
        run_daemons(loop);
        suspend_entering(loop);
        park_starving(loop);
    }
}

static void turn(struct http_loop *loop)
{
    struct pollfd events[] = {
        { .fd = loop->mailbox.event, .events = POLLIN },
        { .fd = loop->watch.event, .events = POLLIN },
        { .fd = loop->plain.event, .events = POLLIN },
        { .fd = loop->secure.event, .events = POLLIN },
    };

    (void)poll(events, COUNT_OF(events), patience(loop));
    if (events[0].revents)
        take_mail(loop);
    if (events[1].revents)
        http_watch_take(&loop->watch, bytes_come);
    run_library(loop);
    trim_memory(loop);
    cut_the_late(loop); /* last: what has arrived by now was in time */
    make_room(loop);
    write_log();
    atomic_store_explicit(&loop->turned, true, memory_order_relaxed);
}

bool http_loop_ask(struct http_loop *loop)
{
    bool turned = atomic_exchange(&loop->turned, false);

    http_loop_wake(loop);
    return turned;
}

static void stop_daemons(struct http_loop *loop)
{
    http_daemon_stop(&loop->plain);
    http_daemon_stop(&loop->secure);
}

static void *run(void *self)
{
    struct http_loop *loop = self;

    log_batch();
    while (!atomic_load(&loop->stopping))
        turn(loop);
    take_mail(loop);
    abandon_waiting(loop);
    stop_daemons(loop);
    log_flush();
    return NULL;
}

static bool start_daemons(struct http_loop *loop, struct error *err)
{
    for (size_t i = 0; i < loop->http->site_count; i++) {
        bool tls = loop->http->sites[i].tls != NULL;
        struct http_daemon *daemon = tls ? &loop->secure : &loop->plain;
        const struct http_daemon_options options = { &loop->http->options, tls, on_connection,
                                                     on_refusal, loop };

        if (!daemon->library && !http_daemon_start(daemon, &options, err))
            return false;
    }
    return true;
}

static bool open_all(struct http_loop *loop, size_t index, struct error *err)
{
    char name[16];

    if (!http_mailbox_init(&loop->mailbox, err) || !http_watch_init(&loop->watch, err) ||
        !start_daemons(loop, err))
        return false;
    (void)snprintf(name, sizeof(name), "http-loop-%zu", index);
    loop->started = thread_start(&loop->thread, name, run, loop, err);
    return loop->started;
}

bool http_loop_start(struct http *http, size_t index, struct http_loop **out, struct error *err)
{
    struct http_loop *loop = mem_alloc(sizeof(*loop));

    loop->http = http;
    loop->plain.event = -1;
    loop->secure.event = -1;
    loop->watch.event = -1;
    atomic_init(&loop->turned, true);
    if (!open_all(loop, index, err)) {
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
        (void)pthread_join(loop->thread, NULL); /* it stops the daemon, too */
    }
    stop_daemons(loop);
    http_watch_done(&loop->watch);
    http_mailbox_done(&loop->mailbox);
    http_waiting_done(&loop->waiting);
    while (loop->spare_count)
        arena_destroy(loop->spare[--loop->spare_count]);
    mem_free(loop);
}
