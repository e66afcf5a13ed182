/*
 * work.c - see work.h.
 */
#include "delivery/outbox/work.h"

#include "base/attr.h"

enum {
    DEFAULT_EVENTS = 20000,
    MAX_BYTES = 64 * 1024 * 1024,
};

void work_queue_init(struct work_queue *queue, size_t max_events)
{
    *queue = (struct work_queue){ .max_events = max_events ? max_events : DEFAULT_EVENTS };
    list_init(&queue->list);
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
    list_append(&queue->list, &work->link);
    queue->events += work->events;
    queue->bytes += work->bytes;
    queue->refusals += work->is_refusal ? work->events : 0;
}

void work_queue_remove(struct work_queue *queue, struct work *work)
{
    list_remove(&work->link);
    queue->events -= work->events;
    queue->bytes -= work->bytes;
    queue->refusals -= work->is_refusal ? work->events : 0;
}

void work_queue_take(struct work_queue *queue, size_t max_events, size_t max_bytes,
                     struct list *out)
{
    size_t events = 0;
    size_t bytes = 0;

    list_init(out);
    while (!list_is_empty(&queue->list)) {
        struct work *work = CONTAINER_OF(list_first(&queue->list), struct work, link);

        events += work->events;
        bytes += work->bytes;
        if (!list_is_empty(out) && (events > max_events || bytes > max_bytes))
            break;
        work_queue_remove(queue, work);
        list_append(out, &work->link);
    }
}

struct work *work_pop(struct list *list)
{
    struct list_link *link = list_first(list);

    if (!link)
        return NULL;
    list_remove(link);
    return CONTAINER_OF(link, struct work, link);
}
