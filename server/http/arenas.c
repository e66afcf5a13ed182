/*
 * arenas.c - see arenas.h.
 */
#include "server/http/arenas.h"

#include "base/clock.h"
#include "base/memory.h"

enum { TRIM_AFTER_US = 200 * US_PER_MS };

struct arena *http_arenas_take(struct http_arenas *arenas)
{
    return arenas->count ? arenas->spare[--arenas->count] : arena_create();
}

void http_arenas_give(struct http_arenas *arenas, struct arena *arena)
{
    if (!arena)
        return;
    if (arenas->count == HTTP_SPARE_ARENAS) {
        arena_destroy(arena);
        return;
    }
    arena_reset(arena);
    arenas->spare[arenas->count++] = arena;
}

void http_arenas_note_heavy(struct http_arenas *arenas)
{
    if (!arenas->heavy_us)
        arenas->heavy_us = clock_monotonic_us();
}

/*
 * The allocator keeps what a large body's tree took. Giving it back waits a little, so that a
 * series of large bodies does not pay for it each time.
 */
int64_t http_arenas_trim_due_us(const struct http_arenas *arenas)
{
    return arenas->heavy_us ? arenas->heavy_us + TRIM_AFTER_US : INT64_MAX;
}

void http_arenas_trim(struct http_arenas *arenas)
{
    if (!arenas->heavy_us || clock_monotonic_us() < http_arenas_trim_due_us(arenas))
        return;
    arenas->heavy_us = 0;
    mem_trim();
}

void http_arenas_done(struct http_arenas *arenas)
{
    while (arenas->count)
        arena_destroy(arenas->spare[--arenas->count]);
}
