/*
 * daemon.c - see daemon.h.
 */
#include "server/http/daemon.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/http/mhd.h"
#include "server/http/request.h"
#include "server/http/tls.h"

enum {
    /* Per connection, beside the head: MHD's records of 100 headers, an answer's head, and room to
     * read bodies. MHD zeroes all of it after each request, so not more than needed. */
    POOL_REST = 8 * 1024,
};

/* The arguments quote requests, so only the format is logged. */
static void on_message(void *self, const char *format, va_list args)
{
    const struct http_daemon *daemon = self;
    int status = http_mhd_refusal(format, args);
    struct str text = str_from_c(format);

    if (status)
        daemon->on_refusal(daemon->self, status);
    if (http_mhd_is_handshake_failure(format))
        http_tls_note_failure();
    while (text.len > 0 && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (log_enabled(LOG_DEBUG))
        LOG_EVENT(LOG_DEBUG, "http_library", LOG_STR("message", text));
}

/* No percent-decoding: paths are compared as sent. */
static size_t leave_escaped(void *self, struct MHD_Connection *mhd, char *text)
{
    (void)self;
    (void)mhd;
    return strlen(text);
}

/* Longer than all deadlines of ours: the last resort when MHD misses the end of a stream. */
static intptr_t mhd_timeout_s(const struct http_options *options)
{
    int64_t longest_us = options->deadline_us > options->idle_timeout_us ? options->deadline_us
                                                                         : options->idle_timeout_us;

    return (intptr_t)(longest_us / US_PER_S + 2);
}

static struct MHD_Daemon *start_mhd(struct http_daemon *daemon,
                                    const struct http_daemon_options *options)
{
    /* TURBO saves system calls for a connection with one request, whose bytes are there (listen.c):
     * MHD reads at once, before it adds the socket to its epoll set, and closes without
     * shutdown(2). With TLS it would also close without close_notify. */
    const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                           MHD_USE_ERROR_LOG | http_mhd_flags() |
                           (options->tls ? MHD_USE_TLS : MHD_USE_TURBO);
    /* MHD may dead-lock at its own limit; the acceptor stays far below it. */
    intptr_t far_limit = INT32_MAX;
    struct MHD_OptionItem common[] = {
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)options->http->max_head + POOL_REST, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, far_limit, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, mhd_timeout_s(options->http), NULL },
        http_mhd_discipline(),
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)http_request_begin, options->self },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_request_end, options->self },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)options->on_connection, options->self },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)http_tls_priorities() },
        { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, http_tls_no_certificate() },
        { MHD_OPTION_END, 0, NULL },
    };

    return MHD_start_daemon(flags, 0, NULL, NULL, http_request_step, options->self,
                            MHD_OPTION_EXTERNAL_LOGGER, on_message, daemon, MHD_OPTION_ARRAY,
                            common, MHD_OPTION_ARRAY, options->tls ? tls : &tls[COUNT_OF(tls) - 1],
                            MHD_OPTION_END);
}

bool http_daemon_start(struct http_daemon *daemon, const struct http_daemon_options *options,
                       struct error *err)
{
    daemon->on_refusal = options->on_refusal;
    daemon->self = options->self;
    daemon->mhd = start_mhd(daemon, options);
    if (!daemon->mhd)
        return fail(err, ERR_SYSTEM, "the HTTP library does not start%s",
                    options->tls ? " with TLS" : "");

    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_EPOLL_FD);

    if (!info)
        return fail(err, ERR_SYSTEM, "the HTTP library has no epoll");
    daemon->event = info->epoll_fd;
    return true;
}

void http_daemon_run(const struct http_daemon *daemon)
{
    if (daemon->mhd)
        (void)MHD_run(daemon->mhd);
}

int64_t http_daemon_timeout_ms(const struct http_daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG ms = 0;

    if (!daemon->mhd || MHD_get_timeout(daemon->mhd, &ms) != MHD_YES || ms > INT64_MAX)
        return INT64_MAX;
    return (int64_t)ms;
}

void http_daemon_stop(struct http_daemon *daemon)
{
    if (daemon->mhd)
        MHD_stop_daemon(daemon->mhd);
    *daemon = (struct http_daemon){ .event = -1 };
}
