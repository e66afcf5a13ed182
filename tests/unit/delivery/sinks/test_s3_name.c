/*
 * test_s3_name.c - delivery/sinks/s3_name.h.
 */
#include "delivery/sinks/s3_name.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "tests/unit/test.h"

/* 2026-03-04T05:06:07Z */
#define ACCEPTED_US (INT64_C(1772600767) * 1000000)

/* Render a prefix for a record; "! REASON" when there is none; "? ERROR" when it is wrong. */
static struct str render(struct arena *arena, const char *text, const char *time,
                         const char *record)
{
    const struct s3_prefix *prefix;
    const struct sink_record given = { .bytes = str_from_c(record), .accepted_us = ACCEPTED_US };
    struct str out;
    const char *reason = NULL;
    struct error err;

    if (!s3_prefix_compile(str_from_c(text), str_from_c(time), arena, &prefix, &err))
        return arena_printf(arena, "? %s", err.text);
    if (!s3_prefix_make(prefix, &given, arena, &out, &reason))
        return arena_printf(arena, "! %s", reason);
    return out;
}

static void a_prefix_is_made_from_the_record(void)
{
    static const struct {
        const char *name;
        const char *prefix;
        const char *time;
        const char *record;
        const char *expected;
    } rows[] = {
        { "nothing", "", "", "{}", "" },
        { "text", "a/b-c_d/", "", "{}", "a/b-c_d/" },
        { "accepted", "{time:%Y/%m/%d/%H}/", "", "{}", "2026/03/04/05/" },
        { "all directives", "{time:%Y%m%dT%H%M%S%%}/", "", "{}", "20260304T050607%/" },
        { "RFC 3339", "dt={time:%Y-%m-%d}/", "/t", "{\"t\":\"2025-12-31T23:30:00-01:00\"}",
          "dt=2026-01-01/" },
        { "seconds", "{time:%Y/%m/%d}/", "/t", "{\"t\":1700000000}", "2023/11/14/" },
        { "seconds with a fraction", "{time:%S}/", "/t", "{\"t\":1700000000.9}", "20/" },
        { "milliseconds", "{time:%Y/%m/%d/%S}/", "/t", "{\"t\":1700000000999}", "2023/11/14/20/" },
        { "digits as text", "{time:%Y}/", "/t", "{\"t\":\"1700000000\"}", "2023/" },
        { "before 1970", "{time:%Y-%m-%dT%H}/", "/t", "{\"t\":-1}", "1969-12-31T23/" },
        { "no time", "{time:%Y}/", "/t", "{}",
          "! the prefix of its object: the record has no time at /t" },
        { "null", "{time:%Y}/", "/t", "{\"t\":null}",
          "! the prefix of its object: the record has no time at /t" },
        { "not a time", "{time:%Y}/", "/t", "{\"t\":\"soon\"}",
          "! the prefix of its object: the record has no time at /t" },
        { "too late", "{time:%Y}/", "/t", "{\"t\":1e300}",
          "! the prefix of its object: the record has no time at /t" },
        { "too many digits", "{time:%Y}/", "/t", "{\"t\":\"1700000000000000000\"}",
          "! the prefix of its object: the record has no time at /t" },
        { "a text", "{/a/b}/", "", "{\"a\":{\"b\":\"voice\"}}", "voice/" },
        { "a number", "n={/a}/", "", "{\"a\":12.50}", "n=12.50/" },
        { "a boolean", "n={/a}/", "", "{\"a\":true}", "n=true/" },
        { "text beyond ASCII", "{/a}/", "", "{\"a\":\"Z\xc3\xbcrich \xe2\x82\xac\"}",
          "Z\xc3\xbcrich \xe2\x82\xac/" },
        { "two", "{/a}/{/b}/", "", "{\"a\":\"x\",\"b\":\"y\"}", "x/y/" },
        { "absent", "{/a}/", "", "{}", "! the prefix of its object: the record has no text at /a" },
        { "empty", "{/a}/", "", "{\"a\":\"\"}",
          "! the prefix of its object: the record has no text at /a" },
        { "an object", "{/a}/", "", "{\"a\":{}}",
          "! the prefix of its object: the record has no text at /a" },
        { "braces", "{{a}}/", "", "{}", "{a}/" },
        { "a brace alone", "a}/", "", "{}", "a}/" },
        { "not JSON", "{/a}/", "", "{",
          "! the prefix of its object: the record is not JSON: at byte 1: expected a key in double "
          "quotes" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_create();

        TEST_CASE(rows[i].name);
        CHECK_STR(render(arena, rows[i].prefix, rows[i].time, rows[i].record), rows[i].expected);
        arena_destroy(arena);
    }
}

/* Whatever a sender writes, it stays within its segment, and is one that all tools can read. */
static void a_value_cannot_change_the_structure(void)
{
    static const struct {
        const char *name;
        const char *value; /* as JSON */
        const char *expected;
    } rows[] = {
        { "up", "\"../../other\"", "in/..%2F..%2Fother/" },
        { "dot", "\".\"", "in/%2E/" },
        { "two dots", "\"..\"", "in/%2E%2E/" },
        { "a name with dots", "\"a..b.\"", "in/a..b./" },
        { "slashes", "\"/a//b/\"", "in/%2Fa%2F%2Fb%2F/" },
        { "another partition", "\"x/dt=2020-01-01\"", "in/x%2Fdt%3D2020-01-01/" },
        { "its own encoding", "\"%2F\"", "in/%252F/" },
        { "control characters", "\"a\\u0000\\n\\u001f\\u007fb\"", "in/a%00%0A%1F%7Fb/" },
        { "C1", "\"a\\u0085b\\u00a0\"", "in/a%C2%85b\xc2\xa0/" },
        { "marks", "\"a?b#c*d:e\\\\f{g}[h]^\\\"'\"",
          "in/a%3Fb%23c%2Ad%3Ae%5Cf%7Bg%7D%5Bh%5D%5E%22%27/" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_create();
        struct str record = arena_printf(arena, "{\"a\":%s}", rows[i].value);

        TEST_CASE(rows[i].name);
        CHECK_STR(render(arena, "in/{/a}/", "", record.ptr), rows[i].expected);
        arena_destroy(arena);
    }
}

static void a_key_is_bounded(void)
{
    struct arena *arena = arena_create();
    char value[S3_PREFIX_MAX + 1] = { 0 };
    const struct s3_name_parts longest = {
        .store = STR("0123456789abcdef0123456789abcdef"),
        .first = INT64_MAX,
        .digest = STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        .format = COMPRESS_ZSTD,
    };

    CHECK(s3_name(&longest, arena).len <= S3_NAME_MAX);
    memset(value, 'x', S3_PREFIX_MAX - 1);
    CHECK_INT(
        (int64_t)render(arena, "{/a}/", "", arena_printf(arena, "{\"a\":\"%s\"}", value).ptr).len,
        S3_PREFIX_MAX);
    value[S3_PREFIX_MAX - 1] = 'x';
    CHECK_STR(render(arena, "{/a}/", "", arena_printf(arena, "{\"a\":\"%s\"}", value).ptr),
              "! the prefix of its object: the text is longer than 924 bytes");
    arena_destroy(arena);
}

static void wrong_prefixes_are_refused(void)
{
    static const struct {
        const char *prefix;
        const char *error;
    } rows[] = {
        { "/a", "? has a / at its start or behind another /" },
        { "a//b", "? has a / at its start or behind another /" },
        { "a/../b", "? has .. between slashes" },
        { "./b", "? has . between slashes" },
        { "a\nb", "? has a control character" },
        { "{/a", "? a { without }; {{ is a brace" },
        { "{a}", "? expected a JSON Pointer in braces, as in {/id}" },
        { "{time:/%Y}", "? has a / at its start or behind another /" },
    };
    struct arena *arena = arena_create();
    char text[S3_PREFIX_MAX + 2] = { 0 };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str got = render(arena, rows[i].prefix, "", "{}");

        TEST_CASE(rows[i].prefix);
        if (rows[i].error)
            CHECK_STR(got, rows[i].error);
        else
            CHECK(str_starts_with(got, STR("? ")));
    }
    CHECK(str_starts_with(render(arena, "a", "b", "{}"), STR("? "))); /* not a pointer */
    memset(text, 'x', S3_PREFIX_MAX + 1);
    CHECK_STR(render(arena, text, "", "{}"), "? expected at most 924 bytes");
    arena_destroy(arena);
}

static void names_have_store_and_sequence(void)
{
    static const struct {
        struct s3_name_parts parts;
        const char *expected;
    } rows[] = {
        { { STR_INIT("a/"), STR_INIT("5eed"), 7, STR_INIT(""), COMPRESS_NONE },
          "a/5eed-000000000007.ndjson" },
        { { STR_INIT(""), STR_INIT("5eed"), 123456789012345, STR_INIT(""), COMPRESS_GZIP },
          "5eed-123456789012345.ndjson.gz" },
        { { STR_INIT("a/"), STR_INIT("5eed"), 7,
            STR_INIT("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
            COMPRESS_ZSTD },
          "a/5eed-000000000007-00112233445566778899aabbccddeeff.ndjson.zst" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *arena = arena_create();

        CHECK_STR(s3_name(&rows[i].parts, arena), rows[i].expected);
        arena_destroy(arena);
    }
}

int main(void)
{
    RUN(a_prefix_is_made_from_the_record);
    RUN(a_value_cannot_change_the_structure);
    RUN(a_key_is_bounded);
    RUN(wrong_prefixes_are_refused);
    RUN(names_have_store_and_sequence);
    return test_end();
}
