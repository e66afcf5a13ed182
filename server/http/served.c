/*
 * served.c - see served.h.
 */
#include "server/http/served.h"

#include "base/epoch.h"
#include "base/memory.h"

struct http_served *http_served_create(const struct http_handlers *lists, size_t count)
{
    struct http_served *served = mem_alloc(sizeof(*served) + count * sizeof(served->sites[0]));

    served->site_count = count;
    for (size_t i = 0; i < count; i++) {
        struct http_routes *routes = &served->sites[i];

        routes->list = mem_alloc_array(lists[i].count, sizeof(routes->list[0]));
        routes->count = lists[i].count;
        for (size_t j = 0; j < routes->count; j++)
            routes->list[j] = (struct http_route){
                .path = str_from_c(lists[i].list[j].path),
                .handler = lists[i].list[j],
            };
    }
    return served;
}

void http_served_destroy(struct http_served *served)
{
    if (!served)
        return;
    for (size_t i = 0; i < served->site_count; i++)
        mem_free(served->sites[i].list);
    mem_free(served);
}

struct http_served *http_served_take(_Atomic(struct http_served *) *current)
{
    struct http_served *served;

    epoch_enter();
    served = atomic_load(current);
    atomic_fetch_add_explicit(&served->in_use, 1, memory_order_relaxed);
    epoch_leave();
    return served;
}

struct http_served *http_served_share(struct http_served *served)
{
    atomic_fetch_add_explicit(&served->in_use, 1, memory_order_relaxed);
    return served;
}

void http_served_give(struct http_served *served)
{
    if (served)
        atomic_fetch_sub_explicit(&served->in_use, 1, memory_order_release);
}

bool http_served_is_idle(const struct http_served *served)
{
    return atomic_load_explicit(&served->in_use, memory_order_acquire) == 0;
}
