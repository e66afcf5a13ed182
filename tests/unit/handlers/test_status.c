/*
 * test_status.c - claims about handlers/status.h: the documented table, row by row.
 */
#include "handlers/status.h"

#include "base/attr.h"
#include "base/json.h"
#include "tests/unit/test.h"

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): the table reads better so */
static const struct {
    enum condition condition;
    const char *name;
    int status;
    const char *error;
    bool retry_after;
    bool differs; /* with status_map: eventbridge it is 503 Service unavailable */
} documented[] = {
    { CONDITION_VALID, "valid", 200, NULL, false, false },
    { CONDITION_DUPLICATE, "duplicate", 200, NULL, false, false },
    { CONDITION_DROPPED, "dropped", 200, NULL, false, false },
    { CONDITION_MALFORMED, "malformed", 400, "Processing failed", false, false },
    { CONDITION_UNROUTED, "unrouted", 400, "Processing failed", false, false },
    { CONDITION_SCHEMA_INVALID, "schema_invalid", 400, "Schema validation failed", false, false },
    { CONDITION_TOO_EXPENSIVE, "too_expensive", 400, "Processing failed", false, false },
    { CONDITION_TRANSFORM_FAILED, "transform_failed", 400, "Processing failed", false, false },
    { CONDITION_SCHEMA_NOT_FOUND, "schema_not_found", 400, "Processing failed", false, true },
    { CONDITION_REGISTRY_DENIED, "registry_denied", 400, "Processing failed", false, true },
    { CONDITION_REGISTRY_UNREACHABLE, "registry_unreachable", 400, "Processing failed", false,
      true },
    { CONDITION_SCHEMA_UNUSABLE, "schema_unusable", 400, "Processing failed", false, true },
    { CONDITION_REGISTRY_UNAVAILABLE, "registry_unavailable", 500, "AWS Glue service unavailable",
      false, false },
    { CONDITION_INTERNAL, "internal", 500, "Internal server error", false, false },
    { CONDITION_UNAVAILABLE, "unavailable", 503, "Service unavailable", true, false },
};

static void the_tables_are_the_documented_ones(void)
{
    CHECK_INT(COUNT_OF(documented), CONDITION_COUNT);
    for (size_t i = 0; i < COUNT_OF(documented); i++) {
        const struct status_row *tutorial =
            status_row(STATUS_MAP_TUTORIAL, documented[i].condition);
        const struct status_row *eventbridge =
            status_row(STATUS_MAP_EVENTBRIDGE, documented[i].condition);

        TEST_CASE(documented[i].name);
        CHECK_STR(str_from_c(tutorial->condition), documented[i].name);
        CHECK_STR(str_from_c(status_name(documented[i].condition)), documented[i].name);
        CHECK(status_has_name(str_from_c(documented[i].name)));
        CHECK_INT(tutorial->status, documented[i].status);
        CHECK_STR(str_from_c(tutorial->error), documented[i].error ? documented[i].error : "");
        CHECK(tutorial->retry_after == documented[i].retry_after);
        CHECK(status_is_retryable(tutorial) == (documented[i].status >= 500));
        CHECK_STR(str_from_c(eventbridge->condition), documented[i].name);
        CHECK_INT(eventbridge->status, documented[i].differs ? 503 : documented[i].status);
        CHECK(eventbridge->retry_after == (documented[i].differs || documented[i].retry_after));
        if (documented[i].differs)
            CHECK_STR(str_from_c(eventbridge->error), "Service unavailable");
        else
            CHECK(eventbridge == tutorial);
    }
    CHECK(!status_has_name(STR("val")));
    CHECK(!status_has_name(STR("")));
}

static void every_error_has_a_condition(void)
{
    static const struct {
        enum err_code code;
        enum condition of_step; /* of the step that transforms */
        enum condition of_registry;
    } cases[] = {
        { ERR_MALFORMED, CONDITION_MALFORMED, CONDITION_SCHEMA_UNUSABLE },
        { ERR_INVALID, CONDITION_TRANSFORM_FAILED, CONDITION_SCHEMA_UNUSABLE },
        { ERR_TOO_EXPENSIVE, CONDITION_TOO_EXPENSIVE, CONDITION_SCHEMA_UNUSABLE },
        { ERR_NOT_FOUND, CONDITION_TRANSFORM_FAILED, CONDITION_SCHEMA_NOT_FOUND },
        { ERR_DENIED, CONDITION_INTERNAL, CONDITION_REGISTRY_DENIED },
        { ERR_UNREACHABLE, CONDITION_INTERNAL, CONDITION_REGISTRY_UNREACHABLE },
        { ERR_THROTTLED, CONDITION_INTERNAL, CONDITION_REGISTRY_UNAVAILABLE },
        { ERR_UNAVAILABLE, CONDITION_UNAVAILABLE, CONDITION_UNAVAILABLE },
        { ERR_CONFIG, CONDITION_INTERNAL, CONDITION_INTERNAL },
        { ERR_INTERNAL, CONDITION_INTERNAL, CONDITION_INTERNAL },
        { ERR_SYSTEM, CONDITION_INTERNAL, CONDITION_INTERNAL },
    };

    CHECK_INT(COUNT_OF(cases), ERR_SYSTEM);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK_INT(status_of_step(cases[i].code, CONDITION_TRANSFORM_FAILED), cases[i].of_step);
        CHECK_INT(status_of_registry(cases[i].code), cases[i].of_registry);
    }
}

static struct json_object *written_map(struct arena *arena, enum status_map map)
{
    struct buf *out = arena_buf(arena, 100000);
    struct json_object *table = NULL;
    struct error err = { 0 };

    status_write_map(out, map);
    CHECK(!out->overflow);
    CHECK(json_read_in(arena, buf_str(out), NULL, &table, &err));
    return table;
}

static void the_map_in_force_is_written_as_json(void)
{
    static const char *const names[] = { "tutorial", "eventbridge" };
    struct arena *arena = arena_create();

    for (enum status_map map = STATUS_MAP_TUTORIAL; map <= STATUS_MAP_EVENTBRIDGE; map++) {
        struct json_object *table = written_map(arena, map);
        struct json_object *rows = NULL;

        CHECK_STR(json_find_str(table, "status_map"), names[map]);
        CHECK(json_find(table, "rows", &rows) && json_count(rows) == CONDITION_COUNT);
        for (enum condition i = 0; i < CONDITION_COUNT; i++) {
            const struct status_row *row = status_row(map, i);
            struct str expected =
                row->error ? arena_printf(arena, "\"%s\"", row->error) : STR("null");

            expected = arena_printf(
                arena, "{\"condition\":\"%s\",\"status\":%d,\"error\":%.*s,\"retry_after\":%s}",
                row->condition, row->status, STR_ARG(expected),
                row->retry_after ? "true" : "false");
            CHECK_STR(json_text(arena, json_at(rows, i)), expected.ptr);
        }
    }
    arena_destroy(arena);
}

int main(void)
{
    RUN(the_tables_are_the_documented_ones);
    RUN(every_error_has_a_condition);
    RUN(the_map_in_force_is_written_as_json);
    return test_end();
}
