/*
 * handler_set.c - see handler_set.h.
 */
#include "server/http/handler_set.h"

#include "base/epoch.h"
#include "base/memory.h"

struct http_handler_set *http_handler_set_create(const struct http_handlers *lists, size_t count)
{
    struct http_handler_set *set = mem_alloc(sizeof(*set) + count * sizeof(set->listeners[0]));

    set->listener_count = count;
    for (size_t i = 0; i < count; i++) {
        struct http_routes *routes = &set->listeners[i];

        routes->list = mem_alloc_array(lists[i].count, sizeof(routes->list[0]));
        routes->count = lists[i].count;
        for (size_t j = 0; j < routes->count; j++)
            routes->list[j] = (struct http_route){
                .path = str_from_c(lists[i].list[j].path),
                .handler = lists[i].list[j],
            };
    }
    return set;
}

void http_handler_set_destroy(struct http_handler_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->listener_count; i++)
        mem_free(set->listeners[i].list);
    mem_free(set);
}

struct http_handler_set *http_handler_set_share(struct http_handler_set *set)
{
    atomic_fetch_add_explicit(&set->users, 1, memory_order_relaxed);
    return set;
}

struct http_handler_set *http_handler_set_acquire(_Atomic(struct http_handler_set *) *current)
{
    struct http_handler_set *set;

    epoch_enter();
    set = http_handler_set_share(atomic_load(current));
    epoch_leave();
    return set;
}

void http_handler_set_release(struct http_handler_set *set)
{
    if (set)
        atomic_fetch_sub_explicit(&set->users, 1, memory_order_release);
}

bool http_handler_set_is_idle(const struct http_handler_set *set)
{
    return atomic_load_explicit(&set->users, memory_order_acquire) == 0;
}

static bool takes_method(const struct handler *handler, struct str method)
{
    if (handler->method == HANDLER_POST)
        return str_equal(method, STR("POST"));
    return str_equal(method, STR("GET")) || str_equal(method, STR("HEAD"));
}

struct http_match http_handler_set_find(const struct http_handler_set *set, size_t index,
                                        struct str method, struct str path)
{
    const struct http_routes *routes = &set->listeners[index];
    struct http_match match = { .path = STR("other") };

    for (size_t i = 0; i < routes->count; i++) {
        const struct http_route *route = &routes->list[i];

        if (!str_equal(route->path, path))
            continue;
        match.path = route->path;
        if (takes_method(&route->handler, method)) {
            match.handler = &route->handler;
            break;
        }
        match.takes_get |= route->handler.method == HANDLER_GET;
        match.takes_post |= route->handler.method == HANDLER_POST;
    }
    return match;
}
