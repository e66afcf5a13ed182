/*
 * work.c - see work.h.
 */
#include "delivery/outbox/work.h"

enum {
    DEFAULT_EVENTS = 20000,
    MAX_BYTES = 64 * 1024 * 1024,
};

void work_queue_init(struct work_queue *queue, size_t max_events)
{
    *queue = (struct work_queue){ .last = &queue->first,
                                  .max_events = max_events ? max_events : DEFAULT_EVENTS };
}

bool work_queue_has_room(const struct work_queue *queue, const struct work *work)
{
    size_t events = queue->events + work->events;
    size_t bytes = queue->bytes + work->bytes;

    if (queue->events == 0)
        return true;
    if (events > queue->max_events || bytes > MAX_BYTES)
        return false;
    return !work->is_refusal ||
           (queue->refusals + work->events <= queue->max_events / 2 && bytes <= MAX_BYTES / 2);
}

void work_queue_push(struct work_queue *queue, struct work *work)
{
    work->next = NULL;
    *queue->last = work;
    queue->last = &work->next;
    queue->events += work->events;
    queue->bytes += work->bytes;
    queue->refusals += work->is_refusal ? work->events : 0;
}

static void uncount(struct work_queue *queue, const struct work *work)
{
    queue->events -= work->events;
    queue->bytes -= work->bytes;
    queue->refusals -= work->is_refusal ? work->events : 0;
}

struct work *work_queue_take(struct work_queue *queue, size_t max_events, size_t max_bytes)
{
    struct work *list = queue->first;
    struct work **end = &queue->first;
    size_t events = 0;
    size_t bytes = 0;

    while (*end) {
        struct work *work = *end;

        events += work->events;
        bytes += work->bytes;
        if (work != list && (events > max_events || bytes > max_bytes))
            break;
        uncount(queue, work);
        end = &work->next;
    }
    if (!list)
        return NULL;
    queue->first = *end;
    if (!queue->first)
        queue->last = &queue->first;
    *end = NULL;
    return list;
}

void work_queue_remove(struct work_queue *queue, struct work *work)
{
    struct work **at = &queue->first;

    while (*at != work)
        at = &(*at)->next;
    *at = work->next;
    if (!*at)
        queue->last = at;
    uncount(queue, work);
}
