/*
 * body.h - a request's body, and the memory that it takes from options.max_inflight_bytes.
 *
 * Memory is reserved in steps as the body arrives, because an announced length is not a body.
 *
 * Threads: called in the loop's thread; a detached body belongs to its holder.
 */
#pragma once

#include "base/str.h"
#include "server/http/gate.h"

struct http_connection;
struct request;

/** A body will follow the headers. Refuses the request when there is no memory for its start. */
void http_body_expect(struct http_connection *connection, const struct http_gate *gate);

/** Keep a piece of the body, unless the request is refused or takes none. 413, 503. */
void http_body_take(struct http_connection *connection, struct str piece);

/** Free the body and give its memory back. */
void http_body_release(struct http_connection *connection);

/** request.detach() of handlers/handler.h. */
struct request *http_body_detach(struct request *request);
