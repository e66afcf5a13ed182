/*
 * deadline.h - who has waited too long.
 *
 * All who wait in one queue wait equally long, so its head, who waits since the earliest time, is
 * due first; and as nearly all wait from now on, arming costs the same however many there are.
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

/**
 * Wait in `queue` from `since_us` on, and no longer where it waited before. Costs a step for each
 * member that waits since a later time.
 */
void http_deadline_arm(struct http_deadline *deadline, struct http_queue *queue, int64_t since_us);

/** Wait nowhere. */
void http_deadline_disarm(struct http_deadline *deadline);
