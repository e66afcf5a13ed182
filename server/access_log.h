/*
 * access_log.h - one log line per request.
 *
 * Nothing of a request is logged but its method, known path, sizes and well-formed identifiers,
 * and where it came from if that is wanted.
 *
 * Threads: any.
 */
#pragma once

#include <stdbool.h>

#include "server/http/http.h"

/** From now on show clients' addresses at any level, or not. Otherwise they are shown at debug. */
void access_log_configure(bool client_address);

/** Log `summary` as the event "request". */
void access_log(const struct http_exchange_summary *summary);
