/*
 * failure.c - see failure.h.
 */
#include "server/http/failure.h"

#include <pthread.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum { LINES_PER_S = 10 };

/* All reasons share it: a flood of one kind may hide another for a second, but counters do not. */
static struct {
    pthread_mutex_t mutex;
    int64_t since_us;
    int64_t lines;
    int64_t spared;
} budget = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* Is there a line left? Then `spared` is how many were left out before it. */
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
