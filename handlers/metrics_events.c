/*
 * metrics_events.c - events by route and outcome, and how old they were; see metrics_internal.h.
 *
 * Routes have counters by their names, in a list that only grows: a reload that takes a route away
 * leaves its counters, and one that brings it back continues them.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/member.h"
#include "base/memory.h"
#include "handlers/metrics_internal.h"

static const int64_t age_bounds_us[] = {
    100 * US_PER_MS, 250 * US_PER_MS, 500 * US_PER_MS,  US_PER_S,         2500 * US_PER_MS,
    5 * US_PER_S,    10 * US_PER_S,   30 * US_PER_S,    60 * US_PER_S,    300 * US_PER_S,
    900 * US_PER_S,  3600 * US_PER_S, 21600 * US_PER_S, 86400 * US_PER_S, INT64_MAX,
};

struct metrics_route {
    _Atomic(struct metrics_route *) next;
    char *name; /* needs no escapes (conf/sluice.schema.json) */
    counter events[CONDITION_COUNT];
    counter ages[COUNT_OF(age_bounds_us)];
    counter age_sum_us;
};

struct metrics_events {
    struct metrics_route none; /* the first of the list */
    counter replays[CONDITION_COUNT];
};

struct metrics_events *metrics_events_create(void)
{
    struct metrics_events *events = mem_alloc(sizeof(*events));

    events->none.name = mem_copy_string("");
    return events;
}

void metrics_events_destroy(struct metrics_events *events)
{
    struct metrics_route *route = atomic_load(&events->none.next);

    while (route) {
        struct metrics_route *next = atomic_load(&route->next);

        mem_free(route->name);
        mem_free(route);
        route = next;
    }
    mem_free(events->none.name);
    mem_free(events);
}

struct metrics_route *metrics_events_route(struct metrics_events *events, struct str name)
{
    struct metrics_route *route = &events->none;
    struct metrics_route *next;

    while (!str_equal(name, str_from_c(route->name)) && (next = atomic_load(&route->next)))
        route = next;
    if (str_equal(name, str_from_c(route->name)))
        return route;
    next = mem_alloc(sizeof(*next));
    next->name = mem_copy_string(name.ptr);
    atomic_store(&route->next, next);
    return next;
}

void metrics_events_count(struct metrics_route *route, enum condition condition, int64_t age_us)
{
    size_t bucket = 0;

    metrics_add(&route->events[condition], 1);
    if (age_us < 0)
        return;
    while (age_us > age_bounds_us[bucket])
        bucket++;
    metrics_add(&route->ages[bucket], 1);
    metrics_add(&route->age_sum_us, (uint64_t)age_us);
}

void metrics_events_count_replay(struct metrics_events *events, enum condition condition)
{
    metrics_add(&events->replays[condition], 1);
}

static void write_outcomes(struct metrics_page *page, const struct metrics_route *route)
{
    for (enum condition i = 0; i < CONDITION_COUNT; i++)
        buf_printf(page->out, "sluice_events_total{route=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
                   route->name, status_name(i), metrics_get(&route->events[i]));
}

static void write_event_ages(struct metrics_page *page, const struct metrics_route *route)
{
    uint64_t counts[COUNT_OF(age_bounds_us)];
    char labels[128];

    for (size_t i = 0; i < COUNT_OF(counts); i++)
        counts[i] = metrics_get(&route->ages[i]);
    (void)snprintf(labels, sizeof(labels), "route=\"%s\"", route->name);
    metrics_histogram(page, "sluice_event_age_seconds", labels,
                      &(struct metrics_histogram){ age_bounds_us, counts, COUNT_OF(counts),
                                                   metrics_get(&route->age_sum_us), 1e6, NULL });
}

void metrics_write_events(struct metrics_page *page, struct metrics_events *events)
{
    metrics_head(page, "sluice_events_total", "counter",
                 "Events, by route (empty: none was found) and by what became of them.");
    for (struct metrics_route *i = &events->none; i; i = atomic_load(&i->next))
        write_outcomes(page, i);
    metrics_head(page, "sluice_replays_total", "counter",
                 "Refused events that were posted again, by what became of them.");
    for (enum condition i = 0; i < CONDITION_COUNT; i++)
        buf_printf(page->out, "sluice_replays_total{outcome=\"%s\"} %" PRIu64 "\n", status_name(i),
                   metrics_get(&events->replays[i]));
    metrics_head(page, "sluice_event_age_seconds", "histogram",
                 "From the time in an event to its arrival.");
    for (struct metrics_route *i = &events->none; i; i = atomic_load(&i->next))
        write_event_ages(page, i);
}

static void write_route_state(struct buf *out, const struct metrics_route *route)
{
    buf_printf(out, "{\"name\":\"%s\",\"outcomes\":{", route->name);
    for (enum condition i = 0; i < CONDITION_COUNT; i++) {
        uint64_t count = metrics_get(&route->events[i]);

        if (count > 0)
            member_int(out, status_name(i), (int64_t)count);
    }
    buf_add(out, STR("}}"));
}

void metrics_events_state(struct buf *out, struct metrics_events *events)
{
    buf_add(out, STR(",\"routes\":["));
    for (struct metrics_route *i = &events->none; i; i = atomic_load(&i->next)) {
        if (i != &events->none)
            buf_add_char(out, ',');
        write_route_state(out, i);
    }
    buf_add_char(out, ']');
}

void metrics_events_read(struct metrics_events *events, const struct metrics_reader *reader)
{
    for (struct metrics_route *i = &events->none; i; i = atomic_load(&i->next)) {
        uint64_t outcomes[CONDITION_COUNT];

        for (enum condition j = 0; j < CONDITION_COUNT; j++)
            outcomes[j] = metrics_get(&i->events[j]);
        reader->route(reader->self, i->name, outcomes);
    }
}
