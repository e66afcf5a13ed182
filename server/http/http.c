/*
 * http.c - starting, draining and stopping; see http.h.
 */
#include "server/http/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/http/accept.h"
#include "server/http/http_internal.h"
#include "server/http/listen.h"
#include "server/http/loop.h"

enum {
    OTHER_DESCRIPTORS = 128,         /* store, sinks, log and threads; not for connections */
    DRAIN_IDLE_US = 500 * US_PER_MS, /* how long a connection may be idle in a drain, */
    DRAIN_IDLE_SHARE = 4,            /* but at most a quarter of the drain's time */
    LACK_REPORTED_US = US_PER_S,     /* how long http_lacks_memory() remembers a refusal */
};

/* Start. */

/* MHD panics only when its own state is broken: log it, then abort. */
static void on_panic(void *self, const char *file, unsigned line, const char *reason)
{
    (void)self;
    (void)file;
    LOG_EVENT(LOG_ERROR, "http_mhd_broken", LOG_STR("reason", str_from_c(reason)),
              LOG_INT("line", line));
    log_flush();
    abort();
}

/* As many connections as there are descriptors for, after raising the limit as far as allowed. */
static size_t affordable_connections(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = { limit.rlim_max, limit.rlim_max };

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wanted + OTHER_DESCRIPTORS)
        return wanted;

    size_t affordable = limit.rlim_cur > (rlim_t)OTHER_DESCRIPTORS * 2
                            ? limit.rlim_cur - OTHER_DESCRIPTORS
                            : limit.rlim_cur / 2;

    if (affordable >= wanted)
        return wanted;
    LOG_EVENT(LOG_WARN, "max_connections_lowered", LOG_INT("configured", wanted),
              LOG_INT("max_connections", affordable), LOG_INT("descriptors", limit.rlim_cur));
    return affordable;
}

static size_t cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);

    long online = sysconf(_SC_NPROCESSORS_ONLN);

    return online > 0 ? (size_t)online : 1;
}

static void set_limits(struct http *http)
{
    struct http_options *options = &http->options;

    options->max_connections = affordable_connections(options->max_connections);
    http->in_flight.max = options->max_in_flight ? options->max_in_flight : SIZE_MAX;
    http->bytes.max = options->max_inflight_bytes;
    rate_init(&http->rate, options->rate_limit);
    atomic_init(&http->idle_limit_us, options->idle_timeout_us);
    http->addresses = http_addresses_create(
        options->max_connections,
        options->max_connections_per_address ? options->max_connections_per_address : SIZE_MAX);
}

static bool open_endpoint(struct http_endpoint *endpoint, const struct http_listener *listener,
                          struct error *err)
{
    endpoint->tls = listener->tls;
    return http_listen(listener, &endpoint->fd, &endpoint->port, err);
}

static bool open_endpoints(struct http *http, const struct http_options *options, struct error *err)
{
    struct http_handlers *lists = mem_alloc_array(options->listener_count, sizeof(lists[0]));

    for (size_t i = 0; i < options->listener_count; i++)
        lists[i] = options->listeners[i].handlers;
    atomic_init(&http->handlers, http_handler_set_create(lists, options->listener_count));
    mem_free(lists);
    http->endpoints = mem_alloc_array(options->listener_count, sizeof(http->endpoints[0]));
    for (size_t i = 0; i < options->listener_count; i++) {
        http->endpoints[i].index = i;
        http->endpoints[i].fd = -1;
        http->endpoints[i].proxy_protocol = i == 0 && options->proxy_protocol;
        http->endpoint_count++;
        if (!open_endpoint(&http->endpoints[i], &options->listeners[i], err))
            return false;
    }
    return true;
}

static bool start_loops(struct http *http, struct error *err)
{
    size_t count = http->options.threads ? http->options.threads : cores();

    http->loops = mem_alloc_array(count, sizeof(struct http_loop *));
    for (size_t i = 0; i < count; i++) {
        if (!http_loop_start(http, i, &http->loops[i], err))
            return false;
        http->loop_count++;
    }
    return true;
}

