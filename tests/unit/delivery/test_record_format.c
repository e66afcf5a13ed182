/*
 * test_record_format.c - delivery/record_format.h.
 */
#include "delivery/record_format.h"

#include "tests/unit/test.h"

enum { LONGEST = 12 };

#define RECORD                                                                                     \
    "{\"a\":\"x\",\"b\":{\"c\":12.50},\"nul\":null,\"e\":\"\",\"tab\":\"a\\tb\","                  \
    "\"c1\":\"\\u0085\",\"ls\":\"\\u2028\",\"del\":\"\\u007f\",\"long\":\"0123456789abc\","        \
    "\"up\":\"/../\",\"utf8\":\"\\u00e9\"}"

/* The result of the format, or what is wrong with it. */
static struct str filled(const char *text, struct arena *arena)
{
    const struct flat *record = NULL;
    struct record_format *format = NULL;
    struct str out = STR_NONE;
    struct error err = { 0 };

    CHECK(flat_read(arena, STR(RECORD), NULL, &record, &err));

    const struct record_format_place place = { .record = record, .max = LONGEST, .arena = arena };

    if (!record_format_create(str_from_c(text), &format, &err) ||
        !record_format_fill(format, &place, &out, &err))
        out = arena_copy(arena, str_from_c(err.text));
    record_format_destroy(format);
    return out;
}

static void places_are_filled_and_confined(void)
{
    static const struct {
        const char *format;
        const char *text;
    } rows[] = {
        { "plain", "plain" },
        { "{/a}", "x" },
        { "a-{/a}-{/b/c}", "a-x-12.50" },
        { "{{{/a}}}", "{x}" },
        { "}x{{", "}x{" },
        { "{/utf8}", "\xc3\xa9" },
        { "{/up}", "/../" },
        { "{/none}", "the record has no text at /none" },
        { "{/nul}", "the record has no text at /nul" },
        { "{/e}", "the record has no text at /e" },
        { "{/b}", "the record has no text at /b" },
        { "{/tab}", "the text at /tab has a control character" },
        { "{/c1}", "the text at /c1 has a control character" },
        { "{/ls}", "the text at /ls has a control character" },
        { "{/del}", "the text at /del has a control character" },
        { "{/long}", "the text is longer than 12 bytes" },
        { "", "the text is empty" },
        { "a{", "a { without }; {{ is a brace" },
        { "{}", "expected a JSON Pointer in braces, as in {/id}" },
        { "{a}", "expected a JSON Pointer in braces, as in {/id}" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].format);
        CHECK_STR(filled(rows[i].format, arena), rows[i].text);
    }
    TEST_CASE("a malformed pointer");
    CHECK(filled("{/a~2}", arena).len > 0);
    arena_destroy(arena);
}

static void add_stars(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        buf_add_char(out, '*');
}

/* The result of a format with time, at 2026-03-04T05:06:07Z, or what is wrong with it. */
static struct str timed(const char *text, struct arena *arena)
{
    const struct record_format_place place = {
        .max = 40, .arena = arena, .time_us = INT64_C(1772600767) * 1000000, .add_value = add_stars
    };
    struct record_format_place whole = place;
    struct record_format *format = NULL;
    struct str out = STR_NONE;
    struct error err = { 0 };

    CHECK(flat_read(arena, STR(RECORD), NULL, &whole.record, &err));
    if (!record_format_create_timed(str_from_c(text), &format, &err) ||
        !record_format_fill(format, record_format_needs_record(format) ? &whole : &place, &out,
                            &err))
        out = arena_copy(arena, str_from_c(err.text));
    record_format_destroy(format);
    return out;
}

static void places_for_the_time_are_filled(void)
{
    static const struct {
        const char *format;
        const char *text;
    } rows[] = {
        { "{time:%Y/%m/%d/%H}", "2026/03/04/05" },
        { "t={time:%H:%M:%S%%}", "t=05:06:07%" },
        { "{time:at}", "at" },
        { "{time:%Y}-{/a}", "2026-*" },
        { "{/tab}", "***" },
        { "{time:}", "{time:} has no format; an example is {time:%Y/%m/%d}" },
        { "{time:%q}", "{time:%q}: expected %Y %m %d %H %M %S or %%" },
        { "{time:%Y%}", "{time:%Y%}: expected %Y %m %d %H %M %S or %%" },
        { "{now:%Y}", "expected a JSON Pointer in braces, as in {/id}" },
    };
    struct arena *arena = arena_create();

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        TEST_CASE(rows[i].format);
        CHECK_STR(timed(rows[i].format, arena), rows[i].text);
    }
    TEST_CASE("without time");
    CHECK_STR(filled("{time:%Y}", arena), "expected a JSON Pointer in braces, as in {/id}");
    arena_destroy(arena);
}

static void an_example_has_its_shape(void)
{
    struct arena *arena = arena_create();
    struct buf *out = arena_buf(arena, 100);
    struct record_format *format = NULL;
    struct error err = { 0 };

    CHECK(record_format_create_timed(STR("a/{/b}/{time:%Y/%m}{{"), &format, &err));
    record_format_example(format, out);
    CHECK_STR(buf_str(out), "a/x/1970/01{");
    CHECK(record_format_needs_time(format));
    CHECK(record_format_needs_record(format));
    CHECK(!record_format_is_fixed(format));
    record_format_destroy(format);
    CHECK(record_format_create_timed(STR("{time:%Y}"), &format, &err));
    CHECK(!record_format_needs_record(format));
    CHECK(!record_format_is_fixed(format));
    record_format_destroy(format);
    arena_destroy(arena);
}

static void it_is_known_whether_senders_choose(void)
{
    static const struct {
        const char *format;
        bool is_fixed;
    } rows[] = { { "a{{b", true }, { "", true }, { "a{/b}", false } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct record_format *format = NULL;
        struct error err = { 0 };

        TEST_CASE(rows[i].format);
        CHECK(record_format_create(str_from_c(rows[i].format), &format, &err));
        CHECK_INT(record_format_is_fixed(format), rows[i].is_fixed);
        record_format_destroy(format);
    }
}

int main(void)
{
    RUN(places_are_filled_and_confined);
    RUN(places_for_the_time_are_filled);
    RUN(an_example_has_its_shape);
    RUN(it_is_known_whether_senders_choose);
    return test_end();
}
