/*
 * deadline.c - see deadline.h.
 */
#include "server/http/deadline.h"

#include <stddef.h>

void http_deadline_arm(struct http_deadline *deadline, struct http_queue *queue, int64_t since_us)
{
    http_deadline_disarm(deadline);

    struct http_deadline *before = queue->last;

    while (before && before->since_us > since_us)
        before = before->before;

    struct http_deadline *behind = before ? before->behind : queue->first;

    *deadline = (struct http_deadline){ before, behind, queue, since_us };
    if (before)
        before->behind = deadline;
    else
        queue->first = deadline;
    if (behind)
        behind->before = deadline;
    else
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
