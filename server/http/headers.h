/*
 * headers.h - reads the headers of a request out of MHD, into the gate and the exchange.
 *
 * Threads: called in the loop's thread.
 */
#pragma once

#include "server/http/gate.h"

struct http_connection;

/**
 * Pass all headers through `gate`, which begins as zeroes. A head with bytes that MHD does not show
 * is malformed. `line` must point to MHD's own texts.
 */
void http_headers_read(const struct http_connection *connection, const struct http_line *line,
                       struct http_gate *gate);

/** The same without a request line, which MHD does not show when it refuses the request itself. */
void http_headers_read_refused(const struct http_connection *connection, struct http_gate *gate);

/** Set up what the handler sees: ids, method, path, the headers and an arena. */
void http_headers_describe(struct http_connection *connection, const struct http_gate *gate,
                           const struct http_line *line);

/** Set the client: the peer, or the address that a trusted proxy names in X-Forwarded-For. */
void http_headers_find_client(struct http_connection *connection);