static bool open_events(struct http *http, struct error *err)
{
    http->room_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    http->empty_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (http->room_event < 0 || http->empty_event < 0)
        return fail_errno(err, ERR_SYSTEM, errno, "eventfd");
    return true;
}

bool http_start(const struct http_options *options, struct http **out, struct error *err)
{
    struct http *http = mem_alloc(sizeof(*http));

    MHD_set_panic_func(on_panic, NULL);
    http->options = *options;
    http->options.listeners = NULL;
    http->room_event = -1;
    http->empty_event = -1;
    set_limits(http);
    if (!open_endpoints(http, options, err) || !open_events(http, err) || !start_loops(http, err) ||
        !http_acceptor_start(http, &http->acceptor, err)) {
        http_stop(http);
        return false;
    }
    *out = http;
    return true;
}

struct http_handler_set *http_replace_handlers(struct http *http, const struct http_handlers *lists)
{
    return atomic_exchange(&http->handlers, http_handler_set_create(lists, http->endpoint_count));
}

/* State. */

uint16_t http_port(const struct http *http, size_t index)
{
    return http->endpoints[index].port;
}

size_t http_connections(const struct http *http)
{
    return atomic_load(&http->connections);
}

size_t http_inflight_bytes(const struct http *http)
{
    return atomic_load(&http->bytes.used);
}

bool http_lacks_memory(const struct http *http)
{
    int64_t lacked_us = atomic_load(&http->memory_lacked_us);

    return lacked_us && clock_monotonic_us() - lacked_us < LACK_REPORTED_US;
}

bool http_is_turning(struct http *http)
{
    bool turning = http_acceptor_has_turned(http->acceptor);

    for (size_t i = 0; i < http->loop_count; i++)
        turning &= http_loop_has_turned(http->loops[i]);
    return turning;
}

/* The end. */

static void stop_accepting(struct http *http, bool sweep)
{
    http_acceptor_stop(http->acceptor, sweep);
    http->acceptor = NULL;
}

bool http_drain(struct http *http, int64_t deadline_us)
{
    struct pollfd event = { .fd = http->empty_event, .events = POLLIN };
    int64_t idle_us = (deadline_us - clock_monotonic_us()) / DRAIN_IDLE_SHARE;

    if (idle_us > DRAIN_IDLE_US)
        idle_us = DRAIN_IDLE_US;
    if (idle_us > http->options.idle_timeout_us)
        idle_us = http->options.idle_timeout_us;

    atomic_store(&http->draining, true);
    stop_accepting(http, true);
    atomic_store(&http->idle_limit_us, idle_us > 0 ? idle_us : 0);
    for (size_t i = 0; i < http->loop_count; i++)
        http_loop_wake(http->loops[i]);
    while (http_connections(http) > 0) {
        int64_t left_us = deadline_us - clock_monotonic_us();

        if (left_us <= 0)
            return false;
        (void)poll(&event, 1, (int)(left_us / US_PER_MS + 1));
        if (event.revents)
            (void)eventfd_read(http->empty_event, &(eventfd_t){ 0 });
    }
    return true;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    stop_accepting(http, false);
    for (size_t i = 0; i < http->loop_count; i++)
        http_loop_stop(http->loops[i]);
    for (size_t i = 0; i < http->endpoint_count; i++)
        if (http->endpoints[i].fd >= 0)
            (void)close(http->endpoints[i].fd);
    http_handler_set_destroy(atomic_load(&http->handlers));
    if (http->room_event >= 0)
        (void)close(http->room_event);
    if (http->empty_event >= 0)
        (void)close(http->empty_event);
    http_addresses_destroy(http->addresses);
    mem_free(http->endpoints);
    mem_free(http->loops);
    mem_free(http);
}
