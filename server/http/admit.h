/*
 * admit.h - may a request with complete headers go on? The refusals, in their order.
 *
 * 404 and 405, then what the handler says (401), then 413 and 415, then the limits: rate and
 * requests of one address (429), requests in flight and memory for bodies (503).
 *
 * Threads: called in the loop's thread.
 */
#pragma once

#include "server/http/gate.h"

struct http_connection;
struct http_match;

/** Expect the body for the handler of `match`, or refuse the request. */
void http_admit(struct http_connection *connection, const struct http_gate *gate,
                const struct http_match *match);
