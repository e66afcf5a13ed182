/*
 * history.c - see history.h.
 */
#include "server/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/member.h"
#include "base/memory.h"

enum { FIELDS = 3, NAME_SIZE = 72 };

struct series {
    char name[NAME_SIZE];
    int64_t last[FIELDS]; /* totals at the end of the last step */
    bool is_seen;         /* `last` is set */
    size_t absent;        /* steps since the last one that named it, this one included */
    uint32_t values[FIELDS][HISTORY_STEPS];
};

struct series_list {
    struct series *list[HISTORY_SERIES_MAX];
    size_t count;
};

struct history {
    struct series_list routes;
    struct series_list sinks;
    int64_t end_us; /* of the last step; 0: none has begun */
    size_t count;   /* steps that have ended, */
    size_t next;    /* and the place of the next one */
};

/* Of a field: its name, and whether the step's value is the difference of two totals. */
struct field {
    const char *name;
    bool is_total;
};

static const struct field route_fields[FIELDS] = {
    { "accepted", true },
    { "refused", true },
    { "failed", true },
};
static const struct field sink_fields[FIELDS] = {
    { "delivered", true },
    { "pending", false },
    { "dead", false },
};

struct history *history_create(void)
{
    return mem_alloc(sizeof(struct history));
}

void history_destroy(struct history *history)
{
    if (!history)
        return;
    for (size_t i = 0; i < history->routes.count; i++)
        mem_free(history->routes.list[i]);
    for (size_t i = 0; i < history->sinks.count; i++)
        mem_free(history->sinks.list[i]);
    mem_free(history);
}

static void remove_series(struct series_list *series, size_t index)
{
    mem_free(series->list[index]);
    series->count--;
    for (size_t i = index; i < series->count; i++)
        series->list[i] = series->list[i + 1];
}

/* Is there room for one more? In a full list, the one that no step has named for longest goes. */
static bool make_room(struct series_list *series)
{
    size_t oldest = 0;

    if (series->count < HISTORY_SERIES_MAX)
        return true;
    for (size_t i = 1; i < series->count; i++)
        if (series->list[i]->absent > series->list[oldest]->absent)
            oldest = i;
    if (series->list[oldest]->absent <= 1) /* this step may still name it */
        return false;
    remove_series(series, oldest);
    return true;
}

/* NULL: there are too many. */
static struct series *find_series(struct series_list *series, const char *name)
{
    for (size_t i = 0; i < series->count; i++)
        if (strcmp(series->list[i]->name, name) == 0)
            return series->list[i];
    if (!make_room(series))
        return NULL;

    struct series *created = mem_alloc(sizeof(*created));

    (void)snprintf(created->name, sizeof(created->name), "%s", name);
    series->list[series->count++] = created;
    return created;
}

static uint32_t step_value(const struct field *field, int64_t now, int64_t last)
{
    int64_t value = field->is_total ? now - last : now;

    if (value < 0)
        return 0;
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* A series that appears later begins with its totals of now. */
static void set_step(struct history *history, struct series_list *list,
                     const struct field fields[FIELDS], const char *name, const int64_t now[FIELDS])
{
    struct series *series = find_series(list, name);

    for (size_t i = 0; series && i < FIELDS; i++) {
        int64_t last = series->is_seen ? series->last[i] : now[i];

        series->values[i][history->next] = step_value(&fields[i], now[i], last);
        series->last[i] = now[i];
    }
    if (series) {
        series->is_seen = true;
        series->absent = 0;
    }
}

/* A series without a value in any step goes. */
static void clear_step(struct series_list *series, size_t place)
{
    for (size_t i = series->count; i-- > 0;) {
        for (size_t j = 0; j < FIELDS; j++)
            series->list[i]->values[j][place] = 0;
        if (++series->list[i]->absent > HISTORY_STEPS)
            remove_series(series, i);
    }
}

void history_begin(struct history *history)
{
    clear_step(&history->routes, history->next);
    clear_step(&history->sinks, history->next);
}

void history_add_route(struct history *history, const char *name, const struct totals *totals)
{
    const int64_t now[FIELDS] = { totals->accepted, totals->refused, totals->failed };

    set_step(history, &history->routes, route_fields, name, now);
}

void history_add_sink(struct history *history, const struct outbox_sink_counters *sink)
{
    const int64_t now[FIELDS] = { sink->delivered, sink->pending, sink->dead };

    set_step(history, &history->sinks, sink_fields, sink->name, now);
}

void history_end(struct history *history, int64_t now_us)
{
    if (history->end_us) {
        history->next = (history->next + 1) % HISTORY_STEPS;
        history->count += history->count < HISTORY_STEPS;
    }
    history->end_us = now_us;
}

static void write_series(const struct history *history, const struct series *series,
                         const struct field fields[FIELDS], struct buf *out)
{
    size_t first = history->count < HISTORY_STEPS ? 0 : history->next;

    buf_add_char(out, '{');
    member_text(out, "name", str_from_c(series->name));
    for (size_t i = 0; i < FIELDS; i++) {
        buf_printf(out, ",\"%s\":[", fields[i].name);
        for (size_t j = 0; j < history->count; j++)
            buf_printf(out, "%s%" PRIu32, j > 0 ? "," : "",
                       series->values[i][(first + j) % HISTORY_STEPS]);
        buf_add_char(out, ']');
    }
    buf_add_char(out, '}');
}

static void write_list(const struct history *history, const struct series_list *series,
                       const struct field fields[FIELDS], struct buf *out)
{
    for (size_t i = 0; i < series->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        write_series(history, series->list[i], fields, out);
    }
}

void history_write(const struct history *history, struct buf *out)
{
    buf_printf(out, "{\"step_s\":%d", HISTORY_STEP_S);
    member_time(out, "end", history->end_us);
    member_int(out, "count", (int64_t)history->count);
    member_open(out, "routes", '[');
    write_list(history, &history->routes, route_fields, out);
    buf_add_char(out, ']');
    member_open(out, "sinks", '[');
    write_list(history, &history->sinks, sink_fields, out);
    buf_add(out, STR("]}"));
}
