/*
 * access_log.h - one log line per request.
 *
 * Nothing of a request is logged but its method, known path, sizes and well-formed identifiers.
 */
#pragma once

#include "server/http.h"

/** Log `summary` as the event "request". */
void access_log(const struct http_exchange_summary *summary);
