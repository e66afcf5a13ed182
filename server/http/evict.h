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
 * When a new connection waits at the limit: cut the connection without a complete request that is
 * oldest, weighted by the number of connections of its address. Another loop may be faster.
 */
void http_evict_for_newcomer(struct http_loop *loop);
