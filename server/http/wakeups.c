/*
 * wakeups.c - see wakeups.h. A token has the slot's index in its lower half, the generation above.
 */
#include "server/http/wakeups.h"

#include "base/memory.h"

enum { GENERATION_SHIFT = 32 };

struct http_wakeup_slot {
    struct http_connection *connection; /* NULL: the slot is free */
    uint32_t generation;
    uint32_t next; /* of the free ones */
};

static void grow(struct http_wakeups *wakeups)
{
    size_t before = wakeups->capacity;

    wakeups->slots =
        mem_grow(wakeups->slots, before, &wakeups->capacity, sizeof(wakeups->slots[0]));
    for (size_t i = before; i < wakeups->capacity; i++)
        wakeups->slots[i] = (struct http_wakeup_slot){ .next = (uint32_t)i + 1 };
}

uint64_t http_wakeups_add(struct http_wakeups *wakeups, struct http_connection *connection)
{
    if (wakeups->free == wakeups->capacity)
        grow(wakeups);

    uint32_t index = wakeups->free;
    struct http_wakeup_slot *slot = &wakeups->slots[index];

    wakeups->free = slot->next;
    slot->connection = connection;
    if (++slot->generation == 0) /* so that no token is HTTP_NO_TOKEN */
        slot->generation = 1;
    return (uint64_t)slot->generation << GENERATION_SHIFT | index;
}

static struct http_wakeup_slot *slot_of(const struct http_wakeups *wakeups, uint64_t token)
{
    uint32_t index = (uint32_t)token;

    if (token == HTTP_NO_TOKEN || index >= wakeups->capacity)
        return NULL;

    struct http_wakeup_slot *slot = &wakeups->slots[index];

    return slot->connection && slot->generation == token >> GENERATION_SHIFT ? slot : NULL;
}

struct http_connection *http_wakeups_find(const struct http_wakeups *wakeups, uint64_t token)
{
    const struct http_wakeup_slot *slot = slot_of(wakeups, token);

    return slot ? slot->connection : NULL;
}

void http_wakeups_remove(struct http_wakeups *wakeups, uint64_t token)
{
    struct http_wakeup_slot *slot = slot_of(wakeups, token);

    if (!slot)
        return;
    slot->connection = NULL;
    slot->next = wakeups->free;
    wakeups->free = (uint32_t)(slot - wakeups->slots);
}

void http_wakeups_done(struct http_wakeups *wakeups)
{
    mem_free(wakeups->slots);
    *wakeups = (struct http_wakeups){ 0 };
}
