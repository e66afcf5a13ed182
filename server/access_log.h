/*
 * access_log.h - one log line for each request.
 *
 * Of a request it contains only the method, the path if it is a known one, sizes, well-formed
 * identifiers, and the client's address if configured.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "server/http/http.h"

/** Log clients' addresses at any level (true), or at level debug only. */
void access_log_configure(bool client_address);

/**
 * Log `summary` as the event "request": probes and scrapes at level debug, 5xx at warn (`internal`:
 * error), all others at info.
 */
void access_log(const struct http_exchange_summary *summary);
