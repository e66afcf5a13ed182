/*
 * accept.c - see accept.h.
 *
 * At max_connections nothing is accepted: new connections wait in the kernel's backlog, and a loop
 * is asked to evict an old one (evict.h). A connection above the limit of its address is accepted
 * and closed, so that it does not block the backlog for others.
 */
#include "server/http/accept.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "server/http/loop.h"

enum {
    RETRY_MS = 100, /* when the system is out of descriptors or memory */
    WARN_EVERY_US = 10 * US_PER_S,
};

struct http_acceptor {
    struct http *http;
    pthread_t thread;
    bool crowded;   /* new connections wait, at max_connections or because of `exhausted` */
    bool exhausted; /* the system had no descriptor or memory for one more */
    bool sweep;     /* set before `stopping` */
    atomic_bool stopping;
    atomic_bool turned;
    int64_t warned_us;      /* when the last warning was logged; 0: never */
    size_t next_loop;       /* where the search for the least loaded one begins */
    struct pollfd events[]; /* of http->room_event, then of the endpoints */
};

static struct http_loop *least_loaded(struct http_acceptor *acceptor)
{
    const struct http *http = acceptor->http;
    size_t best = acceptor->next_loop;

    for (size_t i = 1; i < http->loop_count; i++) {
        size_t other = (acceptor->next_loop + i) % http->loop_count;

        if (http_loop_load(http->loops[other]) < http_loop_load(http->loops[best]))
            best = other;
    }
    acceptor->next_loop = (best + 1) % http->loop_count;
    return http->loops[best];
}

static bool is_full(const struct http *http)
{
    return atomic_load(&http->connections) >= http->options.max_connections;
}

/* Rate-limited: an attack must not fill the log. */
static void warn(struct http_acceptor *acceptor, const char *event)
{
    int64_t now_us = clock_monotonic_us();

    if (acceptor->warned_us && now_us - acceptor->warned_us < WARN_EVERY_US)
        return;
    acceptor->warned_us = now_us;
    LOG_EVENT(LOG_WARN, event, LOG_INT("connections", http_connections(acceptor->http)));
}

/* While new connections wait, one of the loops must evict a connection. */
static void set_crowded(struct http_acceptor *acceptor, bool crowded)
{
    struct http *http = acceptor->http;

    if (acceptor->crowded == crowded && !acceptor->exhausted)
        return;
    acceptor->crowded = crowded;
    atomic_store(&http->room_wanted, crowded);
    if (!crowded)
        return;
    for (size_t i = 0; i < http->loop_count; i++)
        http_loop_wake(http->loops[i]);
    warn(acceptor, acceptor->exhausted ? "descriptors_exhausted" : "connections_at_limit");
}

/* False: nothing more to accept for now; that call costs nearly as much as a connection. */
static bool accept_one(struct http_acceptor *acceptor, const struct http_endpoint *endpoint)
{
    struct http *http = acceptor->http;
    struct sockaddr_storage peer = { 0 };
    socklen_t len = sizeof(peer);
    int fd = accept4(endpoint->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        bool short_of = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;

        acceptor->exhausted = short_of; /* the kernel checks this before the backlog */
        /* Other errors, except an empty backlog, belong to one connection: accept(2). */
        return !short_of && errno != EAGAIN && errno != EWOULDBLOCK;
    }
    acceptor->exhausted = false;

    struct http_arrival arrival = {
        .peer = peer,
        .endpoint = endpoint,
        .fd = fd,
        .address = http_address_of(&peer),
        .proxied = http_networks_have(&http->options.trusted_proxies, &peer),
    };

    if (!arrival.proxied && !http_addresses_enter(http->addresses, arrival.address)) {
        (void)close(fd);
        return true;
    }
    atomic_fetch_add(&http->connections, 1);
    http_loop_add(least_loaded(acceptor), &arrival);
    return true;
}

/*
 * While new connections wait, only room_event is polled. Otherwise one connection of each endpoint
 * is accepted: poll(2) says more cheaply than accept4(2) whether there are more.
 */
static void acceptor_turn(struct http_acceptor *acceptor)
{
    const struct http *http = acceptor->http;
    bool newcomers = acceptor->crowded;

    (void)poll(acceptor->events, acceptor->crowded ? 1 : 1 + http->endpoint_count,
               acceptor->exhausted ? RETRY_MS : -1);
    if (acceptor->events[0].revents)
        (void)eventfd_read(http->room_event, &(eventfd_t){ 0 });
    for (size_t i = 0; i < http->endpoint_count; i++)
        if (acceptor->exhausted || acceptor->events[1 + i].revents) {
            if (!is_full(http))
                (void)accept_one(acceptor, &http->endpoints[i]);
            newcomers = true;
        }
    for (size_t i = 0; i < http->endpoint_count; i++)
        acceptor->events[1 + i].revents = 0;
    set_crowded(acceptor, newcomers && (is_full(http) || acceptor->exhausted));
    atomic_store(&acceptor->turned, true);
}

bool http_acceptor_has_turned(struct http_acceptor *acceptor)
{
    bool turned = atomic_exchange(&acceptor->turned, false);

    (void)eventfd_write(acceptor->http->room_event, 1);
    return turned;
}

/*
 * On a busy processor a new connection does not preempt a loop: with SCHED_BATCH, see sched(7), it
 * waits for the loop to sleep and is accepted together with others. Without it the server is only
 * slower.
 */
static void yield_to_loops(void)
{
    const struct sched_param unused = { 0 };

    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &unused);
}

static void *run_acceptor(void *self)
{
    struct http_acceptor *acceptor = self;
    struct http *http = acceptor->http;

    yield_to_loops();
    while (!atomic_load(&acceptor->stopping))
        acceptor_turn(acceptor);
    atomic_store(&http->room_wanted, false);
    for (size_t i = 0; i < http->endpoint_count; i++) {
        while (acceptor->sweep && !is_full(http) && accept_one(acceptor, &http->endpoints[i]))
            continue;
        (void)close(http->endpoints[i].fd);
        http->endpoints[i].fd = -1;
    }
    return NULL;
}

bool http_acceptor_start(struct http *http, struct http_acceptor **out, struct error *err)
{
    struct http_acceptor *acceptor =
        mem_alloc(sizeof(*acceptor) + (1 + http->endpoint_count) * sizeof(acceptor->events[0]));

    acceptor->http = http;
    atomic_init(&acceptor->turned, true);
    acceptor->events[0] = (struct pollfd){ .fd = http->room_event, .events = POLLIN };
    for (size_t i = 0; i < http->endpoint_count; i++)
        acceptor->events[1 + i] = (struct pollfd){ .fd = http->endpoints[i].fd, .events = POLLIN };
    if (!thread_start(&acceptor->thread, "http-accept", run_acceptor, acceptor, err)) {
        mem_free(acceptor);
        return false;
    }
    *out = acceptor;
    return true;
}

void http_acceptor_stop(struct http_acceptor *acceptor, bool sweep)
{
    if (!acceptor)
        return;
    acceptor->sweep = sweep;
    atomic_store(&acceptor->stopping, true);
    (void)eventfd_write(acceptor->http->room_event, 1);
    (void)pthread_join(acceptor->thread, NULL);
    mem_free(acceptor);
}
