/*
 * test_history.c - claims about server/history.h.
 */
#include "server/history.h"

#include <string.h>

#include "base/json.h"
#include "tests/unit/test.h"

enum { TEXT_MAX = 4 * 1024 * 1024 };

static void add(struct history *history, const char *state)
{
    history_add(history, str_from_c(state), STATUS_MAP_TUTORIAL, 1705314600123456);
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
    struct history *history = history_create();

    check_written(history, "{\"step_s\":10,\"end\":null,\"count\":0,\"routes\":[],\"sinks\":[]}");
    add(history, "{\"routes\":[{\"name\":\"r\",\"outcomes\":{\"valid\":5}}],"
                 "\"sinks\":[{\"name\":\"s\",\"delivered\":9,\"pending\":1,\"dead\":0}]}");
    add(history,
        "{\"routes\":[{\"name\":\"r\",\"outcomes\":{\"valid\":7,\"duplicate\":1,"
        "\"malformed\":2,\"unavailable\":4}},{\"name\":\"new\",\"outcomes\":{\"valid\":3}}],"
        "\"sinks\":[{\"name\":\"s\",\"delivered\":12,\"pending\":4,\"dead\":2}]}");
    add(history, "no state");
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
        struct buf state;

        buf_init(&state, TEXT_MAX);
        total += i;
        buf_printf(&state, "{\"routes\":[{\"name\":\"r\",\"outcomes\":{\"valid\":%lld}}]}",
                   (long long)total);
        history_add(history, buf_str(&state), STATUS_MAP_TUTORIAL, 1);
        buf_done(&state);
    }
    check_ends(history, HISTORY_STEPS, 6, HISTORY_STEPS + 5);
    history_destroy(history);
}

static void has_a_bounded_number_of_series(void)
{
    struct history *history = history_create();
    struct buf state;

    buf_init(&state, TEXT_MAX);
    buf_add(&state, STR("{\"routes\":["));
    for (int i = 0; i < HISTORY_SERIES_MAX + 9; i++)
        buf_printf(&state, "%s{\"name\":\"r%d\",\"outcomes\":{}}", i > 0 ? "," : "", i);
    buf_add(&state, STR("]}"));
    history_add(history, buf_str(&state), STATUS_MAP_TUTORIAL, 1);
    buf_clear(&state);
    history_write(history, &state);
    CHECK(memmem(state.ptr, state.len, "\"r63\"", 5) != NULL);
    CHECK(memmem(state.ptr, state.len, "\"r64\"", 5) == NULL);
    buf_done(&state);
    history_destroy(history);
}

int main(void)
{
    RUN(counts_what_came_between_two_states);
    RUN(keeps_an_hour);
    RUN(has_a_bounded_number_of_series);
    return test_end();
}
