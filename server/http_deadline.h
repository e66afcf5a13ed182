/*
 * http_deadline.h - who has waited too long.
 *
 * All who wait in one queue wait equally long, so the queue is in the order of arrival, its head
 * is due first, and arming costs the same however many wait.
 *
 * Threads: a queue and its members belong to one thread.
 */
#pragma once

#include <stdint.h>

struct http_queue;

/* Part of whatever waits. Begins as zeroes: waiting nowhere. */
struct http_deadline {
    struct http_deadline *before;
    struct http_deadline *behind;
    struct http_queue *queue;
    int64_t since_us;
};

/* Begins as zeroes. */
struct http_queue {
    struct http_deadline *first;
    struct http_deadline *last;
};

/** Wait in `queue` from `now_us` on, and no longer where it waited before. */
void http_deadline_arm(struct http_deadline *deadline, struct http_queue *queue, int64_t now_us);

/** Wait nowhere. */
void http_deadline_disarm(struct http_deadline *deadline);
