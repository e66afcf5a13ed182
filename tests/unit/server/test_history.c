/*
 * test_history.c - claims about server/history.h.
 */
#include "server/history.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/unit/test.h"

enum { TEXT_MAX = 4 * 1024 * 1024 };

struct route {
    const char *name;
    struct totals totals;
};

static void add(struct history *history, const struct route *routes, size_t count,
                const struct outbox_sink_counters *sink)
{
    history_begin(history);
    for (size_t i = 0; i < count; i++)
        history_add_route(history, routes[i].name, &routes[i].totals);
    if (sink)
        history_add_sink(history, sink);
    history_end(history, 1705314600123456);
}

static void check_written(const struct history *history, const char *wanted)
{
    struct buf out;

    buf_init(&out, TEXT_MAX);
    history_write(history, &out);
    CHECK_STR(buf_str(&out), wanted);
    buf_done(&out);
}

static void counts_what_came_between_two_states(void)
{
    static const struct route before[] = { { "r", { 5, 0, 0 } } };
    static const struct route after[] = { { "r", { 8, 2, 4 } }, { "new", { 3, 0, 0 } } };
    struct outbox_sink_counters sink = { .name = "s", .delivered = 9, .pending = 1 };
    struct history *history = history_create();

    check_written(history, "{\"step_s\":10,\"end\":null,\"count\":0,\"routes\":[],\"sinks\":[]}");
    add(history, before, 1, &sink);
    sink.delivered = 12;
    sink.pending = 4;
    sink.dead = 2;
    add(history, after, 2, &sink);
    check_written(history,
                  "{\"step_s\":10,\"end\":\"2024-01-15T10:30:00.123456Z\",\"count\":1,\"routes\":["
                  "{\"name\":\"r\",\"accepted\":[3],\"refused\":[2],\"failed\":[4]},"
                  "{\"name\":\"new\",\"accepted\":[0],\"refused\":[0],\"failed\":[0]}],"
                  "\"sinks\":[{\"name\":\"s\",\"delivered\":[3],\"pending\":[4],\"dead\":[2]}]}");
    history_destroy(history);
    history_destroy(NULL);
}

/* The number of a series' steps, and its first and last. */
static void check_ends(const struct history *history, size_t count, int64_t first, int64_t last)
{
    CLEANUP(json_cleanup) struct json_object *tree = NULL;
    struct json_object *list;
    struct error err;
    struct buf out;
    int64_t number = 0;

    buf_init(&out, TEXT_MAX);
    history_write(history, &out);
    CHECK(json_read(buf_str(&out), NULL, &tree, &err));
    CHECK(json_find(tree, "routes", &list));
    CHECK(json_find(json_at(list, 0), "accepted", &list));
    CHECK_INT((int64_t)json_count(list), (int64_t)count);
    CHECK(json_int64(json_at(list, 0), &number));
    CHECK_INT(number, first);
    CHECK(json_int64(json_at(list, count - 1), &number));
    CHECK_INT(number, last);
    buf_done(&out);
}

static void keeps_an_hour(void)
{
    struct history *history = history_create();
    int64_t total = 0;

    for (int64_t i = 0; i <= HISTORY_STEPS + 5; i++) {
        total += i;
        add(history, &(struct route){ "r", { total, 0, 0 } }, 1, NULL);
    }
    check_ends(history, HISTORY_STEPS, 6, HISTORY_STEPS + 5);
    history_destroy(history);
}

static void add_numbered(struct history *history, int first, int count)
{
    history_begin(history);
    for (int i = first; i < first + count; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "r%d", i);
        history_add_route(history, name, &(struct totals){ 0 });
    }
    history_end(history, 1);
}

static bool has_route(const struct history *history, const char *name)
{
    struct buf out;
    bool found;
    char quoted[16];

    (void)snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    buf_init(&out, TEXT_MAX);
    history_write(history, &out);
    found = memmem(out.ptr, out.len, quoted, strlen(quoted)) != NULL;
    buf_done(&out);
    return found;
}

static void has_a_bounded_number_of_series(void)
{
    struct history *history = history_create();

    add_numbered(history, 0, HISTORY_SERIES_MAX + 9);
    CHECK(has_route(history, "r63") && !has_route(history, "r64"));
    history_destroy(history);
}

static void a_name_that_is_gone_makes_room(void)
{
    struct history *history = history_create();

    add_numbered(history, 0, HISTORY_SERIES_MAX);
    add_numbered(history, 1, HISTORY_SERIES_MAX);
    CHECK(has_route(history, "r0") && !has_route(history, "r64")); /* r0 could still have come */
    add_numbered(history, 1, HISTORY_SERIES_MAX);
    CHECK(!has_route(history, "r0") && has_route(history, "r1") && has_route(history, "r64"));
    history_destroy(history);
}

static void a_name_that_is_gone_for_an_hour_is_forgotten(void)
{
    struct history *history = history_create();

    add_numbered(history, 0, 2);
    for (int i = 0; i < HISTORY_STEPS; i++)
        add_numbered(history, 1, 1);
    CHECK(has_route(history, "r0"));
    add_numbered(history, 1, 1);
    CHECK(!has_route(history, "r0") && has_route(history, "r1"));
    history_destroy(history);
}

int main(void)
{
    RUN(counts_what_came_between_two_states);
    RUN(keeps_an_hour);
    RUN(has_a_bounded_number_of_series);
    RUN(a_name_that_is_gone_makes_room);
    RUN(a_name_that_is_gone_for_an_hour_is_forgotten);
    return test_end();
}
