/*
 * failure.h - a connection on which no request was understood: why, for log and metrics.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "server/http/addresses.h"

struct http_failure {
    bool tls;                    /* a handshake failed; else what came is no request */
    const char *reason;          /* of a small set: handlers/metrics.c has it */
    const char *detail;          /* the client's alert, for example; NULL: none */
    struct http_address address; /* of the peer; family 0: not known */
};

/** A line at level info, ten a second at most; the next one then says how many were spared. */
void http_failure_log(const struct http_failure *failure);
