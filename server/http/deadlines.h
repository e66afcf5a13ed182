/*
 * deadlines.h - what happens to a connection that stays in a state for too long.
 *
 * | state                         | may last                   | then                             |
 * |-------------------------------|----------------------------|----------------------------------|
 * | READING, TLS_*, HEAD, BODY    | options.deadline_us        | cut                              |
 * | SUSPENDED                     | the same, from first byte  | the handler must answer          |
 * | SENDING, SENT                 | options.idle_timeout_us    | cut                              |
 * | SETTLING                      | HTTP_SETTLED_US            | IDLE, or READING if bytes came   |
 * | IDLE                          | http->idle_limit_us        | cut                              |
 *
 * Threads: called in the loop's thread.
 */
#pragma once

#include <stdint.h>

#include "base/clock.h"

struct http_connection;
struct http_loop;

enum { HTTP_SETTLED_US = 50 * US_PER_MS };

/** Act on all deadlines that are reached. Returns the next one; INT64_MAX: there is none. */
int64_t http_deadlines_expire(const struct http_loop *loop);

/** Bytes, or the end of the stream, have come on a connection that is watched. */
void http_deadlines_on_bytes(struct http_connection *connection);
