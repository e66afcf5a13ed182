/*
 * failure.c - see failure.h.
 */
#include "server/http/failure.h"

#include <pthread.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "server/http/connection.h"
#include "server/http/loop.h"
#include "server/http/watch.h"

enum { LINES_PER_S = 10 };

/* For all reasons: a flood of one may hide another in the log for a second, but not in metrics. */
static struct {
    pthread_mutex_t mutex;
    int64_t since_us;
    int64_t lines;
    int64_t spared;
} budget = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* True: one more line may be written, after `spared` that were left out. */
static bool take_line(int64_t *spared)
{
    int64_t now_us = clock_monotonic_us();

    (void)pthread_mutex_lock(&budget.mutex);
    if (now_us - budget.since_us >= US_PER_S) {
        budget.since_us = now_us;
        budget.lines = 0;
    }

    bool taken = budget.lines < LINES_PER_S;

    if (taken) {
        budget.lines++;
        *spared = budget.spared;
        budget.spared = 0;
    } else {
        budget.spared++;
    }
    (void)pthread_mutex_unlock(&budget.mutex);
    return taken;
}

void http_failure_log(const struct http_failure *failure)
{
    char address[HTTP_ADDRESS_TEXT];
    int64_t spared = 0;

    if (!log_enabled(LOG_INFO) || !take_line(&spared))
        return;

    const struct log_field fields[] = {
        LOG_STR("reason", str_from_c(failure->reason)),
        LOG_STR("detail", failure->detail ? str_from_c(failure->detail) : STR_NONE),
        LOG_STR("client", failure->address.family
                              ? str_from_c(http_address_text(failure->address, address))
                              : STR_NONE),
        LOG_INT("spared", spared),
    };

    log_write(LOG_INFO, failure->tls ? "tls_handshake_failed" : "request_not_understood", fields,
              COUNT_OF(fields) - !spared);
}

static void report(const struct http_options *options, const struct http_failure *failure)
{
    if (options->failed)
        options->failed(options->self, failure);
}

void http_failure_report(const struct http_connection *connection)
{
    struct http_failure failure = { .tls = connection->endpoint->tls != NULL,
                                    .address = connection->address };

    if (connection->used)
        return;
    if (failure.tls)
        failure.reason = http_tls_failure(&connection->tls, &failure.detail);
    else if (http_watch_is_unanswered(connection->fd, connection->header_len))
        failure.reason = "not_http";
    if (!failure.reason)
        return;
    if (connection->state == HTTP_CLOSING)
        failure.reason = "late";
    report(&connection->loop->http->options, &failure);
}

void http_failure_report_refusal(const struct http_options *options, int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = { { 414, "too_long" }, { 431, "too_long" }, { 505, "version" } };
    struct http_failure failure = { .reason = "malformed" };

    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            failure.reason = reasons[i].reason;
    report(options, &failure);
}
