/*
 * test_record_origin.c - what was written is read back
 */
#include "delivery/record_origin.h"

#include "base/attr.h"
#include "tests/unit/test.h"

static void what_was_written_is_read_back(void)
{
    static const struct record_origin cases[] = {
        { STR_INIT("r-1"), STR_INIT("00-0af7-00f0-01"), STR_INIT("e-1") },
        { STR_INIT("r-1"), STR_INIT(""), STR_INIT("an id  with spaces ") },
        { STR_INIT("r-1"), STR_INIT(""), STR_INIT("") },
        { STR_INIT(""), STR_INIT("00-0af7-00f0-01"), STR_INIT("") },
        { STR_INIT(""), STR_INIT(""), STR_INIT("e\n\0e") },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str text = record_origin_write(arena, &cases[i]);
        struct record_origin origin = record_origin_read(text);

        CHECK(text.ptr != NULL);
        CHECK(str_equal(origin.request_id, cases[i].request_id));
        CHECK(str_equal(origin.traceparent, cases[i].traceparent));
        CHECK(str_equal(origin.event_id, cases[i].event_id));
    }
    arena_destroy(arena);
}

static void nothing_is_no_text(void)
{
    struct arena *arena = arena_create();
    struct record_origin origin = { 0 };

    CHECK(record_origin_write(arena, &origin).ptr == NULL);
    origin = record_origin_read(STR_NONE);
    CHECK_INT((int64_t)(origin.request_id.len + origin.traceparent.len + origin.event_id.len), 0);
    arena_destroy(arena);
}

int main(void)
{
    RUN(what_was_written_is_read_back);
    RUN(nothing_is_no_text);
    return test_end();
}
