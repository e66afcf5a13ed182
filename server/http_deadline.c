/*
 * http_deadline.c - see http_deadline.h.
 */
#include "server/http_deadline.h"

#include <stddef.h>

void http_deadline_arm(struct http_deadline *deadline, struct http_queue *queue, int64_t now_us)
{
    http_deadline_disarm(deadline);
    deadline->queue = queue;
    deadline->since_us = now_us;
    deadline->before = queue->last;
    if (queue->last)
        queue->last->behind = deadline;
    else
        queue->first = deadline;
    queue->last = deadline;
}

void http_deadline_disarm(struct http_deadline *deadline)
{
    struct http_queue *queue = deadline->queue;

    if (!queue)
        return;
    if (deadline->before)
        deadline->before->behind = deadline->behind;
    else
        queue->first = deadline->behind;
    if (deadline->behind)
        deadline->behind->before = deadline->before;
    else
        queue->last = deadline->before;
    *deadline = (struct http_deadline){ 0 };
}
