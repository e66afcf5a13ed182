/*
 * history.c - see history.h.
 */
#include "server/history.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/json.h"
#include "base/member.h"
#include "base/memory.h"
#include "server/totals.h"

enum { FIELDS = 3, NAME_SIZE = 72 };

struct series {
    char name[NAME_SIZE];
    int64_t last[FIELDS]; /* totals at the end of the last step */
    bool is_seen;         /* `last` is set */
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

/* NULL: there are too many. */
static struct series *find_series(struct series_list *series, struct str name)
{
    for (size_t i = 0; i < series->count; i++)
        if (str_equal(str_from_c(series->list[i]->name), name))
            return series->list[i];
    if (series->count == HISTORY_SERIES_MAX)
        return NULL;

    struct series *created = mem_alloc(sizeof(*created));

    (void)snprintf(created->name, sizeof(created->name), "%.*s", STR_ARG(name));
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
static void set_step(struct series *series, const struct field fields[FIELDS], size_t place,
                     const int64_t now[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        int64_t last = series->is_seen ? series->last[i] : now[i];

        series->values[i][place] = step_value(&fields[i], now[i], last);
        series->last[i] = now[i];
    }
    series->is_seen = true;
}

static void read_route(struct json_object *route, enum status_map map, int64_t out[FIELDS])
{
    const struct totals totals = totals_of(map, route);

    out[0] = totals.accepted;
    out[1] = totals.refused;
    out[2] = totals.failed;
}

static void read_sink(struct json_object *sink, enum status_map map, int64_t out[FIELDS])
{
    (void)map;
    for (size_t i = 0; i < FIELDS; i++)
        out[i] = json_find_int64(sink, sink_fields[i].name);
}

static void clear_step(struct series_list *series, size_t place)
{
    for (size_t i = 0; i < series->count; i++)
        for (size_t j = 0; j < FIELDS; j++)
            series->list[i]->values[j][place] = 0;
}

static void add_all(struct history *history, struct json_object *state, bool sinks,
                    enum status_map map)
{
    struct series_list *all = sinks ? &history->sinks : &history->routes;
    struct json_object *list;
    int64_t now[FIELDS];

    clear_step(all, history->next);
    if (!json_find(state, sinks ? "sinks" : "routes", &list))
        return;
    for (size_t i = 0; i < json_count(list); i++) {
        struct json_object *element = json_at(list, i);
        struct series *series = find_series(all, json_find_str(element, "name"));

        if (!series)
            return;
        (sinks ? read_sink : read_route)(element, map, now);
        set_step(series, sinks ? sink_fields : route_fields, history->next, now);
    }
}

void history_add(struct history *history, struct str state, enum status_map map, int64_t now_us)
{
    CLEANUP(json_cleanup) struct json_object *tree = NULL;
    struct error err;

    if (!json_read(state, NULL, &tree, &err))
        return;
    add_all(history, tree, false, map);
    add_all(history, tree, true, map);
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
