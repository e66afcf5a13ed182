/*
 * failure.h - a connection on which no request was understood: why, for log and metrics.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "server/http/addresses.h"

struct http_connection;
struct http_options;

struct http_failure {
    bool tls;                    /* the handshake failed; else the bytes are not a request */
    const char *reason;          /* one of a small set, see handlers/metrics.c */
    const char *detail;          /* for example the client's alert; NULL: none */
    struct http_address address; /* of the peer; family 0: not known */
};

/** Log it at level info, ten lines a second at most; the next line has the number left out. */
void http_failure_log(const struct http_failure *failure);

/** A connection ends: if no request on it was understood, report that to options.failed(). */
void http_failure_report(const struct http_connection *connection);

/** MHD refuses a request, with `status`, before its head is complete: report it likewise. */
void http_failure_report_refusal(const struct http_options *options, int status);
