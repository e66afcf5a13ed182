/*
 * request_span.h - the span of a request, with the attributes of OpenTelemetry's conventions for
 * HTTP servers.
 *
 * It shows what the log line shows: no header, no body, no query.
 *
 * Threads: any.
 */
#pragma once

#include "base/tracing/tracer.h"
#include "server/http/http.h"

/** Export the span of a request, if it is traced. `scheme`: "http" or "https". */
void request_span_add(struct tracer *tracer, const struct http_exchange_summary *summary,
                      const char *scheme);
