/*
 * evict.h - connections that are closed before their time, because others need what they hold.
 *
 * Threads: called in the loop's thread.
 */
#pragma once

struct http_loop;

/** Cut the connections with the oldest answers while answers that clients do not read hold more
 * than options.max_inflight_bytes. */
void http_evict_unread(struct http_loop *loop);

/**
 * If a new connection waits because of max_connections: cut one connection without a complete
 * request, or whose client was not let in and does not read its answer: the one with the largest
 * product of age and number of connections of its address. Does nothing if another loop has cut one
 * already.
 */
void http_evict_for_newcomer(struct http_loop *loop);
