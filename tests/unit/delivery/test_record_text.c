/*
 * test_record_text.c - delivery/record_text.h.
 */
#include "delivery/record_text.h"

#include "tests/unit/test.h"

static void scalars_are_text_and_all_else_is_none(void)
{
    static const struct {
        const char *pointer;
        const char *text; /* NULL: none */
    } rows[] = {
        { "/a", "x\ny" }, { "/b/1", "12.50" }, { "/b/0", "true" }, { "/b/2", NULL },
        { "/c", NULL },   { "/b", NULL },      { "/d", NULL },     { "/none/x", NULL },
        { "/a/x", NULL }, { "", NULL },
    };
    struct arena *arena = arena_create();
    const struct flat *record = NULL;
    struct error err = { 0 };

    CHECK(flat_read(arena, STR("{\"a\":\"x\\ny\",\"b\":[true,12.50,null],\"c\":\"\",\"d\":{}}"),
                    NULL, &record, &err));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_pointer *pointer = NULL;
        struct str text;

        TEST_CASE(*rows[i].pointer ? rows[i].pointer : "the root");
        CHECK(json_pointer_create(str_from_c(rows[i].pointer), &pointer, &err));
        text = record_text(record, pointer, arena);
        CHECK_INT(text.ptr != NULL, rows[i].text != NULL);
        if (rows[i].text)
            CHECK_STR(text, rows[i].text);
        json_pointer_destroy(pointer);
    }
    arena_destroy(arena);
}

static void times_are_numbers_or_texts(void)
{
    static const struct {
        const char *json;
        int64_t us; /* -1: not a time */
    } rows[] = {
        { "1700000000", INT64_C(1700000000000000) },
        { "1700000000.25", INT64_C(1700000000250000) },
        { "1700000000250", INT64_C(1700000000250000) },
        { "\"1700000000\"", INT64_C(1700000000000000) },
        { "\"2023-11-14T22:13:20Z\"", INT64_C(1700000000000000) },
        { "0", 0 },
        { "1e30", -1 },
        { "\"1234567890123456\"", -1 },
        { "\"now\"", -1 },
        { "\"\"", -1 },
        { "true", -1 },
        { "null", -1 },
        { "[]", -1 },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct flat *value = NULL;
        struct error err = { 0 };
        int64_t us = -1;

        TEST_CASE(rows[i].json);
        CHECK(flat_read(arena, str_from_c(rows[i].json), NULL, &value, &err));
        CHECK_INT(record_time(value, &us), rows[i].us >= 0);
        CHECK_INT(us, rows[i].us);
    }
    arena_destroy(arena);
}

int main(void)
{
    RUN(scalars_are_text_and_all_else_is_none);
    RUN(times_are_numbers_or_texts);
    return test_end();
}
