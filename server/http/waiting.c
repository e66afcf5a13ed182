/*
 * waiting.c - see waiting.h. A token is the place's index below the place's turn.
 */
#include "server/http/waiting.h"

#include "base/memory.h"

enum { FIRST_PLACES = 16, TURN_SHIFT = 32 };

struct http_waiting_place {
    struct http_connection *connection; /* NULL: the place is free */
    uint32_t turn;                      /* how often it was taken */
    uint32_t next;                      /* of the free ones */
};

static void grow(struct http_waiting *waiting)
{
    size_t before = waiting->capacity;
    size_t capacity = before ? before * 2 : FIRST_PLACES;

    waiting->places = mem_realloc(waiting->places, capacity * sizeof(waiting->places[0]));
    for (size_t i = before; i < capacity; i++)
        waiting->places[i] = (struct http_waiting_place){ .next = (uint32_t)i + 1 };
    waiting->capacity = capacity;
    waiting->free = (uint32_t)before;
}

uint64_t http_waiting_enter(struct http_waiting *waiting, struct http_connection *connection)
{
    if (waiting->free == waiting->capacity)
        grow(waiting);

    uint32_t index = waiting->free;
    struct http_waiting_place *place = &waiting->places[index];

    waiting->free = place->next;
    place->connection = connection;
    if (++place->turn == 0) /* so that no token is HTTP_NO_TOKEN */
        place->turn = 1;
    return (uint64_t)place->turn << TURN_SHIFT | index;
}

static struct http_waiting_place *find(const struct http_waiting *waiting, uint64_t token)
{
    uint32_t index = (uint32_t)token;

    if (token == HTTP_NO_TOKEN || index >= waiting->capacity)
        return NULL;

    struct http_waiting_place *place = &waiting->places[index];

    return place->connection && place->turn == token >> TURN_SHIFT ? place : NULL;
}

struct http_connection *http_waiting_find(const struct http_waiting *waiting, uint64_t token)
{
    const struct http_waiting_place *place = find(waiting, token);

    return place ? place->connection : NULL;
}

void http_waiting_leave(struct http_waiting *waiting, uint64_t token)
{
    struct http_waiting_place *place = find(waiting, token);

    if (!place)
        return;
    place->connection = NULL;
    place->next = waiting->free;
    waiting->free = (uint32_t)(place - waiting->places);
}

void http_waiting_done(struct http_waiting *waiting)
{
    mem_free(waiting->places);
    *waiting = (struct http_waiting){ 0 };
}
